package store

import (
	"context"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// sample is a torrent with its content.
type sample struct {
	*metainfo.Torrent
	content []byte
}

// newSample makes a torrent of random content; one length means a single file.
func newSample(tb testing.TB, pieceLength int64, lengths ...int64) *sample {
	tb.Helper()
	s := &sample{}
	spec := metainfo.Spec{Name: "data", PieceLength: pieceLength, Single: len(lengths) == 1}
	for i, n := range lengths {
		f := metainfo.FileSpec{Path: []string{fmt.Sprintf("dir%d", i%3), fmt.Sprintf("file%d", i)}, Length: n}
		if spec.Single {
			f.Path = nil
		}
		spec.Files = append(spec.Files, f)
		s.content = append(s.content, make([]byte, n)...)
	}
	rnd := rand.NewChaCha8([32]byte{byte(len(lengths)), byte(pieceLength)})
	rnd.Read(s.content)
	spec.Pieces = sumsOf(s.content, pieceLength)
	raw, err := metainfo.Encode(spec)
	if err != nil {
		tb.Fatal(err)
	}
	if s.Torrent, err = metainfo.Parse(raw); err != nil {
		tb.Fatal(err)
	}
	return s
}

func sumsOf(content []byte, pieceLength int64) (sums []byte) {
	for off := int64(0); off < int64(len(content)); off += pieceLength {
		sum := sha1.Sum(content[off:min(off+pieceLength, int64(len(content)))])
		sums = append(sums, sum[:]...)
	}
	return sums
}

// bytes of a block.
func (s *sample) bytes(b messages.Block) []byte {
	off := int64(b.Piece)*s.PieceLength + int64(b.Begin)
	return s.content[off : off+int64(b.Length)]
}

// blocks of a piece, as requests cut it.
func (s *sample) blocks(piece int) (blocks []messages.Block) {
	size := s.PieceSize(piece)
	for begin := int64(0); begin < size; begin += buffer.Size {
		blocks = append(blocks, messages.Block{Piece: uint32(piece), Begin: uint32(begin), Length: uint32(min(buffer.Size, size-begin))})
	}
	return blocks
}

// place writes the content, or what change makes of it, under base.
func (s *sample) place(tb testing.TB, disk world.Disk, dir, base string, change func(content []byte)) {
	tb.Helper()
	content := append([]byte(nil), s.content...)
	if change != nil {
		change(content)
	}
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		tb.Fatal(err)
	}
	files := newFiles(s.Torrent, 8, func(_ int, err error) { tb.Error(err) }, func() {})
	if err := files.attach(folder, func() {}, s.Torrent, base, nowhere(s.Torrent)); err != nil {
		tb.Fatal(err)
	}
	defer files.close()
	for i, f := range s.Files {
		if f.Length == 0 && !f.Padding {
			h, _, err := files.acquire(i, toWrite)
			if err != nil {
				tb.Fatal(err)
			}
			files.release(h)
		}
	}
	files.transfer(toWrite, [][]byte{content}, 0, func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	})
}

// nowhere are the stamps of files that do not exist.
func nowhere(t *metainfo.Torrent) []messages.Stamp {
	return slices.Repeat([]messages.Stamp{absent}, len(t.Files))
}

// rig is a store between probes.
type rig struct {
	testing.TB
	*sample
	tree      *supervise.Tree
	pool      *buffer.Pool
	root      *actor.PID
	store     *actor.PID
	scheduler *actor.PID
	heard     chan any // by the scheduler, and whoever asked
	torrent   chan any // by the torrent
	stopped   bool
}

type option func(*Config)

func newRig(tb testing.TB, w *world.World, s *sample, dir string, options ...option) *rig {
	tb.Helper()
	return newRigAfter(tb, &messages.PiecesKnown{}, w, s, dir, options...)
}

// newRigAfter is a rig whose torrent remembers what an earlier store knew.
func newRigAfter(tb testing.TB, known *messages.PiecesKnown, w *world.World, s *sample, dir string, options ...option) *rig {
	tb.Helper()
	system := supervise.NewSystem(zerolog.Nop())
	r := &rig{TB: tb, sample: s, pool: buffer.NewPool(4096), heard: make(chan any, 100_000), torrent: make(chan any, 100_000)}
	r.tree = supervise.New(supervise.Config{System: system, Clock: w.Clock, Chance: w.Chance})
	cfg := Config{
		World: w, Tree: r.tree, Torrent: s.Torrent, Memory: 32 << 20, Dir: dir, Check: messages.CheckAuto,
		HashWorkers: 2, Pool: r.pool,
	}
	for _, o := range options {
		o(&cfg)
	}
	spawned := make(chan *actor.PID, 2)
	probe := func(heard chan any) *actor.Props {
		known := known // as a torrent keeps it
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
	root, err := r.tree.Spawn("engine", r.tree.Props("engine", func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); !ok {
				return
			}
			scheduler, _ := c.SpawnNamed(probe(r.heard), "scheduler")
			torrent, _ := c.SpawnNamed(probe(r.torrent), "torrent")
			cfg.Refs = messages.Refs{Scheduler: scheduler, Torrent: torrent}
			store, _ := c.SpawnNamed(r.tree.Props("store", func() actor.Actor { return New(cfg) }), "store")
			spawned <- scheduler
			spawned <- store
		})
	}), supervise.Always(event.ActionStop))
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

// settle waits until the store has taken in all that it was told.
func (r *rig) settle() {
	r.Helper()
	if _, err := r.tree.System.Root.RequestFuture(r.store, &actor.Touch{}, -1).Result(); err != nil {
		r.Fatal(err)
	}
}

// await returns the next T that is heard; what is heard before is dropped, but
// for a failure of the store, which is fatal if it is not what is awaited.
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

// send has a peer send blocks, with their bytes or what spoil makes of them.
func (r *rig) send(key messages.PeerKey, spoil func([]byte), blocks ...messages.Block) {
	m := &messages.StoreBlocks{Key: key}
	for _, b := range blocks {
		data := r.pool.Fit(int(b.Length))
		copy(data.Bytes(), r.bytes(b))
		if spoil != nil {
			spoil(data.Bytes())
		}
		m.Blocks = append(m.Blocks, messages.StoredBlock{Block: b, Data: data})
	}
	r.tell(m)
}

func (r *rig) sendAll() {
	for i := range r.PieceCount() {
		r.send(1, nil, r.blocks(i)...)
	}
}

// flush waits for a Flush.
func (r *rig) flush() error {
	r.tell(&messages.Flush{ReplyTo: r.scheduler})
	return await[*messages.Flushed](r).Err
}

// want compares what is under base with the content.
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
		got, err := folder.ReadFile(nameIn(r.Torrent, base, i), 1<<30)
		if err != nil {
			r.Error(err)
		} else if string(got) != string(r.content[f.Offset:f.Offset+f.Length]) {
			r.Errorf("%s is not what it should be", nameIn(r.Torrent, base, i))
		}
	}
}

// noLeaks checks that no block and no goroutine is left behind.
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
