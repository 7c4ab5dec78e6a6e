//go:build linux

// Command benchdht measures how long clients take from the start of their
// process until they have the metadata of a magnet link, whose only peer they
// find by a DHT on the loopback; and what Kouzui costs in that DHT at rest.
//
// The clients take turns in each round: from the second round on the DHT tells
// all of them of libtorrents and aria2s that are gone, too. The DHT is 60 nodes
// of npm's bittorrent-dht in one process; the peer is libtorrent. It asserts
// nothing: the tables are the result, on stdout and, with -page, in a section
// of a Markdown file. No node elsewhere is known.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/tool"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

var (
	only    = flag.String("only", "", "which clients, by name, with commas between; all if empty")
	rounds  = flag.Int("rounds", 5, "how often each client fetches")
	program = flag.String("kouzui", "bin/kouzui", "the kouzui to measure")
	npm     = flag.String("npm", "cmd/interop/testdata/npm", "where npm's bittorrent-dht is installed")
	settle  = flag.Duration("settle", time.Minute, "for how long processes run before they count as at rest; after 15m the DHT renews its table")
	rest    = flag.Duration("rest", 20*time.Second, "for how long processes at rest are watched, in each of three spans")
	file    = flag.String("page", "", "a Markdown file whose section dht is replaced")
)

const (
	nodes    = 60
	loopback = "127.0.0.1"
)

func main() { tool.Main("benchdht", run) }

// field is where clients fetch.
type field struct {
	dht    *counterpart.DHT
	magnet string
	dir    string
}

func run(ctx context.Context) error {
	chosen, err := tool.Choose("client", clients, *only, func(c client) string { return c.name })
	if err != nil {
		return err
	}
	if *program, err = filepath.Abs(*program); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "benchdht")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, stop, err := newField(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	took, err := takeTurns(chosen, *rounds, func(c client, round int) (time.Duration, error) {
		return f.fetch(ctx, c, filepath.Join(dir, c.name+strconv.Itoa(round)))
	})
	if err != nil {
		return err
	}
	rested, err := f.atRest(ctx)
	if err != nil {
		return err
	}
	text := fetchTable(chosen, *rounds, took) + "\n" + rested + "\n" + page.Now() + "\n"
	fmt.Print(text)
	if *file == "" {
		return nil
	}
	return page.Update(*file, "dht", text)
}

// newField starts the DHT and the peer, which has announced itself when
// newField returns.
func newField(ctx context.Context, dir string) (f *field, stop func(), err error) {
	home := func(name string) string {
		at := filepath.Join(dir, name)
		if err == nil {
			err = os.Mkdir(at, 0o700)
		}
		return at
	}
	f = &field{dir: dir}
	nodesHome, peerHome := home("nodes"), home("peer")
	if err != nil {
		return nil, nil, err
	}
	content, err := noise.New(dir, "noise", 16<<10, []metainfo.FileSpec{{Length: 16 << 20}})
	if err != nil {
		return nil, nil, err
	}
	hash := content.Info.InfoHash.String()
	f.magnet = "magnet:?xt=urn:btih:" + hash
	place := counterpart.NewPlace()
	if f.dht, err = counterpart.StartDHT(ctx, *npm, nodesHome, []string{loopback}, place.Port, nodes); err != nil {
		return nil, nil, err
	}
	peer, err := counterpart.Clients[0].Start(ctx, counterpart.Task{
		Torrent: content.Torrent, Hash: hash, Dir: content.Dir, Home: peerHome, Place: counterpart.NewPlace(), Seed: true, DHT: f.dht.Nodes,
	})
	if err != nil {
		f.dht.Stop()
		return nil, nil, err
	}
	stop = func() {
		peer.Stop()
		f.dht.Stop()
	}
	if _, err := f.dht.Lookup(ctx, hash); err != nil {
		stop()
		return nil, nil, err
	}
	return f, stop, nil
}
