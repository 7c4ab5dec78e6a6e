package store

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/store/files"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// place writes the content, or what change makes of it, as data called base.
func place(tb testing.TB, s *storetest.Sample, disk world.Disk, dir, base string, change func(content []byte)) {
	tb.Helper()
	content := append([]byte(nil), s.Content...)
	if change != nil {
		change(content)
	}
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		tb.Fatal(err)
	}
	f := files.New(s.Torrent, 8, func(_ int, err error) { tb.Error(err) }, func() {})
	defer f.Close()
	absent := slices.Repeat([]messages.Stamp{files.Absent}, len(s.Files))
	if err := f.Attach(folder, func() {}, s.Torrent, base, files.NewLayout(s.Torrent), absent); err != nil {
		tb.Fatal(err)
	}
	for i, file := range s.Files {
		if file.Length == 0 && !file.Padding {
			if err := f.Make(i); err != nil {
				tb.Fatal(err)
			}
		}
	}
	f.Transfer(files.Write, [][]byte{content}, 0, func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	})
}

// rig is a store whose scheduler and torrent are probes.
type rig struct {
	testing.TB
	*storetest.Sample
	tree      *supervise.Tree
	pool      *buffer.Pool
	root      *actor.PID
	store     *actor.PID
	scheduler *actor.PID
	heard     chan any // by the scheduler, and by actors that sent a query
	torrent   chan any // by the torrent
	stopped   bool
}

// noPanics fails the test if an actor panics while it ends: then it may not
// have let go of what it held.
type noPanics struct{ testing.TB }

func (n noPanics) Record(e *event.Event) {
	if e.Kind == event.Note && e.Note == event.NotePanic {
		n.Errorf("%s panics on its way out: %s", e.Actor, e.Reason)
	}
}

type option func(*Config)

func newRig(tb testing.TB, w *world.World, s *storetest.Sample, dir string, options ...option) *rig {
	tb.Helper()
	return newRigAfter(tb, &messages.PiecesKnown{}, w, s, dir, options...)
}

// newRigAfter is newRig for a torrent that remembers what an earlier store
// knew.
func newRigAfter(tb testing.TB, known *messages.PiecesKnown, w *world.World, s *storetest.Sample, dir string, options ...option) *rig {
	tb.Helper()
	system := supervise.NewSystem(zerolog.Nop())
	r := &rig{TB: tb, Sample: s, pool: buffer.NewPool(4096), heard: make(chan any, 100_000), torrent: make(chan any, 100_000)}
	r.tree = supervise.New(supervise.Config{System: system, Clock: w.Clock, Chance: w.Chance, Sinks: []event.Sink{noPanics{tb}}})
	cfg := Config{
		World: w, Tree: r.tree, Torrent: s.Torrent, Memory: 32 << 20, Dir: dir, Check: messages.CheckAuto,
		HashWorkers: 2, Pool: r.pool,
	}
	for _, o := range options {
		o(&cfg)
	}
	spawned := make(chan *actor.PID, 2)
	var once sync.Once
	probe := func(heard chan any) *actor.Props {
		known := known // one for each probe, kept across its restarts
		return r.tree.Props("probe", func() actor.Actor {
			return actor.ReceiveFunc(func(c actor.Context) {
				switch m := c.Message().(type) {
				case actor.SystemMessage, actor.AutoReceiveMessage:
				case *messages.QueryKnownPieces:
					c.Send(m.ReplyTo, known)
				case *messages.PiecesKnown:
					known = m
				case *messages.DataChanged:
					known = &m.Stale
					heard <- m
				case *messages.PieceVerified:
					if known.Have != nil {
						known = &messages.PiecesKnown{Known: known.Known.Clone().Set(uint(m.Piece)), Have: known.Have.Clone().Set(uint(m.Piece))}
					}
					heard <- m
				default:
					heard <- m
				}
			})
		})
	}
	ofScheduler, ofTorrent := probe(r.heard), probe(r.torrent)
	root, err := r.tree.Spawn("engine", r.tree.Props("engine", func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); !ok {
				return
			}
			scheduler, _ := c.SpawnNamed(ofScheduler, "scheduler")
			torrent, _ := c.SpawnNamed(ofTorrent, "torrent")
			cfg.Refs = messages.Refs{Scheduler: scheduler, Torrent: torrent}
			store, _ := c.SpawnNamed(r.tree.Props("store", func() actor.Actor { return New(cfg) }), "store")
			once.Do(func() {
				spawned <- scheduler
				spawned <- store
			})
		})
	}, supervise.WithStrategy(supervise.Escalate)), supervise.DefaultBackoff) // as an engine and its torrent do
	if err != nil {
		tb.Fatal(err)
	}
	r.root, r.scheduler, r.store = root, <-spawned, <-spawned
	tb.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	if err := r.tree.Shutdown(context.Background(), r.root); err != nil {
		r.Error(err)
	}
}

func (r *rig) tell(m any) { r.tree.System.Root.Send(r.store, m) }

// settle waits until the store has handled all messages sent to it so far.
func (r *rig) settle() {
	r.Helper()
	if _, err := r.tree.System.Root.RequestFuture(r.store, &actor.Touch{}, -1).Result(); err != nil {
		r.Fatal(err)
	}
}

// await returns the next T that the scheduler hears, and drops what it hears
// before. A StoreFailed that is not awaited fails the test.
func await[T any](r *rig) T {
	r.Helper()
	for m := range r.heard {
		if want, ok := m.(T); ok {
			return want
		}
		if failed, ok := m.(*messages.StoreFailed); ok {
			r.Fatalf("waiting for %T: the store failed: %v", *new(T), failed.Err)
		}
	}
	panic("unreachable")
}

// send sends blocks as a peer does, with their bytes or what spoil makes of
// them.
func (r *rig) send(key messages.PeerKey, spoil func([]byte), blocks ...messages.Block) {
	m := &messages.StoreBlocks{Key: key}
	for _, b := range blocks {
		data := r.pool.Fit(int(b.Length))
		copy(data.Bytes(), r.Bytes(b))
		if spoil != nil {
			spoil(data.Bytes())
		}
		m.Blocks = append(m.Blocks, messages.StoredBlock{Block: b, Data: data})
	}
	r.tell(m)
}

func (r *rig) sendAll() {
	for i := range r.PieceCount() {
		r.send(1, nil, r.Blocks(i)...)
	}
}

// flush sends Flush and waits for the answer.
func (r *rig) flush() error {
	r.tell(&messages.Flush{ReplyTo: r.scheduler})
	return await[*messages.Flushed](r).Err
}

// want compares the files of the data called base with the content.
func (r *rig) want(disk world.Disk, dir, base string) {
	r.Helper()
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		r.Fatal(err)
	}
	defer folder.Close()
	for i, f := range r.Files {
		if f.Padding {
			continue
		}
		got, err := folder.ReadFile(files.NameIn(r.Torrent, base, i), 1<<30)
		if err != nil {
			r.Error(err)
		} else if string(got) != string(r.Content[f.Offset:f.Offset+f.Length]) {
			r.Errorf("%s is not what it should be", files.NameIn(r.Torrent, base, i))
		}
	}
}

// noLeaks checks that no goroutine is left behind.
func noLeaks(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

func (r *rig) wantNoBlocks() {
	r.Helper()
	if live := r.pool.Stats().Live; live != 0 {
		r.Errorf("%d blocks are not released", live)
	}
}

func newWorld() *fake.World { return fake.New(1) }
