package store

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
)

// check is the state of reading and hashing what was found.
type check struct {
	pieces []int // to be checked
	next   int   // of pieces
	done   int
	known  *bitset.BitSet
	err    error // the data may not be read at all
}

// looked: the keeper has opened the folder and knows what is in it.
func (s *store) looked(c actor.Context, m *chore) {
	if m.err != nil {
		s.cannotStart(c, m.err)
		return
	}
	s.found, s.free = m.found, m.free
	s.orient(c)
}

// orient begins the check of what is in doubt, once the disk has been looked at
// and the torrent has been asked.
func (s *store) orient(c actor.Context) {
	if s.phase != starting || s.found == nil || s.before == nil {
		return
	}
	have, pieces, err := s.found.plan(s.Torrent, s.Check, s.MustExist)
	if err != nil {
		s.cannotStart(c, err)
		return
	}
	s.have = have
	pieces = s.recall(pieces)
	s.check = check{pieces: pieces, known: s.unchecked(pieces)}
	s.phase = checking
}

// cannotStart: nothing can be done here before the user has done something.
func (s *store) cannotStart(c actor.Context, err error) {
	s.phase = dead
	s.tellBoth(c, &messages.StoreFailed{Err: err, Full: isFull(err), Fatal: true})
}

// checkMemory is for what all workers read at a time, in bytes: 256 KiB of each
// piece with two workers. More makes nothing faster.
const checkMemory = 4 << 20

// nextCheck takes as many pieces as can be hashed side by side, but leaves some
// to the other workers. Turning from one to the next costs a hard disk a seek, so
// they are read in long parts, with some of the memory that is otherwise for what
// is downloaded.
func (s *store) nextCheck() *job {
	left := s.check.pieces[s.check.next:]
	if len(left) == 0 || s.check.err != nil {
		return nil
	}
	n := 1
	if s.least() <= digest.Lanes {
		n = min(digest.Lanes, (len(left)+len(s.slots)-1)/len(s.slots))
	}
	j := s.newJob(taskCheck, left[0])
	j.pieces = left[:n]
	j.each = int(max(1, min(window, min(s.memory/2, checkMemory)/int64(n*len(s.slots))/buffer.Size)))
	s.check.next += n
	return j
}

func (s *store) checked(c actor.Context, j *job) {
	before := s.check.done
	s.check.done += len(j.pieces)
	if j.err != nil {
		s.check.err = j.err
	} else {
		for i, piece := range j.pieces {
			s.have.SetTo(uint(piece), j.has[i])
			s.check.known.Set(uint(piece))
			if j.has[i] {
				s.mark(s.doubtful, piece)
			}
		}
	}
	total := len(s.check.pieces)
	if step := max(total/200, 1); s.check.done/step > before/step || s.check.done == total {
		c.Send(s.Refs.Scheduler, &messages.StoreChecking{Done: s.check.done, Total: total})
		s.remember(c)
	}
}

// concludeCheck opens the store once it knows what is there.
func (s *store) concludeCheck(c actor.Context) {
	switch {
	case s.busy():
		return
	case s.check.err != nil:
		s.cannotStart(c, s.check.err)
		return
	case s.check.done < len(s.check.pieces):
		return
	}
	if !s.MustExist && s.have.None() && !s.found.ours(s.Torrent) {
		s.cannotStart(c, fmt.Errorf("%s: %w", s.found.base, ErrForeign))
		return
	}
	s.lacking = s.Torrent.PieceCount() - int(s.have.Count())
	if need := s.found.missing(s.Torrent, s.have); s.lacking > 0 && !s.MustExist && s.free >= 0 && need > s.free {
		s.cannotStart(c, noRoom(need, s.free))
		return
	}
	s.phase = ready
	s.remember(c)
	s.stamps = s.found.stamps
	s.assembly = newAssembly(s.Torrent, s.Pool, s.have)
	s.setMemory(s.memory)
	whole := s.lacking == 0 && s.found.base == s.Torrent.Name && (s.MustExist || s.found.whole(s.Torrent))
	// A check is not to be made twice, and data in use under its final name has to
	// be known as ours. Where nothing was looked at, nothing is known: a journal
	// would make the next start believe that nothing is there.
	if s.check.done > 0 || s.found.exists && s.found.journal == nil && s.Check != messages.CheckNone {
		s.unsaved, s.saveDue = true, true
	}
	c.Send(s.Refs.Scheduler, &messages.StoreReady{Have: s.have.Clone(), Checked: s.check.done, Complete: whole})
	if whole {
		s.tellFinished(c)
	}
}
