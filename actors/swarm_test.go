package actors_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// atOnce is how many tests that are parallel run at a time: they wait for
// limits and timers more than they compute.
const atOnce = "6"

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", atOnce)
	goleak.VerifyTestMain(m)
}

// node is a client of its own, as a process would be.
type node struct {
	*actors.Client
	t      testing.TB
	Trace  *trace.Recent
	events chan any

	completed int // TorrentCompleted among the events that were awaited
}

func start(t testing.TB, o actors.Options) *node {
	t.Helper()
	n := &node{t: t, events: make(chan any, 10_000), Trace: trace.NewRecent(100_000)}
	if o.World == nil {
		o.Pool = buffer.NewPool(256)
		o.World = real.New(real.Options{Pool: o.Pool, Version: "test"})
	}
	o.Log = zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
	o.Sinks = []event.Sink{n.Trace}
	o.Notify = func(m any) { n.events <- m }
	c, err := actors.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Client = c
	t.Cleanup(func() {
		if err := c.Shutdown(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	return n
}

// add adds a torrent, which must be new.
func (n *node) add(t *metainfo.Torrent, o messages.TorrentOptions) {
	n.t.Helper()
	if err := n.Client.Add(t, o); err != nil {
		n.t.Fatal(err)
	}
}

// await waits for an event.
func await[T any](n *node, match func(T) bool) T {
	n.t.Helper()
	for m := range n.events {
		if failed, is := m.(*messages.TorrentFailed); is {
			if _, wanted := m.(T); !wanted {
				n.t.Fatalf("the torrent failed: %v", failed.Err)
			}
		}
		if _, is := m.(*messages.TorrentCompleted); is {
			n.completed++
		}
		if e, is := m.(T); is && match(e) {
			return e
		}
	}
	panic("unreachable")
}

func seeding(p *messages.Progress) bool { return p.State == messages.StateSeeding }

// seed starts a client that has all of the torrent, and returns where it
// listens.
func seed(t *testing.T, torrent *metainfo.Torrent, data []byte, o actors.Options) (*node, netip.AddrPort) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, torrent.Name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	o.Listen = "127.0.0.1:0"
	n := start(t, o)
	ready := await(n, func(*messages.ListenerReady) bool { return true })
	n.add(torrent, messages.TorrentOptions{Dir: dir, MustExist: true, Seed: true})
	await(n, seeding)
	return n, ready.Addr
}

func TestDownload(t *testing.T) {
	torrent, data := stage.Torrent(t, 20<<20+12345, 256<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	dir := t.TempDir()
	n := start(t, actors.Options{})
	n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{addr}})
	done := await(n, func(*messages.TorrentDone) bool { return true })
	if !done.Complete || done.Last.Downloaded != int64(len(data)) {
		t.Errorf("complete %v, downloaded %d of %d", done.Complete, done.Last.Downloaded, len(data))
	}
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}
