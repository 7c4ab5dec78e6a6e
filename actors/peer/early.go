package peer

import (
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// Before it is known what is in the torrent, the other side may have told which
// pieces it has: BEP 3 has it say so once, at the start. That is kept, and
// checked when it is known how many pieces there are.

// maxEarlyPieces is how many pieces a peer may have told of before it is known
// how many there are: 8 TiB in pieces of 16 MiB. A peer that knows of more has
// to connect again.
const maxEarlyPieces = 1 << 19

// early is what the other side has told of its pieces, unchecked.
type early struct {
	bits     []byte   // pieces of bitfields and haves, as a bitfield has them
	beyond   uint32   // all haves are of pieces below
	bitfield int      // bytes of the last bitfield; 0: none has come
	all      bool     // it has all pieces (BEP 6)
	allowed  []uint32 // pieces that we may ask for while it chokes us (BEP 6)
	forgot   bool     // it has told of more than was kept
}

// takeEarly takes a frame that is about pieces before the pieces are known.
func (s *session) takeEarly(f *frame.Frame, now time.Time) error {
	e := &s.early
	if f.Kind.Fast() && !s.fast {
		return broken("%v without the fast extension", f.Kind)
	}
	switch f.Kind {
	case frame.Have:
		return e.have(f.Index, s, now)
	case frame.Bitfield:
		again := e.bitfield > 0
		e.add(f.Bits)
		e.bitfield = len(f.Bits)
		if again {
			return s.flood.charge(costBitfield, now)
		}
		return nil
	case frame.HaveAll:
		e.all = true
	case frame.AllowedFast:
		if len(e.allowed) < maxAllowed {
			e.allowed = append(e.allowed, f.Index)
		}
	case frame.Request:
		return s.refuse(blockOf(f), now)
	case frame.Piece:
		f.Block.Release()
		return broken("sends a block before any was asked for")
	case frame.Reject:
		return broken("rejects %v, which nobody asks for", blockOf(f))
	}
	return s.flood.charge(costUseless, now)
}

func (e *early) have(piece uint32, s *session, now time.Time) error {
	if piece >= maxEarlyPieces {
		e.forgot = true
		return s.flood.charge(costUseless, now)
	}
	if at := int(piece / 8); at >= len(e.bits) {
		e.bits = append(e.bits, make([]byte, at+1-len(e.bits))...)
	}
	if frame.HasBit(e.bits, uint(piece)) {
		return s.flood.charge(costUseless, now)
	}
	frame.SetBit(e.bits, uint(piece))
	e.beyond = max(e.beyond, piece+1)
	return nil
}

// add unites a bitfield with what was told before.
func (e *early) add(bits []byte) {
	if len(bits) > maxEarlyPieces/8 {
		e.forgot = true
		return
	}
	if len(bits) > len(e.bits) {
		bits, e.bits = e.bits, bits
	}
	for i, b := range bits {
		e.bits[i] |= b
	}
}

// pieces are those that the other side has, of so many that there are.
func (e *early) pieces(count int) (*bitset.BitSet, error) {
	want := (count + 7) / 8
	switch {
	case e.forgot:
		return nil, errForgot
	case int64(e.beyond) > int64(count):
		return nil, broken("have of piece %d of %d", e.beyond-1, count)
	case e.bitfield != 0 && e.bitfield != want, len(e.bits) > want:
		return nil, broken("bitfield of %d bytes, want %d", max(e.bitfield, len(e.bits)), want)
	}
	bits := append(e.bits, make([]byte, want-len(e.bits))...)
	if err := frame.CheckBitfield(bits, count); err != nil {
		return nil, err
	}
	if e.all {
		return bitset.New(uint(count)).FlipRange(0, uint(count)), nil
	}
	return unpack(bits, uint(count)), nil
}

// learn takes what is in the torrent, and which pieces we have. What the other
// side has told is held against that; an error ends the connection.
func (s *session) learn(t *metainfo.Torrent, have *bitset.BitSet, now time.Time) error {
	e := s.early
	s.torrent, s.theirs, s.early = t, bitset.New(uint(t.PieceCount())), early{}
	s.extension.metadata.asked = nil
	s.out.choking = !s.flags.PeerChoking
	if have.Any() {
		s.announce(piecesOf(have))
	}
	has, err := e.pieces(t.PieceCount())
	if err != nil {
		return err
	}
	if has.Any() {
		err = s.more(has, now)
	}
	for _, piece := range e.allowed {
		if err == nil {
			err = s.takeFast(&frame.Frame{Kind: frame.AllowedFast, Index: piece}, now)
		}
	}
	return err
}

// piecesOf are the pieces of a set, in order.
func piecesOf(set *bitset.BitSet) []uint32 {
	pieces := make([]uint32, 0, set.Count())
	for piece := range set.EachSet() {
		pieces = append(pieces, uint32(piece))
	}
	return pieces
}

// pieceCount is how many pieces there are; 0: that is not known.
func (s *session) pieceCount() int {
	if s.torrent == nil {
		return 0
	}
	return s.torrent.PieceCount()
}
