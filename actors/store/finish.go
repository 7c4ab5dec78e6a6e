package store

import (
	"errors"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/store/keeper"
	"kouzui/messages"
)

const (
	// saveEvery is the longest time that a verified piece waits to be entered in
	// the journal. If the process is killed, the pieces of this time have to be
	// checked again.
	saveEvery = 10 * time.Second
	// restEvery is the shortest time that a file stays open after its last use;
	// the longest is twice that.
	restEvery = 30 * time.Second
)

// keepUp gives the keeper its next chore. If all data is saved, it answers the
// pending Flushes and reports StoreFinished.
func (s *core) keepUp() {
	due := s.lacking == 0 && !s.finished && !s.arrange && s.keeper.chore == nil
	if due && s.settled() {
		s.finish()
		due = false
	}
	idle := s.queue.Busy() == 0 && (s.queue.Len() == 0 || s.health.failed)
	switch {
	case s.keeper.chore != nil || s.keeper.deliver == nil:
	case s.arrange:
		s.giveArrange()
	case due && s.health.allows():
		s.keep(keeper.Finish)
	case s.unsaved && (s.saveNow || idle && len(s.flushes) > 0):
		s.keep(keeper.Save)
	case s.restNow:
		s.restNow = false
		s.give(&keeper.Chore{Task: keeper.Rest})
	case idle:
		s.flushed(nil)
	}
	if save := &s.out.timers[saveTimer]; s.unsaved && !s.saveNow && !save.running {
		save.start(saveEvery)
	}
}

// saveDue: verified pieces have waited long enough to be entered in the
// journal.
func (s *core) saveDue() {
	s.out.timers[saveTimer].fired()
	s.saveNow = true
}

// restLater sets the timer after which unused files are closed.
func (s *core) restLater() {
	if rest := &s.out.timers[restTimer]; !rest.running && !s.restNow && s.phase != dead {
		rest.start(restEvery)
	}
}

func (s *core) restDue() {
	s.out.timers[restTimer].fired()
	s.restNow = true
}

// keep gives the keeper a Save or Finish.
func (s *core) keep(t keeper.Task) {
	k := &keeper.Chore{
		Task: t, Stamps: s.stamps, Verified: s.have.Clone(),
		Dirty: indices(s.dirty), Doubtful: indices(s.doubtful.Difference(s.dirty)),
	}
	if t == keeper.Finish {
		k.Probe = s.health.take()
		if k.Whole = s.whole(); k.Whole {
			k.Empty = slices.DeleteFunc(s.found.EmptyFiles(), s.files.Layout().Diverted)
		}
	}
	s.dirty.ClearAll()
	s.doubtful.ClearAll()
	s.stamps = nil
	s.unsaved, s.saveNow = false, false
	s.give(k)
}

func indices(set *bitset.BitSet) (all []int) {
	for i := range set.EachSet() {
		all = append(all, int(i))
	}
	return all
}

// back takes the stamps back from the keeper. If the chore failed, it also
// takes back the files that are still to be synced.
func (s *core) back(m *keeper.Chore) {
	s.stamps = m.Stamps
	if m.Err == nil {
		return
	}
	s.unsaved = true // so it is tried again at the next timer or Flush
	for _, i := range m.Dirty {
		s.dirty.Set(uint(i))
	}
	for _, i := range m.Doubtful {
		s.doubtful.Set(uint(i))
	}
}

func (s *core) saved(m *keeper.Chore) {
	if len(m.Dirty) == 0 {
		m.Err = nil // only the journal was not written: this costs no more than a check at the next start, and the folder of a seed may be read-only
	}
	s.back(m)
	switch {
	case errors.Is(m.Err, files.ErrChanged):
		s.flushed(nil) // the journal does not vouch for the changed file, which will be checked
	case m.Err != nil:
		s.flushed(m.Err)
	}
}

// setWanted says which pieces are wanted from now on, and which files.
func (s *core) setWanted(pieces, files *bitset.BitSet) {
	s.Wanted, s.WantedFiles, s.finished = pieces, files, false
	if s.phase == ready {
		s.count()
		s.arrangeLater()
	}
}

// count counts the pieces that are not verified.
func (s *core) count() {
	s.missing = s.Torrent.PieceCount() - int(s.have.Count())
	s.lacking = s.missing
	if s.Wanted != nil {
		s.lacking = int(s.Wanted.DifferenceCardinality(s.have))
	}
}

// whole tells whether nothing of the wanted files is missing. While pieces
// alone were chosen, all files are wanted.
func (s *core) whole() bool {
	return s.missing == 0 || s.lacking == 0 && s.WantedFiles != nil && s.WantedFiles.Any()
}

// settled tells whether nothing is left to be synced, saved or renamed. Data
// that is not whole is not renamed.
func (s *core) settled() bool { return !s.unsaved && (!s.whole() || s.placed) }

func (s *core) finish() {
	s.finished = true
	s.out.Send(s.Refs.Scheduler, &messages.StoreFinished{Have: s.have.Clone()})
}

func (s *core) flushed(err error) {
	for _, m := range s.flushes {
		s.out.Send(m.ReplyTo, &messages.Flushed{Err: err})
	}
	s.flushes = nil
}

// doubted: another process seems to have changed a file. Peers have been told
// that we have its pieces, and this cannot be taken back, so the store ends,
// and all connections with it.
func (s *core) doubted(m *doubted) {
	if s.phase == ready {
		s.phase, s.doubt = dead, m
	}
}

// resign tells the torrent which file was changed, once no hash worker is busy.
func (s *core) resign() {
	m := s.doubt
	if m == nil || s.queue.Busy() > 0 {
		return
	}
	s.doubt = nil
	known := s.check.known.Clone() // all, by now
	s.files.Layout().SetPieces(known, m.file, false)
	stale := messages.PiecesKnown{Known: known, Have: s.have.Clone(), Stamps: s.files.Stamps()}
	s.out.Send(s.Refs.Torrent, &messages.DataChanged{Err: m.err, Stale: stale})
}
