package kouzui_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"kouzui"
	"kouzui/actors/lab/stage"
)

// Two torrents of one name cannot be in one folder, however its path is spelled
// and however they are added. The first goes on.
func TestTwoTorrentsOfOneName(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	m, data := stage.Torrent(t, 1000, 16<<10)
	other, _ := stage.Torrent(t, 2000, 16<<10)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{Dir: dir})
	first, err := client.AddMetainfo(m, kouzui.Options{Seed: true, Peers: []netip.AddrPort{addr}})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.WaitComplete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddMetainfo(other, kouzui.Options{}); !errors.Is(err, kouzui.ErrNameUsed) {
		t.Errorf("in the same folder: %v", err)
	}
	if _, err := client.AddMetainfo(other, kouzui.Options{Dir: dir + "/."}); !errors.Is(err, kouzui.ErrNameUsed) {
		t.Errorf("in the same folder, with a dot: %v", err)
	}
	second, err := client.AddMetainfo(other, kouzui.Options{Dir: link})
	if err == nil {
		err = second.Wait(t.Context())
	}
	if !errors.Is(err, kouzui.ErrNameUsed) || !errors.Is(err, kouzui.ErrLocked) {
		t.Errorf("by a link: %v", err)
	}
	if s, err := first.Status(t.Context()); err != nil || s.State != kouzui.StateSeeding {
		t.Errorf("the first is %s, %v", s.State, err)
	}
}
