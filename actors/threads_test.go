package actors_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// Whatever runs the actors, and however their messages wait, a download is
// right and complete, although peers, scheduler and choker die on the way.
func TestEveryWayToRunActorsDownloads(t *testing.T) {
	for _, kind := range []string{"mailbox", "dispatcher", "granularity"} {
		for _, name := range pattern.Names(kind) {
			t.Run(kind+"="+name, func(t *testing.T) {
				noFilesLeft(t)
				torrent, data := stage.Torrent(t, 8<<20+999, 128<<10)
				chosen := pattern.Choice{kind: name}
				_, first := seed(t, torrent, data, actors.Options{Patterns: chosen})
				_, second := seed(t, torrent, data, actors.Options{Patterns: chosen})
				dir := t.TempDir()
				n := start(t, actors.Options{Limits: messages.SetLimits{Down: 8 << 20}, Patterns: chosen})
				n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{first, second}})
				engine := "client/torrents/torrent-" + torrent.InfoHash.String()[:8] + "/engine/"
				victims := []string{"peers", "choker", "scheduler", "store/hash-0", "peers"}
				have := 0
				done := await(n, func(m any) bool {
					if p, is := m.(*messages.Progress); is && p.State == messages.StateDownloading && p.HavePieces > have && len(victims) > 0 {
						have = p.HavePieces
						if err := n.Tree().Kill(engine+victims[0], "on purpose"); err != nil && !strings.Contains(err.Error(), "no actor") {
							t.Error(err)
						}
						victims = victims[1:]
					}
					_, is := m.(*messages.TorrentDone)
					return is
				}).(*messages.TorrentDone)
				if !done.Complete || have == 0 {
					t.Errorf("complete %v, with %d pieces at the last death", done.Complete, have)
				}
				if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
					t.Errorf("wrong data, or none: %v", err)
				}
			})
		}
	}
}
