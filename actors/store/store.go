// Package store is the actor that owns one torrent's data: what is on disk, and
// the pieces that are on their way there.
//
// It puts blocks together to pieces in memory, has each whole piece hashed and
// written at once, and tells the scheduler which pieces are right. Nothing is
// written as verified before its hash is known, no file is ever cut short, and
// what is found on disk counts only if its hash says so, or a journal that fits
// it. When all pieces are there and synced, the data takes its final name;
// which names there are is told in wire/metainfo/names.go.
//
// The store itself never waits for the disk: its hash workers and its keeper
// do, so that it answers QueryServable at once, whatever else is going on.
//
// This file carries messages; what the store decides is in core.go. Below it
// are assembly (blocks to pieces), hasher (pieces to hashes), keeper (all that
// concerns the data as a whole), resume (what counts at the start) and files
// (the files themselves).
package store

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/store/files"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// maxWorkers is how many hash workers there are at most: more only wait for the
// same disk.
const maxWorkers = 4

// Config is what a store is built from.
type Config struct {
	World   *world.World
	Tree    *supervise.Tree
	Refs    messages.Refs
	Torrent *metainfo.Torrent
	Memory  int64          // bytes of payload at a time, until SetMemory
	Wanted  *bitset.BitSet // pieces, until SetWanted; nil: all
	// WantedFiles are those that are made, until SetWanted; nil: all.
	WantedFiles *bitset.BitSet
	Dir         string // folder of the torrent's file, or of its folder of files
	Check       messages.CheckMode
	// MustExist: the data is there to be seeded. It is an error if it is not
	// (fs.ErrNotExist), and nothing is downloaded.
	MustExist bool
	// Force: what cannot be shown to be the torrent's is overwritten, and moved.
	Force       bool
	HashWorkers int // 0: one for each processor of the world's machine, up to 4
	Pool        *buffer.Pool
}

// New returns a store. When it fails, its supervisor has to fail too. If it is
// restarted because a sibling failed, its mailbox stays: it drops the jobs and
// chores that an earlier incarnation has handed out.
func New(cfg Config) actor.Actor { return &store{Config: cfg} }

type store struct {
	Config
	core   *core
	files  *files.Files
	timers [timers]supervise.Timer
}

// doubted: Files to the store. Somebody else seems to have changed a file.
type doubted struct {
	file int
	err  error
}

func (*doubted) IgnoreDeadLetterLogging() {}

// filesOpened: Files to the store. A file was opened when none was open.
type filesOpened struct{}

func (*filesOpened) IgnoreDeadLetterLogging() {}

// What the store's timers send to it.
type (
	restDue   struct{}
	retryDue  struct{}
	gatherDue struct{}
	saveDue   struct{}
)

func (s *store) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.begin(c)
	case *actor.Restarting, *actor.Stopping:
		if s.core == nil {
			return // it has failed before it began
		}
		s.core.end()
		s.files.Close()
	case *actor.Terminated:
		if s.core.phase != dead { // else they end with the store
			supervise.Fail(fmt.Errorf("store: %s has ended", m.Who.GetId()))
		}

	case *hasher.Ready:
		s.core.workerReady(m)
	case *hasher.Job:
		s.core.jobDone(m, s.World.Clock.Now())
	case *keeper.Ready:
		s.core.keeperReady(m)
	case *keeper.Chore:
		s.core.choreDone(m)

	case *messages.PiecesKnown:
		s.core.recalled(m)
	case *messages.StoreBlocks:
		s.core.storeBlocks(m, s.World.Clock.Now())
	case *messages.DropPiece:
		s.core.dropPiece(m.Piece)
	case *messages.QueryServable:
		s.core.queryServable(m)
	case *messages.QueryContent:
		s.core.queryContent(m)
	case *messages.SetMemory:
		s.core.setMemory(m.Bytes)
	case *messages.SetWanted:
		s.core.setWanted(m.Pieces, m.Files)
	case *messages.Flush:
		s.core.flushes = append(s.core.flushes, m)

	case *doubted:
		s.core.doubted(m)
	case *filesOpened:
		s.core.restLater()
	case *restDue:
		s.core.restDue()
	case *retryDue:
		s.core.retryDue()
	case *gatherDue:
		s.core.gatherDue()
	case *saveDue:
		s.core.saveDue()
	default:
		return
	}
	s.core.advance()
	s.carryOut(c)
}

func (s *store) begin(c actor.Context) {
	deliver := supervise.Deliver(c)
	s.files = files.New(s.Torrent, files.MaxOpen,
		func(file int, err error) { deliver(&doubted{file, err}) },
		func() { deliver(&filesOpened{}) })
	workers := cmp.Or(s.HashWorkers, min(cmp.Or(s.World.Machine.Processors, dispatch.Processors()), maxWorkers))
	s.core = newCore(s.Config, s.files, workers, s.World.Machine)
	c.Send(s.Refs.Torrent, &messages.QueryKnownPieces{ReplyTo: c.Self()})
	s.spawn(c, "keeper", "keeper", func() actor.Actor {
		return keeper.New(keeper.Config{
			Disk: s.World.Disk, Dir: s.Dir, Files: s.files, Torrent: s.Torrent, MayBeReadOnly: s.MustExist, Force: s.Force,
		})
	})
	for i := range workers {
		s.spawn(c, "hash", "hash-"+strconv.Itoa(i), func() actor.Actor {
			return hasher.New(hasher.Config{
				Index: i, Files: s.files, Torrent: s.Torrent, Pool: s.Pool, Digest: s.World.Digest,
			})
		})
	}
}

func (s *store) spawn(c actor.Context, kind, name string, producer actor.Producer) {
	if _, err := c.SpawnNamed(s.Tree.Props(kind, producer, supervise.Blocking()), name); err != nil {
		panic(err)
	}
}

// carryOut does what the core has decided.
func (s *store) carryOut(c actor.Context) {
	out := &s.core.out
	if out.failed != nil {
		supervise.Fail(fmt.Errorf("store: %w", out.failed))
	}
	out.Flush(c.Send)
	for i, b := range out.batches {
		b.Hand()
		out.batches[i] = nil
	}
	out.batches = out.batches[:0]
	if out.chore {
		out.chore = false
		s.core.keeper.deliver(s.core.keeper.chore)
	}
	for i := range out.timers {
		if t := &out.timers[i]; t.changed {
			t.changed = false
			s.setTimer(c, i, t)
		}
	}
}

func (s *store) setTimer(c actor.Context, i int, t *timer) {
	due := [timers]any{restTimer: &restDue{}, retryTimer: &retryDue{}, gatherTimer: &gatherDue{}, saveTimer: &saveDue{}}[i]
	switch set := &s.timers[i]; {
	case !t.running:
		set.Stop()
	case i == restTimer: // all torrents close files at the same moments
		set.SetAtNext(c, s.World.Clock, t.after, due)
	default:
		set.SetAfter(c, s.World.Clock, t.after, due)
	}
}
