package store

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// recalled: the torrent has answered what stores before this one knew.
func (s *store) recalled(c actor.Context, m *messages.PiecesKnown) {
	if s.before == nil {
		s.before = m
		s.orient(c)
	}
}

// recall takes over what a store before this one has found out, and returns
// what is left to be checked. The journal may be old and the files may look
// different from what it says, but as long as the process lives, so does what it
// has written. Data that has been cut short since does not count.
//
// Nobody knows what of it has been synced.
func (s *store) recall(check []int) []int {
	if s.before.Known == nil {
		return check
	}
	for i := range s.before.Have.EachSet() {
		if s.found.covers(s.Torrent, int(i)) {
			s.have.Set(i)
		}
	}
	if s.found.base == partName(s.Torrent) {
		s.unsaved = true
		for i, stamp := range s.found.stamps {
			if stamp != absent {
				s.dirty.Set(uint(i))
			}
		}
	}
	return slices.DeleteFunc(check, func(i int) bool { return s.before.Known.Test(uint(i)) })
}

// unchecked are all pieces but those to be checked: what is known of them stays.
func (s *store) unchecked(check []int) *bitset.BitSet {
	known := bitset.New(uint(s.Torrent.PieceCount()))
	known.FlipRange(0, known.Len())
	for _, i := range check {
		known.Clear(uint(i))
	}
	return known
}

// remember tells the torrent what is known now, for a store after this one.
func (s *store) remember(c actor.Context) {
	c.Send(s.Refs.Torrent, &messages.PiecesKnown{Known: s.check.known.Clone(), Have: s.have.Clone()})
}
