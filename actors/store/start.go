package store

import (
	"fmt"

	"github.com/bits-and-blooms/bitset"
	"github.com/dustin/go-humanize"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/files"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/world"
	"kouzui/messages"
)

// check is the progress of hashing the pieces that were found on disk.
type check struct {
	total int            // pieces to be hashed
	done  int            // of them
	known *bitset.BitSet // pieces of which it is known whether they are right
	blank *bitset.BitSet // pieces that were found to be zeros
	// filled are pieces that were found to have no block of zeros.
	filled *bitset.BitSet
	err    error // the data cannot be read at all
}

// looked: the keeper has opened the folder and knows what is in it.
func (s *core) looked(m *keeper.Chore) {
	if m.Err != nil {
		s.cannotStart(m.Err)
		return
	}
	s.found, s.free = m.Found, m.Free
	s.orient()
}

// recalled: the torrent has told what earlier stores of this run knew.
func (s *core) recalled(m *messages.PiecesKnown) {
	if s.before == nil {
		s.before = m
		s.orient()
	}
}

// orient begins the check, once the keeper has looked and the torrent has
// answered.
func (s *core) orient() {
	if s.phase != starting || s.found == nil || s.before == nil {
		return
	}
	have, check, err := s.found.Plan(s.Check, s.MustExist, s.Force)
	if err != nil {
		s.cannotStart(err)
		return
	}
	if s.before.Known != nil {
		s.files.SetDoubts(s.before.Doubts)
		have, check = s.found.Recall(s.before, s.files.Same)
		s.suspectUnsynced()
	}
	s.have = have
	s.check.total, s.check.known = len(check), bitset.New(uint(s.Torrent.PieceCount()))
	s.check.blank = bitset.New(uint(s.Torrent.PieceCount()))
	s.check.filled = bitset.New(uint(s.Torrent.PieceCount()))
	s.check.known.FlipRange(0, s.check.known.Len())
	for _, i := range check {
		s.check.known.Clear(uint(i))
	}
	s.queue.Check(check)
	s.phase = checking
}

// suspectUnsynced has all files of partial data synced before the journal
// vouches for them, as it is not known which of them an earlier store has
// synced.
func (s *core) suspectUnsynced() {
	if s.found.Named() {
		return
	}
	s.unsaved = true
	for i, stamp := range s.found.Stamps {
		if stamp != files.Absent {
			s.dirty.Set(uint(i))
		}
	}
}

// cannotStart reports that the store cannot start until the user has removed
// the cause.
func (s *core) cannotStart(err error) {
	s.phase = dead
	s.tellBoth(&messages.StoreFailed{Err: err, Full: isFull(err), Fatal: true})
}

// progressSteps is how often StoreChecking is sent in a check, at most.
const progressSteps = 200

func (s *core) checked(j *hasher.Job) {
	before := s.check.done
	s.check.done += len(j.Pieces)
	if j.Err != nil {
		s.check.err = j.Err
		s.queue.Check(nil)
	} else {
		for i, piece := range j.Pieces {
			s.have.SetTo(uint(piece), j.Right[i])
			s.check.known.Set(uint(piece))
			s.check.blank.SetTo(uint(piece), j.Blank[i])
			s.check.filled.SetTo(uint(piece), j.Filled[i])
			if j.Right[i] {
				s.mark(s.doubtful, piece)
			}
		}
	}
	if step := max(s.check.total/progressSteps, 1); s.check.done/step > before/step || s.check.done == s.check.total {
		s.out.Send(s.Refs.Scheduler, &messages.StoreChecking{Done: s.check.done, Total: s.check.total})
		s.remember()
	}
}

// remember tells the torrent which pieces are known to be right or wrong, so
// that a store started after this one need not check them.
func (s *core) remember() {
	s.out.Send(s.Refs.Torrent, &messages.PiecesKnown{Known: s.check.known.Clone(), Have: s.have.Clone()})
}

// concludeCheck makes the store ready once all pieces on disk are hashed.
func (s *core) concludeCheck() {
	switch {
	case s.queue.Busy() > 0:
		return
	case s.check.err != nil:
		s.cannotStart(s.check.err)
		return
	case s.check.done < s.check.total:
		return
	}
	if !s.MustExist && !s.Force {
		if err := s.found.Ours(s.have, s.check.blank, s.check.filled); err != nil {
			s.cannotStart(err)
			return
		}
	}
	s.count()
	if need := s.found.Missing(s.have, s.Wanted); s.lacking > 0 && !s.MustExist && s.free >= 0 && need > s.free {
		s.cannotStart(noRoom(need, s.free))
		return
	}
	s.phase = ready
	s.remember()
	s.stamps = s.found.Stamps
	s.assembly = assembly.New(s.Torrent, s.Pool, s.have)
	s.setMemory(s.memory)
	s.arrangeLater()
	s.placed = !s.arrange && s.found.Named() && (s.MustExist || s.found.Full())
	// A journal is written so that a check is not made twice, and so that data
	// under its final name is known to be ours. Where nothing was checked no
	// journal is written: by it, the next start would believe that no piece is
	// there.
	if s.check.done > 0 || s.found.Untold() && s.Check != messages.CheckNone {
		s.unsaved, s.saveNow = true, true
	}
	whole := s.missing == 0 && s.placed
	complete := whole || s.lacking == 0 && !s.arrange && s.settled()
	s.out.Send(s.Refs.Scheduler, &messages.StoreReady{Have: s.have.Clone(), Checked: s.check.done, Complete: complete})
	if complete {
		s.finish()
	}
}

func noRoom(need, free int64) error {
	return fmt.Errorf("not enough room for the download: %s needed, %s free: %w",
		humanize.IBytes(uint64(need)), humanize.IBytes(uint64(free)), world.ErrFull)
}
