//go:build linux

package interop

import (
	"context"
	"strings"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// linkedLength in pieces of linkedPiece bytes has 25 KiB of metadata: two
// blocks of it, the second of which is shorter (BEP 9).
const linkedLength, linkedPiece = 20 << 20, 16 << 10

// TestMagnet downloads what a magnet link leads to: kouzui from each client,
// whose address the link has, and each client from kouzui. Only libtorrent
// connects to the address in a link; kouzui connects to the others.
func TestMagnet(t *testing.T) {
	for _, other := range counterpart.Clients[:3] {
		for _, way := range []struct {
			name        string
			seed, leech counterpart.Client
		}{{"downloads", other, kouzui}, {"seeds", kouzui, other}} {
			t.Run(other.Name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				version := installed(t, other.Version)
				ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
				defer cancel()
				content, err := noise.New(t.TempDir(), strings.ReplaceAll(t.Name(), "/", " "), linkedPiece, []metainfo.FileSpec{{Length: linkedLength}})
				if err != nil {
					t.Fatal(err)
				}
				from, to := seedTask(t, way.seed, content), newTask(t, way.leech, content)
				link := magnet.Link{InfoHash: content.Info.InfoHash}
				var down *counterpart.Process
				if way.leech.Dials {
					runs.begin(t, other.Name, version, way.name, "magnet link", way.leech.Name)
					link.Peers = []magnet.Peer{{Host: from.Place.Host, Port: uint16(from.Place.Port)}}
					to.Magnet = link.String()
					start(t, ctx, way.seed, from)
					down = start(t, ctx, way.leech, to)
				} else {
					runs.begin(t, other.Name, version, way.name, "magnet link", way.seed.Name)
					to.Magnet, from.Peers = link.String(), []string{to.Place.Peer()}
					down = start(t, ctx, way.leech, to)
					start(t, ctx, way.seed, from)
				}
				fetches(t, ctx, down, way.leech, to.Dir, content)
			})
		}
	}
}
