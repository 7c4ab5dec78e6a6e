package actors_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/world/fake"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// TestTheDateJumps sets the date hours forward and back, over and over, while a
// client downloads and is held to a rate: no actor takes that for time that has
// passed. No connection is given up, no announce comes of it, all is checked
// and counted, and the journal is as good as ever.
func TestTheDateJumps(t *testing.T) {
	torrent, data := stage.Torrent(t, 4<<20+12345, 64<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	tracker, err := hostile.Tracker{Answer: func(c *hostile.TrackerConn) { c.Reply("d8:intervali1800e5:peers0:e") }}.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	torrent.Announce = [][]string{{tracker.URL}}

	pool := buffer.NewPool(256)
	world := real.New(real.Options{Pool: pool, Version: "test"})
	date := fake.NewJumping(world.Clock)
	world.Clock = date
	n := start(t, actors.Options{Pool: pool, World: world, Limits: messages.SetLimits{Down: 2 << 20}})
	options := messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{addr}, StallTimeout: time.Minute}
	n.add(torrent, options)
	jumps := 0
	done := await(n, func(m any) bool {
		if _, is := m.(*messages.TorrentPiecesVerified); is {
			by := 7 * time.Hour
			if jumps++; jumps%2 == 0 {
				by = -15 * time.Hour
			}
			date.Jump(by)
		}
		_, is := m.(*messages.TorrentDone)
		return is
	}).(*messages.TorrentDone)
	if !done.Complete || done.Last.Downloaded != int64(len(data)) || jumps < 10 {
		t.Errorf("complete %v, downloaded %d of %d, with %d jumps", done.Complete, done.Last.Downloaded, len(data), jumps)
	}
	got, err := os.ReadFile(filepath.Join(options.Dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	if asked := tracker.Announces(); asked > 3 { // started, completed, stopped
		t.Errorf("%d announces", asked)
	}
	n.noFailures()
	connections := 0
	for _, e := range n.Trace.Events() {
		if e.Kind == event.Spawned && strings.Contains(e.Actor, "/peer-") {
			connections++
		}
	}
	if connections != 1 {
		t.Errorf("%d connections were made", connections)
	}

	date.Jump(-1000 * time.Hour)
	n.add(torrent, options)
	again := await(n, func(*messages.TorrentDone) bool { return true })
	if !again.Complete || again.Last.Downloaded != 0 {
		t.Errorf("again: complete %v, downloaded %d", again.Complete, again.Last.Downloaded)
	}
}
