package actors_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// What the project promises of a download through a storm.
const (
	panicEvery = 100 * time.Millisecond
	mostFetch  = 1.15 // times the data
	// mostLoss is how many bytes a panic may cost on average: mostFetch at the 40
	// panics that a storm has on an idle machine. On a busy one it lasts longer,
	// and has more of them.
	mostLoss = 192 << 10
	mostTime = 2.5 // times the undisturbed one
)

// stormRestarts is for a client that is meant to fail ten times a second: no
// budget would last, and a delay that grows with each failure would only
// measure itself.
var stormRestarts = supervise.Backoff{Base: 20 * time.Millisecond, Cap: 100 * time.Millisecond, Budget: -1}

// weights say how often a kind of actor is struck, in proportion. What takes
// the whole engine along is a ninth of it.
var weights = map[string]int{
	"peer": 14, "hash": 5, "keeper": 2, "choker": 3, "peers": 2, "tracker": 2, "limiter": 2, "listener": 2, "socket": 2,
	"store": 1, "scheduler": 1, "engine": 1, "torrent": 1, "torrents": 1, "session": 3, "client": 1,
}

// storm kills one actor after the other until it is stopped.
type storm struct {
	tree  *supervise.Tree
	clock world.Clock
	rnd   *rand.Rand

	mu      sync.Mutex
	timer   world.Timer // nil: over
	strikes int
}

func startStorm(tree *supervise.Tree, seed uint64) *storm {
	s := &storm{tree: tree, clock: real.Clock{}, rnd: rand.New(rand.NewPCG(seed, 0))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = s.clock.AfterFunc(panicEvery, s.strike)
	return s
}

func (s *storm) strike() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil {
		return
	}
	s.timer = s.clock.AfterFunc(panicEvery, s.strike)
	victim := s.victim()
	if victim != "" && s.tree.Kill(victim, "storm") == nil {
		s.strikes++
	}
}

// victim draws a kind by its weight, and then one of its actors.
func (s *storm) victim() string {
	living := map[string][]string{}
	for _, n := range s.tree.Snapshot() {
		if n.State == supervise.StateRunning {
			living[n.Kind] = append(living[n.Kind], n.Path)
		}
	}
	var draw []string
	for _, kind := range slices.Sorted(maps.Keys(living)) {
		draw = append(draw, slices.Repeat([]string{kind}, weights[kind])...)
	}
	if len(draw) == 0 {
		return ""
	}
	paths := living[draw[s.rnd.IntN(len(draw))]]
	return paths[s.rnd.IntN(len(paths))]
}

func (s *storm) stop() (strikes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
	s.timer = nil
	return s.strikes
}

// swarm is a torrent and some clients that have all of it.
type swarm struct {
	torrent *metainfo.Torrent
	sum     [sha256.Size]byte
	addrs   []netip.AddrPort
}

// newSwarm puts the data on the disk once, under as many names as there are
// seeds.
func newSwarm(t testing.TB, length, pieceLength, seeds int) *swarm {
	t.Helper()
	torrent, data := stage.Torrent(t, length, pieceLength)
	s := &swarm{torrent: torrent, sum: sha256.Sum256(data)}
	first := filepath.Join(t.TempDir(), torrent.Name)
	if err := os.WriteFile(first, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for range seeds {
		dir := t.TempDir()
		if err := os.Link(first, filepath.Join(dir, torrent.Name)); err != nil {
			t.Fatal(err)
		}
		n := start(t, actors.Options{Listen: "127.0.0.1:0"})
		ready := await(n, func(*messages.ListenerReady) bool { return true })
		n.add(torrent, messages.TorrentOptions{Dir: dir, MustExist: true, Seed: true})
		await(n, seeding)
		s.addrs = append(s.addrs, ready.Addr)
	}
	return s
}

// outcome is what a download came to.
type outcome struct {
	took     time.Duration
	fetched  float64 // payload read, in times the data
	strikes  int
	restarts map[string]int // by kind
	down     map[string]time.Duration
}

// download fetches the torrent, through a storm unless its seed is 0, and
// checks it byte for byte.
func (s *swarm) download(t testing.TB, o actors.Options, seed uint64) (out outcome) {
	t.Helper()
	o.Listen, o.Restarts = "127.0.0.1:0", stormRestarts
	o.Pool = buffer.NewPool(1024)
	o.World = real.New(real.Options{Pool: o.Pool, Version: "test"})
	network := &meter{Network: o.World.Network}
	o.World.Network = network
	n := start(t, o)
	await(n, func(*messages.ListenerReady) bool { return true })
	torrent := *s.torrent
	torrent.Announce = [][]string{{trackerOf(t, s.addrs...)}}
	dir := t.TempDir()

	began := time.Now()
	n.add(&torrent, messages.TorrentOptions{Dir: dir})
	if seed > 0 {
		storm := startStorm(n.Tree(), seed)
		defer func() { out.strikes = storm.stop() }()
	}
	done := await(n, func(*messages.TorrentDone) bool { return true })
	out.took = time.Since(began)
	out.fetched = float64(network.bytes.Load()) / float64(torrent.Length)
	if !done.Complete {
		t.Error("it is not complete")
	}
	if sum := sumOf(t, filepath.Join(dir, torrent.Name)); sum != s.sum {
		t.Error("the data is wrong")
	}
	out.restarts, out.down = map[string]int{}, map[string]time.Duration{}
	for _, e := range n.Trace.Events() {
		if e.Kind == event.Restarted {
			out.restarts[e.ActorKind]++
			out.down[e.ActorKind] += e.Down
		}
	}
	return out
}

// meter is a network that counts the payload that its links have read.
type meter struct {
	world.Network
	bytes atomic.Int64
}

type meteredLink struct {
	messages.Link
	meter *meter
}

func (m *meter) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	return m.Network.Dial(addr, timeout, func(l messages.Link, err error) {
		if err == nil {
			l = meteredLink{l, m}
		}
		done(l, err)
	})
}

func (l meteredLink) Start(limits frame.Limits, deliver func(any)) {
	l.Link.Start(limits, func(m any) {
		if received, is := m.(*messages.FramesReceived); is {
			for _, f := range received.Frames {
				if f.Kind == frame.Piece {
					l.meter.bytes.Add(int64(f.Length))
				}
			}
		}
		deliver(m)
	})
}

func sumOf(t testing.TB, path string) (sum [sha256.Size]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// TestStorm downloads while one actor after the other dies. The rate is held
// down so that there is time for it.
func TestStorm(t *testing.T) {
	const length = 48<<20 + 4321
	s := newSwarm(t, length, 256<<10, 3)
	out := s.download(t, actors.Options{Memory: 4 << 20, Limits: messages.SetLimits{Down: 12 << 20}}, 1)
	t.Log(out)
	if out.strikes < 10 || len(out.restarts) < 3 {
		t.Errorf("that was no storm: %v", out)
	}
	if loss := (out.fetched - 1) * length / float64(out.strikes); loss > mostLoss {
		t.Errorf("each of %d panics cost %.0f bytes, more than %d: %.3f times the data were fetched", out.strikes, loss, mostLoss, out.fetched)
	}
}

// TestAnEngineThatIsBackChecksNothing: what an engine knew, its torrent tells
// the next one.
func TestAnEngineThatIsBackChecksNothing(t *testing.T) {
	s := newSwarm(t, 8<<20, 128<<10, 1)
	n := start(t, actors.Options{Restarts: stormRestarts, Limits: messages.SetLimits{Down: 8 << 20}})
	n.add(s.torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: s.addrs})
	await(n, func(p *messages.Progress) bool { return p.HavePieces > 0 })
	if err := n.Tree().Kill("client/torrents/torrent-"+s.torrent.InfoHash.String()[:8]+"/engine/store", "on purpose"); err != nil {
		t.Fatal(err)
	}
	await(n, func(m any) bool {
		if p, is := m.(*messages.Progress); is && p.CheckTotal > 0 {
			t.Errorf("%d pieces are checked", p.CheckTotal)
		}
		_, is := m.(*messages.TorrentDone)
		return is
	})
}

// BenchmarkStorm compares a download of 1 GiB through a storm with one in calm
// weather.
func BenchmarkStorm(b *testing.B) {
	const length = 1 << 30
	for seed := uint64(1); b.Loop(); seed++ {
		s := newSwarm(b, length, 1<<20, 3)
		undisturbed := s.download(b, actors.Options{}, 0)
		out := s.download(b, actors.Options{}, seed)
		slower := out.took.Seconds() / undisturbed.took.Seconds()
		b.Logf("undisturbed %v; %v", undisturbed.took.Round(time.Millisecond), out)
		b.ReportMetric(out.fetched, "fetched/data")
		b.ReportMetric(slower, "time/undisturbed")
		b.ReportMetric(float64(out.strikes), "panics")
		b.ReportMetric(length/out.took.Seconds()/(1<<20), "MiB/s")
		if out.fetched > mostFetch || slower > mostTime {
			b.Errorf("fetched %.3f times the data, in %.2f times the time", out.fetched, slower)
		}
	}
}

func (o outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "took %v through %d panics, fetched %.3f times the data; restarts (mean time down):",
		o.took.Round(time.Millisecond), o.strikes, o.fetched)
	for _, kind := range slices.Sorted(maps.Keys(o.restarts)) {
		n := o.restarts[kind]
		fmt.Fprintf(&b, " %s %d (%v)", kind, n, (o.down[kind] / time.Duration(n)).Round(time.Millisecond))
	}
	return b.String()
}
