package peer

import (
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// The fast extension (BEP 6). When both sides offer it, each request ends in
// exactly one piece or reject, whatever is choked or cancelled meanwhile.

const (
	// maxAllowed is how many pieces the other side may allow us to ask for while
	// it chokes us. BEP 6 recommends 10; further ones are ignored.
	maxAllowed = 32
	// answerAfterChoke is for how long a peer that has choked us may bring neither
	// payload nor rejects until what it owes is taken back. The clients that were
	// looked at reject right behind the choke.
	answerAfterChoke = 10 * time.Second
	// maxRefusals is how many requests in a row a peer may reject that has
	// unchoked us until it counts as one that snubs us.
	maxRefusals = 16

	costRejected = 2 // a request that we reject: it is answered, too
	costRefusal  = 5 // a reject of a peer that has unchoked us
)

// speakFast is called when both sides have offered the fast extension.
func (s *session) speakFast() { s.fast, s.requests.exact = true, true }

// takeFast takes a frame of the fast extension.
func (s *session) takeFast(f *frame.Frame, now time.Time) error {
	if !s.fast {
		return broken("%v without the fast extension", f.Kind)
	}
	switch f.Kind {
	case frame.HaveAll:
		// By BEP 6 it comes first or never, but old aria2 sends one in place of many
		// haves, as it does with bitfields.
		return s.more(bitset.New(s.theirs.Len()).FlipRange(0, s.theirs.Len()), now)
	case frame.HaveNone:
		if s.pieces > 0 {
			return broken("have none after %d pieces", s.pieces)
		}
	case frame.Reject:
		return s.rejected(blockOf(f), now)
	default:
		if int64(f.Index) >= int64(s.torrent.PieceCount()) {
			return broken("%v of piece %d of %d", f.Kind, f.Index, s.torrent.PieceCount())
		}
		// Suggestions are not followed: they serve the disk of the other side.
		if f.Kind == frame.AllowedFast && len(s.allowed) < maxAllowed && !s.allows(f.Index) {
			s.allowed = append(s.allowed, f.Index)
			s.out.allowed = append(s.out.allowed, f.Index)
		}
	}
	return s.flood.charge(costUseless, now)
}

// allows tells whether we may ask for a piece although the other side chokes
// us.
func (s *session) allows(piece uint32) bool { return slices.Contains(s.allowed, piece) }

// mayAsk tells whether the other side takes requests for a piece now.
func (s *session) mayAsk(piece uint32) bool {
	return !s.flags.PeerChoking || s.servesOn || s.fast && s.allows(piece)
}

// dropWaiting takes back what is not asked for yet and may not be asked for any
// more.
func (s *session) dropWaiting() {
	s.requests.waiting = slices.DeleteFunc(s.requests.waiting, func(b messages.Block) bool {
		if s.mayAsk(b.Piece) {
			return false
		}
		s.out.dropped = append(s.out.dropped, b)
		return true
	})
}

// rejected takes a reject. The first answer to requests for the same block is
// that to the first of them, which may be one that was cancelled.
func (s *session) rejected(b messages.Block, now time.Time) error {
	if s.requests.forget(b) {
		return s.flood.charge(costUseless, now)
	}
	if _, asked := s.requests.answer(b); !asked {
		return s.rejectedUnasked(b, now)
	}
	s.settled = now
	s.out.dropped = append(s.out.dropped, b)
	if s.flags.PeerChoking {
		if i := slices.Index(s.allowed, b.Piece); i >= 0 {
			s.allowed = slices.Delete(s.allowed, i, i+1)
			s.dropWaiting()
		}
		return s.flood.charge(costUseless, now)
	}
	if s.refusals++; s.refusals >= maxRefusals && !s.flags.Snubbed {
		s.snub()
	}
	return s.flood.charge(costRefusal, now)
}

// rejectedUnasked takes a reject of what is not asked for, as blocks that were
// never asked for are taken: there may have been a request for it.
func (s *session) rejectedUnasked(b messages.Block, now time.Time) error {
	r := &s.surplus
	switch {
	case !s.isBlock(b):
		return broken("rejects %v, which nobody asks for", b)
	case s.requests.excuses(b):
		return s.flood.charge(costUseless, now)
	case r.asked != nil && r.asked.Test(uint(b.Piece)):
		return s.flood.charge(costRefusal, now)
	}
	if r.unasked++; r.unasked > maxUnasked {
		return broken("rejects blocks that were not asked for")
	}
	return nil
}

// unansweredChoke takes back what a peer that has choked us owes, if that peer
// brings neither payload nor rejects.
func (s *session) unansweredChoke(now time.Time) {
	if s.fast && s.flags.PeerChoking && now.Sub(s.fed) > answerAfterChoke && now.Sub(s.settled) > answerAfterChoke {
		s.out.dropped = s.requests.drop(s.out.dropped, func(q request) bool { return !s.allows(q.Piece) })
	}
}

// reject tells the other side, if it is to hear of that, that a request is not
// served.
func (s *session) reject(b messages.Block) {
	if s.fast {
		s.frame(frame.Frame{Kind: frame.Reject, Index: b.Piece, Begin: b.Begin, Length: b.Length})
	}
}

// refuse rejects a request, and charges it to the other side.
func (s *session) refuse(b messages.Block, now time.Time) error {
	s.reject(b)
	if s.fast {
		return s.flood.charge(costRejected, now)
	}
	return s.flood.charge(costUseless, now)
}

// greet tells the other side which pieces we have.
func (s *session) greet(have *bitset.BitSet) {
	pieces := s.torrent.PieceCount()
	switch n := int(have.Count()); {
	case s.fast && n == pieces:
		s.frame(frame.Frame{Kind: frame.HaveAll})
	case s.fast && n == 0:
		s.frame(frame.Frame{Kind: frame.HaveNone})
	case n > 0:
		s.frame(frame.Frame{Kind: frame.Bitfield, Bits: bitfield(have, pieces)})
	}
}
