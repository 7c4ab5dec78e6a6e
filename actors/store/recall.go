package store

import (
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
// has written. Data that has been cut short since does not count, nor does what
// the store before did not trust any more, whatever the journal says.
//
// Nobody knows what of it has been synced.
func (s *store) recall(check []int) []int {
	if s.before.Known == nil {
		return check
	}
	s.files.watch.loosely = s.before.Doubts > maxDoubts
	known := s.before.Known.Clone()
	for i := range s.before.Stamps {
		if !s.files.watch.same(s.before.Stamps[i], s.found.stamps[i]) {
			setPieces(known, s.Torrent, i, false)
		}
	}
	check = check[:0]
	for i := range uint(s.Torrent.PieceCount()) {
		covered := s.found.covers(s.Torrent, int(i))
		s.have.SetTo(i, known.Test(i) && covered && s.before.Have.Test(i))
		if covered && !known.Test(i) {
			check = append(check, int(i))
		}
	}
	if s.found.base == s.Torrent.PartName() {
		s.unsaved = true
		for i, stamp := range s.found.stamps {
			if stamp != absent {
				s.dirty.Set(uint(i))
			}
		}
	}
	return check
}

// resign tells, when no worker writes any more, that a file is not what it was.
// To take back what peers have been told is not possible, so this store ends, and
// those connections with it.
func (s *store) resign(c actor.Context) {
	m := s.doubt
	if m == nil || s.busy() {
		return
	}
	s.doubt = nil
	known := s.check.known.Clone() // all, by now
	setPieces(known, s.Torrent, m.file, false)
	stale := messages.PiecesKnown{Known: known, Have: s.have.Clone(), Stamps: s.files.watch.stamps()}
	c.Send(s.Refs.Torrent, &messages.DataChanged{Err: m.err, Stale: stale})
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
