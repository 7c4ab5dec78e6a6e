package actors_test

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// TestConnectionsOfAllTorrentsAreBounded has strangers hold all connections
// that a process may have, over two torrents, with many more outside. A
// download still finds its seed, for which some are kept.
func TestConnectionsOfAllTorrentsAreBounded(t *testing.T) {
	const most, strangers = 10, 40
	idle, _ := stage.Torrent(t, 1<<20, 64<<10)
	wanted, data := stage.Torrent(t, 2<<20, 64<<10)
	_, addr := seed(t, wanted, data, actors.Options{})
	pool := buffer.NewPool(64)
	n := start(t, actors.Options{
		Pool: pool, World: real.New(real.Options{Pool: pool, Version: "test", Connections: most}), Listen: "127.0.0.1:0",
	})
	victim := await(n, func(*messages.ListenerReady) bool { return true }).Addr
	n.add(idle, messages.TorrentOptions{Dir: t.TempDir()})
	await(n, func(p *messages.Progress) bool { return p.InfoHash == idle.InfoHash }) // it can be reached

	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	var in, peak atomic.Int32
	var tried sync.WaitGroup
	hold := hostile.Script{Name: "holds what it gets", Act: func(c *hostile.Conn) {
		c.Shake()
		if c.Open() { // it was answered
			peak.Store(max(peak.Load(), in.Add(1)))
			defer in.Add(-1)
		}
		tried.Done()
		c.Linger()
	}}
	tried.Add(strangers)
	for i := range strangers {
		torrent := []*metainfo.Torrent{idle, wanted}[i%2]
		all.Go(func() {
			if _, err := hostile.Run(ctx, torrent, netip.AddrFrom4([4]byte{127, 0, 79, byte(i)}), victim, hold, uint64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	n.add(wanted, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{addr}})
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
		t.Error("not complete")
	}
	tried.Wait()
	if got := peak.Load(); got == 0 || got > most {
		t.Errorf("%d strangers were let in at a time, %d connections are allowed", got, most)
	}
	n.noFailures()
}
