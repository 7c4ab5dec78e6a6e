package peer

import (
	"errors"
	"math"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// newEarlySession is a session that has begun before its pieces are known.
func newEarlySession(fast bool) *session {
	s := newSession(nil, usualQueue, false, start)
	if fast {
		s.speakFast()
	}
	return s
}

// What a peer tells before its pieces are known counts when they are.
func TestEarlyPiecesCount(t *testing.T) {
	torrent, _ := stage.Torrent(t, 10*4*blockSize-100, 4*blockSize)
	for name, test := range map[string]struct {
		frames []frame.Frame
		want   []uint
	}{
		"nothing":                   {nil, nil},
		"bitfield":                  {[]frame.Frame{{Kind: frame.Bitfield, Bits: []byte{0x80, 0x40}}}, []uint{0, 9}},
		"haves":                     {[]frame.Frame{{Kind: frame.Have, Index: 9}, {Kind: frame.Have, Index: 2}}, []uint{2, 9}},
		"a bitfield and haves":      {[]frame.Frame{{Kind: frame.Bitfield, Bits: []byte{0x80, 0}}, {Kind: frame.Have, Index: 8}}, []uint{0, 8}},
		"haves and a bitfield":      {[]frame.Frame{{Kind: frame.Have, Index: 1}, {Kind: frame.Bitfield, Bits: []byte{0x80, 0x40}}}, []uint{0, 1, 9}},
		"have all":                  {[]frame.Frame{{Kind: frame.HaveAll}}, []uint{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"have none, and then a few": {[]frame.Frame{{Kind: frame.HaveNone}, {Kind: frame.Have, Index: 3}}, []uint{3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newEarlySession(true)
			for _, f := range test.frames {
				s.take(t, f, start)
			}
			s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
			s.take(t, frame.Frame{Kind: frame.AllowedFast, Index: 4}, start)
			s.out = effects{}
			if err := s.learn(torrent, bitset.New(10), start); err != nil {
				t.Fatal(err)
			}
			want := bitset.New(10)
			for _, piece := range test.want {
				want.Set(piece)
			}
			if !s.theirs.Equal(want) || s.pieces != len(test.want) || s.flags.Seed != (len(test.want) == 10) {
				t.Errorf("has %v, %d, seed %v", s.theirs, s.pieces, s.flags.Seed)
			}
			if told := s.out.bitfield; len(test.want) > 0 && !told.Equal(want) || len(test.want) == 0 && told != nil {
				t.Errorf("the scheduler hears of %v", told)
			}
			if !s.out.choking || s.flags.PeerChoking || !s.allows(4) {
				t.Error("the scheduler does not hear that it may ask")
			}
			s.take(t, frame.Frame{Kind: frame.Bitfield, Bits: []byte{0xff, 0xc0}}, start) // the link does not check it
			if err := s.received(&frame.Frame{Kind: frame.Bitfield, Bits: []byte{0xff}}, start); err == nil {
				t.Error("takes a bitfield that is too short")
			}
		})
	}
}

func TestEarlyPiecesAreChecked(t *testing.T) {
	torrent, _ := stage.Torrent(t, 10*4*blockSize-100, 4*blockSize)
	for name, f := range map[string]frame.Frame{
		"have beyond the torrent":    {Kind: frame.Have, Index: 10},
		"have of a high index":       {Kind: frame.Have, Index: maxEarlyPieces - 1},
		"long bitfield":              {Kind: frame.Bitfield, Bits: make([]byte, 3)},
		"short bitfield":             {Kind: frame.Bitfield, Bits: make([]byte, 1)},
		"spare bits":                 {Kind: frame.Bitfield, Bits: []byte{0, 0x20}},
		"allowed beyond the torrent": {Kind: frame.AllowedFast, Index: 10},
	} {
		s := newEarlySession(true)
		s.take(t, f, start)
		var violation *frame.ProtocolError
		if err := s.learn(torrent, bitset.New(10), start); !errors.As(err, &violation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]frame.Frame{
		"have of the highest index": {Kind: frame.Have, Index: math.MaxUint32},
		"huge bitfield":             {Kind: frame.Bitfield, Bits: make([]byte, maxEarlyPieces/8+1)},
	} {
		s := newEarlySession(false)
		s.take(t, f, start)
		if len(s.early.bits) > 0 {
			t.Errorf("%s: %d bytes are kept", name, len(s.early.bits))
		}
		if err := s.learn(torrent, bitset.New(10), start); !errors.Is(err, errForgot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing can be asked for yet, so nothing can be brought or rejected.
func TestEarlySessionCutsOffWhatBreaksTheProtocol(t *testing.T) {
	pool := buffer.NewPool(2)
	for name, f := range map[string]frame.Frame{
		"a block":                            pieceFrame(pool, block(0)),
		"a reject":                           {Kind: frame.Reject, Length: blockSize},
		"have all without the fast messages": {Kind: frame.HaveAll},
	} {
		s := newEarlySession(f.Kind != frame.HaveAll)
		var violation *frame.ProtocolError
		if err := s.received(&f, start); !errors.As(err, &violation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if live := pool.Stats().Live; live != 0 {
		t.Errorf("%d blocks are not released", live)
	}
	s := newEarlySession(true)
	s.take(t, frame.Frame{Kind: frame.Request, Index: math.MaxUint32, Length: 1}, start)
	if sent := s.out.frames; len(sent) != 1 || sent[0].Kind != frame.Reject {
		t.Errorf("a request is answered by %v", sent)
	}
}

// Whoever heard that we have nothing hears later of what we have.
func TestPiecesAreToldWhenTheyAreKnown(t *testing.T) {
	torrent, _ := stage.Torrent(t, 10*4*blockSize-100, 4*blockSize)
	s := newEarlySession(true)
	if err := s.learn(torrent, bitset.New(10).Set(3).Set(7), start); err != nil {
		t.Fatal(err)
	}
	if sent := s.out.frames; len(sent) != 1 || sent[0].Kind != frame.Have || len(sent[0].Haves) != 2 || sent[0].Haves[1] != 7 {
		t.Errorf("tells %+v", sent)
	}
}
