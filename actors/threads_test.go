package actors_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// Whatever runs the actors, and however their messages wait, a download is
// right and complete, although all that an engine consists of, and the engine
// itself, die on the way, one after another. Files and goroutines that are left
// behind are an error.
func TestEveryWayToRunActorsDownloads(t *testing.T) {
	noFilesLeft(t)
	running := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, running) })
	for _, kind := range []string{"mailbox", "dispatcher", "granularity", "hashing"} {
		for _, name := range pattern.Names(kind) {
			t.Run(kind+"="+name, func(t *testing.T) { survives(t, pattern.Choice{kind: name}) })
		}
	}
}

// survives kills one actor of an engine after the other in a download, which is
// too slow to be complete before all have died.
func survives(t *testing.T, chosen pattern.Choice) {
	t.Parallel()
	torrent, data := stage.Torrent(t, 4<<20+999, 64<<10)
	_, first := seed(t, torrent, data, actors.Options{Patterns: chosen})
	_, second := seed(t, torrent, data, actors.Options{Patterns: chosen})
	dir := t.TempDir()
	n := start(t, actors.Options{Limits: messages.SetLimits{Down: 256 << 10}, Patterns: chosen})
	n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{first, second}, Patterns: chosen})
	engine := "client/torrents/torrent-" + torrent.InfoHash.String()[:8] + "/engine"
	for _, victim := range []string{"/peers", "/choker", "/store/hash-0", "/scheduler", "/peers", "/store", ""} {
		downloading := func(p *messages.Progress) bool { return p.State == messages.StateDownloading }
		await(n, downloading)
		_, before, _ := n.Trace.After(0)
		for n.Tree().Kill(engine+victim, "on purpose") != nil {
			await(n, downloading) // the engine is being restarted
		}
		restarted(t, n, before, engine+victim, engine)
	}
	n.SetLimits(0, 0)
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
		t.Error("it is not complete")
	}
	if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}

// A torrent has as many hash workers as were chosen for it.
func TestHashWorkersAreChosen(t *testing.T) {
	for spec, want := range map[string]int{"batched,n=1": 1, "batched,n=7": 7, "unbatched,n=3": 3} {
		torrent, _ := stage.Torrent(t, 1<<20, 64<<10)
		n := start(t, actors.Options{})
		n.add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Patterns: pattern.Choice{"hashing": spec}})
		await(n, func(p *messages.Progress) bool { return p.State == messages.StateDownloading })
		workers := 0
		for _, node := range n.Tree().Snapshot() {
			if node.Kind == "hash" {
				workers++
			}
		}
		if workers != want {
			t.Errorf("%s: %d hash workers", spec, workers)
		}
	}
}

// restarted waits until one of the actors has been restarted, after so many
// events.
func restarted(t *testing.T, n *node, after uint64, actors ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		events, next, more := n.Trace.After(after)
		for _, e := range events {
			if e.Kind == event.Restarted && slices.Contains(actors, e.Actor) {
				return
			}
		}
		after = next
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("none of %q was restarted", actors)
		}
	}
}
