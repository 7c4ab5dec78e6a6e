package peer

import (
	"fmt"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// The frames of the other side, and the store's answers to its requests.

// broken is an error that says how the other side has violated the protocol.
func broken(format string, args ...any) error {
	return &frame.ProtocolError{Text: fmt.Sprintf(format, args...)}
}

// received takes one frame. Its block moves to the session.
func (s *session) received(f *frame.Frame, now time.Time) error {
	if s.torrent == nil && aboutPieces(f.Kind) {
		return s.takeEarly(f, now)
	}
	switch f.Kind {
	case frame.Choke, frame.Unchoke:
		return s.choking(f.Kind == frame.Choke, now)
	case frame.Interested, frame.NotInterested:
		is := f.Kind == frame.Interested
		if is == s.flags.PeerInterested {
			return s.flood.charge(costUseless, now)
		}
		s.flags.PeerInterested, s.out.flags = is, true
		if is {
			s.claimsUploadOnly(false)
		}
		return s.flood.charge(costChange, now)
	case frame.Have:
		return s.have(f.Index, now)
	case frame.Bitfield:
		return s.bitfield(f.Bits, now)
	case frame.Request:
		return s.request(f, now)
	case frame.Cancel:
		if b := blockOf(f); s.uploads.cancel(b) {
			s.reject(b)
		}
		return s.flood.charge(costUseless, now)
	case frame.Piece:
		return s.piece(f, now)
	case frame.Port:
		return s.takePort(f, now)
	case frame.Extended:
		return s.extended(f, now)
	case frame.Suggest, frame.HaveAll, frame.HaveNone, frame.Reject, frame.AllowedFast:
		return s.takeFast(f, now)
	default: // a keep-alive, or of a kind that we do not know, its payload skipped
		return s.flood.charge(costUseless+int(f.Length/blockSize), now)
	}
}

// aboutPieces tells whether a frame makes sense only if the pieces are known.
func aboutPieces(k frame.Kind) bool {
	return k == frame.Have || k == frame.Bitfield || k == frame.Request || k == frame.Piece || k.Fast()
}

func blockOf(f *frame.Frame) messages.Block {
	return messages.Block{Piece: f.Index, Begin: f.Begin, Length: f.Length}
}

// choking takes a choke or an unchoke. A choke voids what was asked for, also
// when an unchoke follows at once, unless the other side answers each request
// (BEP 6).
func (s *session) choking(choke bool, now time.Time) error {
	if choke == s.flags.PeerChoking {
		return s.flood.charge(costUseless, now)
	}
	s.flags.PeerChoking = choke
	s.out.flags = true
	switch {
	case s.fast:
		s.out.choking, s.settled, s.refusals = true, now, 0
		s.dropWaiting()
	case choke && s.surplus.ignoresChoke && len(s.requests.flight) > 0:
		s.servesOn, s.fed = true, now
	case !choke && s.servesOn:
		s.servesOn = false // the scheduler has heard of neither
	default:
		s.out.choking = true
		if choke {
			s.requests.clear(nil)
			s.out.voided = true
		}
	}
	return s.flood.charge(costChange, now)
}

// have takes a piece that the other side announces. Each is passed on once.
func (s *session) have(piece uint32, now time.Time) error {
	n := s.torrent.PieceCount()
	if int64(piece) >= int64(n) {
		return broken("have of piece %d of %d", piece, n)
	}
	if s.theirs.Test(uint(piece)) {
		return s.flood.charge(costUseless, now)
	}
	s.theirs.Set(uint(piece))
	s.out.haves = append(s.out.haves, piece)
	s.count(s.pieces + 1)
	return nil
}

// bitfield takes the pieces of the other side. By BEP 3 a bitfield comes first
// or never, but aria2 sends one in place of many haves. The link has checked
// the bitfield, unless it was started before the pieces were known.
func (s *session) bitfield(bits []byte, now time.Time) error {
	if err := frame.CheckBitfield(bits, int(s.theirs.Len())); err != nil {
		return err
	}
	return s.more(unpack(bits, s.theirs.Len()), now)
}

// unpack reads a bitfield of so many pieces.
func unpack(bits []byte, pieces uint) *bitset.BitSet {
	has := bitset.New(pieces)
	for i := range pieces {
		if frame.HasBit(bits, i) {
			has.Set(i)
		}
	}
	return has
}

// more takes pieces that the other side has, beside those known before.
func (s *session) more(has *bitset.BitSet, now time.Time) error {
	again := s.pieces > 0
	s.theirs.InPlaceUnion(has)
	s.count(int(s.theirs.Count()))
	if earlier := s.out.bitfield; earlier != nil {
		has.InPlaceUnion(earlier)
	}
	s.out.bitfield = has
	if again {
		return s.flood.charge(costBitfield, now)
	}
	return nil
}

func (s *session) count(pieces int) {
	s.pieces = pieces
	if !s.flags.Seed && pieces == s.torrent.PieceCount() {
		s.flags.Seed, s.out.flags = true, true
		s.introducedAgain()
	}
}

// request takes a request of the other side. A request that comes while we
// choke may have crossed our choke, so it does not end the connection.
func (s *session) request(f *frame.Frame, now time.Time) error {
	if int64(f.Index) >= int64(s.torrent.PieceCount()) {
		return broken("request in piece %d of %d", f.Index, s.torrent.PieceCount())
	}
	size := uint64(s.torrent.PieceSize(int(f.Index)))
	if f.Length == 0 || f.Length > maxRequest || uint64(f.Begin)+uint64(f.Length) > size {
		return broken("request of %d bytes at %d in a piece of %d", f.Length, f.Begin, size)
	}
	if b := blockOf(f); s.flags.AmChoking || !s.uploads.request(b) {
		return s.refuse(b, now)
	}
	s.out.asked = s.offers.ask(f.Index) || s.out.asked
	return nil
}

// servable takes the store's answer to what may be served. Requests for pieces
// that we never announced are dropped, and charged to the other side.
func (s *session) servable(m *messages.PiecesServable, now time.Time) (err error) {
	for _, b := range s.uploads.answered(m) {
		err = s.refuse(b, now)
	}
	return err
}

// piece takes payload: what we asked of this peer goes on to the store, the
// rest is dropped and counted as waste.
func (s *session) piece(f *frame.Frame, now time.Time) error {
	s.down.Add(now, int(f.Length))
	b := blockOf(f)
	sent, asked := s.requests.answer(b)
	if !asked {
		f.Block.Release()
		s.wasted += int64(f.Length)
		return s.notInFlight(b, now)
	}
	s.useful()
	s.fed, s.answered, s.refusals = now, sent, 0
	if s.out.stored == nil { // they leave in messages: once for the batch, of the right size
		s.out.arrived = make([]messages.Block, 0, s.batch)
		s.out.stored = make([]messages.StoredBlock, 0, s.batch)
	}
	s.out.arrived = append(s.out.arrived, b)
	s.out.stored = append(s.out.stored, messages.StoredBlock{Block: b, Data: f.Block})
	return nil
}

// batchDone records that all frames of a batch have been handled.
func (s *session) batchDone(now time.Time) {
	s.heard = now
	if s.servesOn && len(s.requests.flight) == 0 {
		s.endServingOn()
	}
	if n := len(s.out.arrived); n > 0 {
		s.window.arrived(n, s.answered, now)
		if s.flags.Snubbed {
			s.flags.Snubbed, s.out.flags = false, true
		}
	}
}
