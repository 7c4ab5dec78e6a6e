package observe_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/observe"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a client of its own, as a process would be.
type node struct {
	*actors.Client
	events chan any
}

// start runs a client; shown, if not nil, shows it.
func start(t *testing.T, o actors.Options, shown *observe.Server) *node {
	t.Helper()
	n := &node{events: make(chan any, 10_000)}
	o.Pool = buffer.NewPool(256)
	o.World = real.New(real.Options{Pool: o.Pool, Version: "test"})
	o.Log = zerolog.Nop()
	o.Notify = func(m any) { n.events <- m }
	if shown != nil {
		o.Sinks = []event.Sink{shown}
		o.Measurable = true
		o.Notify = func(m any) { shown.Notify(m); n.events <- m }
	}
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
	if shown != nil {
		shown.Watch(c.Tree())
	}
	return n
}

// await waits for an event; if it never comes, go test's timeout ends the test.
func await[T any](t *testing.T, n *node, match func(T) bool) T {
	t.Helper()
	for m := range n.events {
		if failed, is := m.(*messages.TorrentFailed); is {
			t.Fatalf("the torrent failed: %v", failed.Err)
		}
		if e, is := m.(T); is && match(e) {
			return e
		}
	}
	panic("unreachable")
}

// seed starts a client that has all of the torrent, and returns where it
// listens.
func seed(t *testing.T, torrent *metainfo.Torrent, data []byte) netip.AddrPort {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, torrent.Name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	n := start(t, actors.Options{Listen: "127.0.0.1:0"}, nil)
	ready := await(t, n, func(*messages.ListenerReady) bool { return true })
	n.Add(torrent, messages.TorrentOptions{Dir: dir, MustExist: true, Seed: true})
	await(t, n, func(p *messages.Progress) bool { return p.State == messages.StateSeeding })
	return ready.Addr
}

// observer is a Server that is closed with the test.
func observer(t *testing.T) *observe.Server {
	t.Helper()
	s, err := observe.New(observe.Config{Addr: "127.0.0.1:0", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
