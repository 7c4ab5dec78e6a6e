package actors_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// TestHostileWebSeeds gives a torrent each kind of hostile web seed, and an
// honest one: the download completes, no server is asked often, and no actor
// has failed.
func TestHostileWebSeeds(t *testing.T) {
	noFilesLeft(t)
	torrent, data := stage.Torrent(t, 1<<20, 64<<10)
	for _, seed := range hostile.WebSeeds(data) {
		t.Run(seed.Name, func(t *testing.T) {
			bad, err := seed.Serve()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(bad.Close)
			of := *torrent
			of.WebSeeds = []string{bad.URL, mirror(t, data)}
			n := start(t, fromInside(actors.Options{}))
			dir := t.TempDir()
			n.add(&of, messages.TorrentOptions{Dir: dir})
			if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
				t.Error("not complete")
			}
			if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("wrong data, or none: %v", err)
			}
			if asked := bad.Asked(); asked > seed.Most {
				t.Errorf("it was asked %d times, at most %d are due", asked, seed.Most)
			}
			n.noFailures()
		})
	}
}
