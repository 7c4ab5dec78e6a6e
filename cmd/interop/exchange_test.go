//go:build linux

package interop

import (
	"context"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// trickle is at which the hub of these tests uploads and downloads, in bytes a
// second: nobody can have the content from there in time, and the hub stays
// connected to the seed.
const trickle = 1 << 10

// TestPeersFoundByExchange lets a hub tell a downloader of a seed (BEP 11),
// which nobody else does. Kouzui is once the downloader, once the hub, once the
// seed. A seed of libtorrent is told of nobody: a hub tells both sides of each
// other at once, so that both dial, and of two libtorrents with several peers
// at an address each closes the connection that it accepted.
func TestPeersFoundByExchange(t *testing.T) {
	t.Parallel()
	version := installed(t, libtorrent.Version)
	hub := counterpart.Kouzui(program, "--max-upload-limit", "1K", "--max-download-limit", "1K")
	seed := counterpart.Kouzui(program, "--super-seed=never")
	for name, c := range map[string]struct{ seed, hub, fetch counterpart.Client }{
		"kouzui hears": {libtorrent, libtorrent, kouzui},
		"kouzui tells": {libtorrent, hub, libtorrent},
		"and is found": {seed, libtorrent, libtorrent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
			defer cancel()
			content, err := noise.New(t.TempDir(), "exchange", 64<<10, []metainfo.FileSpec{{Length: 1 << 20}}, nobody)
			if err != nil {
				t.Fatal(err)
			}
			runs.begin(t, libtorrent.Name, version, "exchanges", name, c.fetch.Name)
			from, hub, to := seedTask(t, c.seed, content), newTask(t, c.hub, content), newTask(t, c.fetch, content)
			hub.Exchange, to.Exchange = true, true
			hub.Up, hub.Down, hub.Stay = trickle, trickle, true
			start(t, ctx, c.seed, from)
			hub.Peers = []string{from.Place.Peer()}
			start(t, ctx, c.hub, hub)
			to.Peers = []string{hub.Place.Peer()}
			fetches(t, ctx, start(t, ctx, c.fetch, to), c.fetch, to.Dir, content)
		})
	}
}
