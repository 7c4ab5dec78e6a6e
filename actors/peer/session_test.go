package peer

import (
	"errors"
	"math"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// newTestSession is a session of ten pieces of four blocks, the last one
// shorter.
func newTestSession(t *testing.T) *session {
	torrent, _ := stage.Torrent(t, 10*4*blockSize-100, 4*blockSize)
	return newSession(torrent, usualQueue, false, start)
}

func (s *session) take(t *testing.T, f frame.Frame, now time.Time) {
	t.Helper()
	if err := s.received(&f, now); err != nil {
		t.Fatalf("%v: %v", f.Kind, err)
	}
}

func pieceFrame(pool *buffer.Pool, b messages.Block) frame.Frame {
	return frame.Frame{Kind: frame.Piece, Index: b.Piece, Begin: b.Begin, Length: b.Length, Block: pool.Fit(int(b.Length))}
}

func TestSessionCutsOffWhatBreaksTheProtocol(t *testing.T) {
	const last = 9
	const lastSize = 4*blockSize - 100
	for name, frames := range map[string][]frame.Frame{
		"have beyond the torrent":    {{Kind: frame.Have, Index: 10}},
		"have of the highest index":  {{Kind: frame.Have, Index: math.MaxUint32}},
		"request beyond the torrent": {{Kind: frame.Request, Index: 10, Length: 1}},
		"request of nothing":         {{Kind: frame.Request}},
		"request over the limit":     {{Kind: frame.Request, Length: maxRequest + 1}},
		"request across the end":     {{Kind: frame.Request, Index: last, Begin: lastSize - 1, Length: 2}},
		"request that wraps uint32":  {{Kind: frame.Request, Begin: math.MaxUint32, Length: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			for i, f := range frames {
				err := s.received(&f, start)
				if i < len(frames)-1 {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				if violation := new(frame.ProtocolError); !errors.As(err, &violation) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestSessionTakesBitfieldsAtAnyTime(t *testing.T) {
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Have, Index: 1}, start)
	s.take(t, frame.Frame{Kind: frame.Bitfield, Bits: []byte{0x80, 0}}, start)
	s.take(t, frame.Frame{Kind: frame.Bitfield, Bits: []byte{0, 0x40}}, start)
	if has := s.out.bitfield; has.Count() != 2 || !has.Test(0) || !has.Test(9) {
		t.Errorf("it has %v", has)
	}
}

func TestSessionTakesOnlyWhatItAskedFor(t *testing.T) {
	pool := buffer.NewPool(100)
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.requests.waiting = []messages.Block{block(0), block(1)}
	if asked := s.ask(math.MaxInt, start); asked != 2*blockSize || len(s.out.frames) != 2 {
		t.Fatalf("asked for %d bytes in %d frames", asked, len(s.out.frames))
	}
	s.take(t, pieceFrame(pool, block(0)), start)
	if len(s.out.stored) != 1 || len(s.out.arrived) != 1 {
		t.Fatal("a block that was asked for is dropped")
	}
	s.take(t, pieceFrame(pool, block(0)), start)
	if len(s.out.stored) != 1 || s.wasted != blockSize {
		t.Fatal("a block that came twice is taken twice")
	}
	s.cancel([]messages.Block{block(1)})
	s.take(t, pieceFrame(pool, block(1)), start)
	if len(s.out.stored) != 1 || s.surplus.unasked != 0 {
		t.Fatal("a cancelled block counts as an offence, or is taken")
	}
	var err error
	for i := 0; i <= maxUnasked && err == nil; i++ {
		f := pieceFrame(pool, block(7))
		err = s.received(&f, start)
	}
	if err == nil {
		t.Error("a peer may send what nobody asked for, for ever")
	}
	s.out.stored[0].Data.Release()
	if live := pool.Stats().Live; live != 0 {
		t.Errorf("%d blocks are not released", live)
	}
}

func TestSessionVoidsRequestsWhenChoked(t *testing.T) {
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.requests.waiting = []messages.Block{block(0), block(1)}
	s.ask(blockSize, start)
	s.take(t, frame.Frame{Kind: frame.Choke}, start)
	if s.requests.outstanding() != 0 || !s.out.choking || !s.flags.PeerChoking {
		t.Errorf("outstanding %d, turned %v", s.requests.outstanding(), s.out.choking)
	}
}

func TestSessionServesOnlyWhomItUnchoked(t *testing.T) {
	s := newTestSession(t)
	request := frame.Frame{Kind: frame.Request, Length: maxRequest / 2}
	s.take(t, request, start)
	if len(s.uploads.queue) != 0 {
		t.Fatal("serves while choking")
	}
	s.setChoked(false)
	s.take(t, request, start)
	s.take(t, frame.Frame{Kind: frame.Request, Index: 1, Length: blockSize}, start)
	s.take(t, frame.Frame{Kind: frame.Cancel, Length: maxRequest / 2}, start)
	if len(s.uploads.queue) != 1 {
		t.Fatalf("%d requests queued", len(s.uploads.queue))
	}
	s.setChoked(true)
	if len(s.uploads.queue) != 0 {
		t.Error("a choke leaves requests")
	}
}

func TestSessionSnubsAndForgives(t *testing.T) {
	pool := buffer.NewPool(1)
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.requests.waiting = []messages.Block{block(0), block(1)}
	s.ask(math.MaxInt, start)
	if err := s.tick(at(snubAfter.Seconds() - 1)); err != nil || s.flags.Snubbed {
		t.Fatalf("snubbed too early, %v", err)
	}
	late := at(snubAfter.Seconds() + 1)
	if err := s.tick(late); err != nil || !s.flags.Snubbed || len(s.out.dropped) != 2 || s.window.requests() != 1 {
		t.Fatalf("not snubbed: %v, dropped %d", err, len(s.out.dropped))
	}
	s.requests.waiting = []messages.Block{block(2)}
	s.ask(math.MaxInt, late)
	f := pieceFrame(pool, block(2))
	s.take(t, f, late)
	s.batchDone(late)
	if s.flags.Snubbed || s.window.requests() < minWindow {
		t.Error("not forgiven")
	}
	f.Block.Release()
}

func TestSessionDropsWhatWasPassedOver(t *testing.T) {
	pool := buffer.NewPool(1)
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	for i := range 36 { // one second after the other, but for the first
		now := at(float64(i))
		s.requests.waiting = append(s.requests.waiting, block(i))
		s.ask(math.MaxInt, now)
		if i > 0 {
			f := pieceFrame(pool, block(i))
			s.take(t, f, now)
			s.batchDone(now)
			f.Block.Release()
		}
		if err := s.tick(now); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.out.dropped) != 1 || s.out.dropped[0] != block(0) || s.flags.Snubbed {
		t.Errorf("dropped %v", s.out.dropped)
	}
}

func TestSessionKeepsAliveAndEndsTheSilent(t *testing.T) {
	s := newTestSession(t)
	if err := s.tick(at(keepAlive.Seconds() + 1)); err != nil || len(s.out.frames) != 1 || s.out.frames[0].Kind != frame.KeepAlive {
		t.Fatalf("no keep-alive: %v", err)
	}
	if err := s.tick(at(idleAfter.Seconds() + 1)); !errors.Is(err, errIdle) {
		t.Errorf("a silent peer stays: %v", err)
	}
}

func TestSessionKnowsASeed(t *testing.T) {
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Bitfield, Bits: []byte{0xff, 0xc0}}, start)
	if !s.flags.Seed || s.out.bitfield.Count() != 10 {
		t.Errorf("seed %v, %d pieces", s.flags.Seed, s.out.bitfield.Count())
	}
}

// The number of requests that the other side says it queues counts; messages
// that we did not offer to take, or cannot read, do not (BEP 10).
func TestSessionTakesTheExtensionHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		frame frame.Frame
		want  int
	}{
		"few":          {frame.Frame{Index: 0, Bits: []byte("d4:reqqi5ee")}, 5},
		"many":         {frame.Frame{Index: 0, Bits: []byte("d4:reqqi512ee")}, 512},
		"no end":       {frame.Frame{Index: 0, Bits: []byte("d4:reqqi99999999ee")}, maxWindow},
		"not said":     {frame.Frame{Index: 0, Bits: []byte("de")}, usualMost},
		"garbage":      {frame.Frame{Index: 0, Bits: []byte("d4:reqq")}, usualMost},
		"another word": {frame.Frame{Index: 1, Bits: []byte("d4:reqqi5ee")}, usualMost},
	} {
		s := newTestSession(t)
		test.frame.Kind = frame.Extended
		s.take(t, test.frame, start)
		if s.window.most != test.want {
			t.Errorf("%s: up to %d requests, want %d", name, s.window.most, test.want)
		}
	}
}
