package store

import (
	"fmt"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/files"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/store/resume"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// maxLost is how many keepers may die of one chore before the store fails.
const maxLost = 1

type phase uint8

const (
	starting phase = iota // the keeper looks at the disk; the torrent is asked what earlier stores knew
	checking              // pieces on disk are hashed
	ready
	dead // the store cannot start or cannot go on, and has reported that
)

// core holds what a store knows, and makes its decisions. The shell passes each
// message to a method of core and then calls advance; what the shell has to do
// then is in out.
//
// start.go leads from starting to ready. pieces.go takes blocks and says which
// pieces can be served. finish.go saves the journal, decides when the data is
// finished, and ends the store when another process has changed a file.
type core struct {
	Config // World and Tree are the shell's
	out    effects
	phase  phase
	files  *files.Files
	queue  *hasher.Queue
	keeper struct {
		deliver func(any)     // to its present incarnation; nil until it is ready
		chore   *keeper.Chore // that it has; nil: none
	}

	found  *resume.Found         // nil until the keeper has looked
	free   int64                 // bytes on disk at the start, -1 if unknown
	before *messages.PiecesKnown // what earlier stores of this run knew; nil until the torrent has told
	check  check

	have     *bitset.BitSet     // verified pieces
	missing  int                // pieces that are not verified
	lacking  int                // wanted pieces that are not verified
	arrange  bool               // the layout of the files is to follow WantedFiles as soon as nothing is written
	memory   int64              // bytes, see messages.SetMemory
	plan     world.HashPlan     // with that memory
	assembly *assembly.Assembly // nil until the store is ready
	blame    *assembly.Blame
	spans    []metainfo.Span // scratch of mark

	health health
	doubt  *doubted         // why the store is to end: another process has changed this file
	stamps []messages.Stamp // to be entered in the journal; nil while the keeper has them
	dirty  *bitset.BitSet   // files written to since they were last synced
	// doubtful are files in which a check has found right pieces: the process that
	// wrote them may have been killed before it synced them.
	doubtful *bitset.BitSet
	unsaved  bool // the journal lacks something that is known
	saveNow  bool // the journal is to be saved as soon as the keeper is free
	restNow  bool // unused files are to be closed as soon as the keeper is free
	placed   bool // the data has its final name, and no file is missing
	finished bool // StoreFinished has been sent for the pieces that are wanted now
	flushes  []*messages.Flush
}

// effects are what the shell is to do, in this order.
type effects struct {
	failed error // the store fails with it
	messages.Outbox
	batches []*hasher.Batch // to be sent to hash workers
	chore   bool            // the chore is to be sent to the keeper
	timers  [timers]timer
}

// The timers of a store.
const (
	restTimer = iota
	retryTimer
	gatherTimer
	saveTimer
	timers
)

// timer is one of them, as the core wants it to be.
type timer struct {
	running bool
	after   time.Duration
	changed bool // the shell has not seen it yet
}

func (t *timer) start(after time.Duration) { *t = timer{true, after, true} }
func (t *timer) fired()                    { t.running = false }

func (t *timer) stop() {
	if t.running {
		*t = timer{changed: true}
	}
}

// newCore returns the core of a store with this number of hash workers on a
// machine.
func newCore(cfg Config, f *files.Files, workers int, machine world.Machine) *core {
	s := &core{
		Config: cfg, files: f, queue: hasher.NewQueue(cfg.Torrent, workers, machine), blame: assembly.NewBlame(),
		dirty: bitset.New(uint(len(cfg.Torrent.Files))), doubtful: bitset.New(uint(len(cfg.Torrent.Files))),
	}
	s.setMemory(cfg.Memory)
	s.keeper.chore = &keeper.Chore{Task: keeper.Look}
	return s
}

func (s *core) setMemory(bytes int64) {
	s.memory = bytes
	s.plan = s.queue.SetMemory(bytes)
	if s.assembly != nil {
		s.assembly.Extend = s.plan.Run
	}
}

// end releases everything except the blocks that the hash workers have.
func (s *core) end() {
	s.phase, s.out.failed = dead, nil
	for i := range s.out.timers {
		s.out.timers[i].stop()
	}
	if s.assembly == nil {
		return
	}
	s.assembly.Close()
	for _, j := range s.queue.Close() {
		if j.Task == hasher.Verify {
			s.assembly.Release(j.Piece)
		}
	}
}

// workerReady: a hash worker has started. If an earlier incarnation left
// unfinished jobs, they are sent to it again.
func (s *core) workerReady(m *hasher.Ready) {
	b, err := s.queue.Ready(m)
	s.out.failed = err
	if b != nil {
		s.out.batches = append(s.out.batches, b)
	}
}

// keeperReady: the keeper has started. If an earlier incarnation left an
// unfinished chore, it is sent to the keeper again.
func (s *core) keeperReady(m *keeper.Ready) {
	again := s.keeper.deliver != nil
	s.keeper.deliver = m.Deliver
	k := s.keeper.chore
	if k == nil {
		return
	}
	if again {
		k.Lost++
	}
	if k.Lost > maxLost {
		s.out.failed = fmt.Errorf("%d keepers died of the same chore", k.Lost)
	}
	s.out.chore = true
}

func (s *core) choreDone(m *keeper.Chore) {
	if m != s.keeper.chore {
		return // an earlier incarnation handed it out
	}
	s.keeper.chore = nil
	if s.phase == dead {
		return
	}
	switch m.Task {
	case keeper.Look:
		s.looked(m)
	case keeper.Save:
		s.saved(m)
	case keeper.Finish:
		s.back(m)
		if s.report(m.Err, m.Probe) && m.Whole {
			s.placed = true
		}
	case keeper.Rest:
		if m.Open {
			s.restLater()
		}
	case keeper.Arrange:
		s.arranged(m)
	}
}

// give hands the keeper a chore.
func (s *core) give(m *keeper.Chore) { s.keeper.chore, s.out.chore = m, true }

func (s *core) jobDone(j *hasher.Job, now time.Time) {
	switch {
	case !s.queue.Returned(j): // an earlier incarnation handed it out
		j.Release()
		return
	case s.phase == dead:
		s.queue.Retry(j) // to be released with the others at the end
		return
	case j.Task == hasher.Check:
		s.checked(j)
	case !s.report(j.Err, j.Probe):
		s.queue.Retry(j)
		return
	case j.Task == hasher.Spill:
		s.mark(s.dirty, j.Piece.Index)
		s.spilled(j, now)
	case j.Good:
		s.mark(s.dirty, j.Piece.Index)
		s.verified(j, now)
	default:
		s.corrupt(j)
	}
	s.queue.Reuse(j)
}

// advance decides what can be done now. The shell calls it after every message.
func (s *core) advance() {
	if s.out.failed != nil {
		return
	}
	s.spill()
	s.dispatch()
	if s.phase == checking {
		s.concludeCheck()
	}
	if s.phase == ready {
		s.keepUp()
	} else {
		s.resign()
		s.flushed(nil) // there is nothing to save yet
	}
}

// dispatch gives batches to the hash workers that have nothing to do.
func (s *core) dispatch() {
	gather := &s.out.timers[gatherTimer]
	for s.phase == checking || s.phase == ready && !s.arranging() && s.health.allows() {
		b := s.queue.Next(s.health.failed, len(s.flushes) > 0 || s.crowded())
		if !s.queue.Waiting {
			gather.stop()
		} else if !gather.running {
			gather.start(hasher.MaxWait)
		}
		if b == nil {
			return
		}
		if s.phase == ready {
			b.Jobs[0].Probe = s.health.take()
		}
		s.out.batches = append(s.out.batches, b)
	}
}

// gatherDue: the whole pieces have waited long enough for others to be hashed
// beside them.
func (s *core) gatherDue() {
	s.out.timers[gatherTimer].fired()
	s.queue.WaitedEnough()
}

// crowded tells whether waiting for more whole pieces, or for runs of large
// ones, is pointless: the whole pieces are the last lacking ones, or what waits
// nearly fills the memory together with the unfinished pieces, so that few
// blocks will arrive before some are written. Runs do not wait either when an
// eighth of the memory has arrived that did not become a run, but do wait for a
// worker that is busy: the pieces whose runs it writes have the next ones.
func (s *core) crowded() bool {
	if s.assembly == nil {
		return false
	}
	held := s.assembly.Memory
	if s.plan.Run > 0 {
		return s.queue.Busy() == 0 && (s.queue.Whole >= s.lacking || held > s.memory/8)
	}
	return s.queue.Whole >= s.lacking || held+s.queue.Bytes >= s.memory*3/4
}

// mark adds to files those that a piece lies in.
func (s *core) mark(files *bitset.BitSet, piece int) {
	layout := s.files.Layout()
	s.spans = layout.AppendPieceSpans(s.spans[:0], piece)
	for _, span := range s.spans {
		if !layout.Padding(span.File) {
			files.Set(uint(span.File))
		}
	}
}

func (s *core) tellBoth(m any) {
	s.out.Send(s.Refs.Scheduler, m)
	s.out.Send(s.Refs.Torrent, m)
}
