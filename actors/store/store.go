// Package store is the actor that owns one torrent's data: what is on disk, and
// the pieces that are on their way there.
//
// It puts blocks together to pieces in memory, has its workers hash each whole
// piece and write it at once, and tells the scheduler which pieces are right.
// Nothing is written as verified before its hash is known, nothing is ever cut
// short, and what is found on disk counts only if its hash, or a journal that
// still fits it, says so. When everything is there and has been synced, the data
// takes its final name; names.go tells which names there are.
//
// The store itself never waits for the disk: its workers and its keeper do, so
// that QueryServable is answered at once, whatever else is going on.
package store

import (
	"cmp"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

const (
	// saveEvery is how long a verified piece waits to be entered in the journal.
	saveEvery = 10 * time.Second
	// restEvery is how long a file is open at least, and at most twice that, after
	// it was used.
	restEvery = 30 * time.Second
	// retryFirst and retryMost bound the wait before the disk is tried again.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// maxLost is how many workers a job may cost before it is the store that fails.
	maxLost = 1

	maxWorkers  = 4
	keeperIndex = -1
)

// Config is what a store is built from.
type Config struct {
	World   *world.World
	Tree    *supervise.Tree
	Refs    messages.Refs
	Torrent *metainfo.Torrent
	Memory  int64  // bytes of payload at a time, until SetMemory
	Dir     string // where the torrent's file or folder lies
	Check   messages.CheckMode
	// MustExist: what is not there is an error (fs.ErrNotExist), not a download.
	MustExist   bool
	HashWorkers int // 0: one for each processor of the world's machine, up to 4
	Pool        *buffer.Pool
}

// New returns a store.
func New(cfg Config) actor.Actor { return &store{Config: cfg} }

type phase uint8

const (
	starting phase = iota
	checking
	ready
	dead // it cannot start, or go on; it said so
)

type store struct {
	Config
	phase  phase
	files  *files
	source *source

	slots  []slot // the hash workers
	keeper keeperSlot

	found   *found
	before  *messages.PiecesKnown // by stores before this one; nil until the torrent has told
	stamps  []messages.Stamp      // as far as the journal knows; nil while the keeper has them
	have    *bitset.BitSet
	lacking int   // pieces that are not verified
	free    int64 // bytes on disk at the start, -1 if unknown
	spans   []metainfo.Span

	check check

	assembly  *assembly
	blame     *blame
	gather    gather
	gathering world.Timer // nil: no piece waits for others
	memory    int64       // bytes, see SetMemory
	jobs      []*job      // in order; those that could not be written come first
	spare     []*job

	health health
	doubt  *doubted       // why it ends
	dirty  *bitset.BitSet // files written to since they were last synced
	// doubtful are files in which a check has found good pieces: whoever wrote
	// them may have been killed before they were synced.
	doubtful *bitset.BitSet
	unsaved  bool // the journal does not say all that is known
	saveDue  bool
	saving   world.Timer
	resting  world.Timer // nil: no file is open, or restDue
	restDue  bool
	finished bool
	flushes  []*actor.PID
}

// doubted: whoever reads or writes files to the store. A file is not what it was.
type doubted struct {
	file int
	err  error
}

func (*doubted) IgnoreDeadLetterLogging() {}

// stirred: whoever opens a file to the store, which had none open.
type stirred struct{}

func (*stirred) IgnoreDeadLetterLogging() {}

// gathered, saveNow, restNow and retryNow: the store's timers to itself.
type (
	gathered struct{}
	saveNow  struct{}
	restNow  struct{}
	retryNow struct{}
)

func (s *store) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.begin(c)
	case *actor.Restarting, *actor.Stopping:
		s.end()
	case *actor.Terminated:
		if s.phase != dead { // else they end with the store
			supervise.Fail(fmt.Errorf("store: %s has ended", m.Who.GetId()))
		}

	case *workerReady:
		if m.owner == s {
			s.workerReady(c, m)
		}
	case *chore:
		if m.owner == s {
			s.choreDone(c, m)
		}
	case *job:
		if m.owner == s {
			s.jobDone(c, m)
		}

	case *doubted:
		if s.phase == ready {
			s.phase, s.doubt = dead, m
		}
	case *messages.PiecesKnown:
		s.recalled(c, m)
	case *messages.StoreBlocks:
		s.storeBlocks(m)
	case *messages.DropPiece:
		s.dropPiece(c, m.Piece)
	case *messages.QueryServable:
		s.leasePieces(c, m)
	case *messages.SetMemory:
		s.setMemory(m.Bytes)
	case *messages.Flush:
		s.flushes = append(s.flushes, m.ReplyTo)
	case *saveNow:
		s.saving, s.saveDue = nil, true
	case *stirred:
		s.restLater(c)
	case *restNow:
		s.resting, s.restDue = nil, true
	case *gathered:
		s.gathering, s.gather.due = nil, true
	case *retryNow:
		s.health.probing, s.health.timer = true, nil
	default:
		return
	}
	s.advance(c)
}

func (s *store) begin(c actor.Context) {
	deliver := supervise.Deliver(c)
	s.files = newFiles(s.Torrent, openFiles,
		func(file int, err error) { deliver(&doubted{file, err}) },
		func() { deliver(&stirred{}) })
	s.source = &source{s.files}
	s.setMemory(s.Memory)
	s.blame = newBlame()
	s.dirty = bitset.New(uint(len(s.Torrent.Files)))
	s.doubtful = bitset.New(uint(len(s.Torrent.Files)))
	c.Send(s.Refs.Torrent, &messages.QueryKnownPieces{ReplyTo: c.Self()})
	s.keeper.chore = &chore{owner: s, task: choreLook}
	s.spawn(c, "keeper", func() actor.Actor {
		return &keeper{owner: s, disk: s.World.Disk, dir: s.Dir, alone: !s.MustExist, files: s.files, torrent: s.Torrent}
	})
	workers := cmp.Or(s.HashWorkers, min(cmp.Or(s.World.Machine.Processors, runtime.GOMAXPROCS(0)), maxWorkers))
	s.slots = make([]slot, workers)
	for i := range s.slots {
		s.spawn(c, "hash-"+strconv.Itoa(i), func() actor.Actor {
			return &worker{owner: s, index: i, files: s.files, torrent: s.Torrent, pool: s.Pool, digests: s.World.Digest}
		})
	}
}

func (s *store) setMemory(bytes int64) {
	s.memory = bytes
	s.gather.most = together(bytes, s.Torrent.PieceLength, s.least())
	if s.assembly != nil {
		s.assembly.extend = extent(s.gather.most, s.Torrent.PieceLength)
	}
}

// least is from how many pieces on they are hashed side by side.
func (s *store) least() int { return cmp.Or(s.World.Machine.Together, digest.Least()) }

func (s *store) spawn(c actor.Context, name string, producer actor.Producer) {
	kind, _, _ := strings.Cut(name, "-")
	if _, err := c.SpawnNamed(s.Tree.Props(kind, producer, supervise.Blocking()), name); err != nil {
		panic(err)
	}
}

// end lets everything go that no worker has in its hands.
func (s *store) end() {
	s.phase = dead
	s.health.stop()
	for _, t := range []world.Timer{s.saving, s.resting, s.gathering} {
		if t != nil {
			t.Stop()
		}
	}
	if s.assembly != nil {
		s.assembly.close()
		for _, j := range s.jobs {
			if j.task == taskPiece {
				s.assembly.release(j.part)
			}
		}
		s.jobs = nil
	}
	if s.files != nil {
		s.files.close()
	}
}

func (s *store) choreDone(c actor.Context, m *chore) {
	s.keeper.chore = nil
	if s.phase == dead {
		return
	}
	switch m.task {
	case choreLook:
		s.looked(c, m)
	case choreSave:
		s.saved(c, m)
	case choreFinish:
		s.moved(c, m)
	case choreRest:
		if m.open {
			s.restLater(c)
		}
	}
}

// advance gives out what can be done now. It runs after every message.
func (s *store) advance(c actor.Context) {
	s.spill()
	s.dispatch(c)
	if s.phase == checking {
		s.concludeCheck(c)
	}
	if s.phase == ready {
		s.keepUp(c)
	} else {
		s.resign(c)
		s.flushed(c, nil) // nothing is known yet that should be kept
	}
}
