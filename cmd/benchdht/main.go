//go:build linux

// Command benchdht measures how long clients take from the start of their
// process until they have the metadata of a magnet link, whose only peer they
// find by a DHT on the loopback; and what Kouzui costs in that DHT at rest.
//
// One client after the other fetches so often: the DHT tells later ones of
// libtorrents and aria2s that are gone, and Kouzui, the first, of none. The
// DHT is 60 nodes of npm's bittorrent-dht in one process; the peer is
// libtorrent. It asserts nothing: the tables are the result, on stdout and,
// with -page, in a section of a Markdown file. No node elsewhere is known.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
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
	// most is how long a client may take: aria2 needs up to half a minute.
	most = 2 * time.Minute
)

//go:embed fetch_metadata.py
var withLibtorrent []byte

func main() { tool.Main("benchdht", run) }

// field is where clients fetch.
type field struct {
	dht    *counterpart.DHT
	script string // fetch_metadata.py
	magnet string
	dir    string
}

// client is a command that fetches into an empty folder, and ends with the
// metadata. Where it can be told a port, it listens at that.
type client struct {
	name    string
	command func(f *field, dir, port string) []string
}

var clients = []client{
	{"kouzui", func(f *field, dir, _ string) []string {
		return []string{*program, "info", f.magnet, "--save", filepath.Join(dir, "a.torrent"), "--bind", loopback, "--allow-private",
			"--dht", "on", "--dht-bootstrap", f.dht.Nodes[0]}
	}},
	{"libtorrent", func(f *field, dir, port string) []string {
		return []string{"/usr/bin/python3", f.script, f.magnet, loopback + ":" + port, f.dht.Nodes[0]}
	}},
	{"aria2", func(f *field, dir, port string) []string {
		return []string{"aria2c", "--no-conf", "--dir=" + dir, "--interface=" + loopback, "--bt-external-ip=" + loopback, "--disable-ipv6",
			"--enable-dht", "--dht-listen-port=" + port, "--listen-port=" + port, "--dht-entry-point=" + f.dht.Nodes[0],
			"--dht-file-path=" + filepath.Join(dir, "dht.dat"), "--bt-enable-lpd=false", "--bt-metadata-only", "--bt-save-metadata",
			"--seed-time=0", "--summary-interval=0", f.magnet}
	}},
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
	fetched, err := f.fetches(ctx, chosen)
	if err != nil {
		return err
	}
	rested, err := f.atRest(ctx)
	if err != nil {
		return err
	}
	text := fetched + "\n" + rested + "\n" + page.Now() + "\n"
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
	f = &field{script: filepath.Join(dir, "fetch_metadata.py"), dir: dir}
	nodesHome, peerHome := home("nodes"), home("peer")
	if err == nil {
		err = os.WriteFile(f.script, withLibtorrent, 0o600)
	}
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

// fetches is the table of how long the clients take.
func (f *field) fetches(ctx context.Context, chosen []client) (table string, err error) {
	seconds := map[string][]float64{}
	for _, c := range chosen {
		for round := range *rounds {
			took, err := f.fetch(ctx, c, filepath.Join(f.dir, c.name+strconv.Itoa(round)))
			if err != nil {
				return "", fmt.Errorf("%s: %w", c.name, err)
			}
			seconds[c.name] = append(seconds[c.name], took.Seconds())
		}
	}
	var rows [][]string
	for _, c := range chosen {
		if s, is := spread.Of(seconds[c.name]); is {
			rows = append(rows, []string{c.name, s.Show(2)})
		}
	}
	return page.Table([]string{fmt.Sprintf("metadata by a DHT of %d nodes, %d rounds", nodes, *rounds), "wall s"}, rows), nil
}

// fetch is how long a client takes.
func (f *field) fetch(ctx context.Context, c client, dir string) (time.Duration, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	words := c.command(f, dir, strconv.Itoa(counterpart.NewPlace().Port))
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir, command.Env = dir, append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_DATA_HOME="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	said, err := command.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, said)
	}
	return time.Since(begin), nil
}
