package actors_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// TestHostileTrackers gives a torrent one tier for each kind of hostile tracker
// that fails, and last an honest one: the download completes, each was asked no
// more than its turn, and no actor has failed. Those that hang or lie have
// their turn in package torrent, where time does not pass by itself.
func TestHostileTrackers(t *testing.T) {
	t.Parallel()
	torrent, data := stage.Torrent(t, 1<<20, 64<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	var served []*hostile.Served
	for _, tracker := range hostile.Trackers() {
		if tracker.Fails == "" || tracker.Hangs {
			continue
		}
		s, err := tracker.Serve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		served = append(served, s)
		torrent.Announce = append(torrent.Announce, []string{s.URL})
	}
	torrent.Announce = append(torrent.Announce, []string{trackerOf(t, addr)})
	// All have one address. So many would wait for each other, had a stranger
	// named them.
	trackers := slices.Concat(torrent.Announce...)
	n := start(t, actors.Options{})
	dir := t.TempDir()
	n.add(torrent, messages.TorrentOptions{Dir: dir, Trackers: trackers})
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
		t.Error("not complete")
	}
	if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || string(got) != string(data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	const most = 3 * 4 // in the time that this takes: `started`, one more try, `stopped`; each with its redirections
	for i, s := range served {
		if asked := s.Announces(); asked == 0 || asked > most {
			t.Errorf("tier %d was asked %d times", i, asked)
		}
	}
	n.noFailures()
}
