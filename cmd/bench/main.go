//go:build linux

// Command bench measures whole transfers over the loopback: processor time, wall
// time and memory of Kouzui beside other clients that do the same.
//
// In each round every client in turn downloads from one libtorrent, and then
// every client in turn seeds to one libtorrent. Content lies in memory (-dir), so
// that no disk is measured. It asserts nothing; the table is the result.
//
//	cpu       user and system seconds of the process, from its start until it is
//	          complete; as a seed from when it is ready, its check left out
//	wall      seconds from the start of the side that dials until all is there
//	peak      most resident memory, mapped files included
//	anonymous most resident memory of its own, by polling
//
// What a ratio compares are medians over the rounds: this client's processor time
// by that of the other.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

var (
	size    = flag.Int64("size", 1024, "MiB of content")
	piece   = flag.Int64("piece", 1024, "KiB of a piece")
	rounds  = flag.Int("rounds", 3, "rounds")
	names   = flag.String("clients", "kouzui,kouzui-traced,libtorrent,aria2,rtorrent", "which clients, by name; also transmission and qbittorrent")
	dir     = flag.String("dir", "/dev/shm", "where content and state lie; needs three times the size")
	program = flag.String("kouzui", "bin/kouzui", "the kouzui to measure")
	asJSON  = flag.Bool("json", false, "write every run as JSON instead of the table")
)

const (
	// No transfer of 1 GiB takes this long.
	patience = 2 * time.Minute
	// rtorrent as a downloader stands still near the end of larger torrents.
	rtorrentMost = 512 // MiB
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	home, err := os.MkdirTemp(*dir, "kouzui-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	content, err := counterpart.NewContent(home, "bench", *piece<<10, []metainfo.FileSpec{{Length: *size << 20}}, "http://127.0.0.1:1/announce")
	if err != nil {
		return err
	}
	b := bench{home: home, content: content, partner: counterpart.Clients[0]}
	there := clients()
	var runs []Run
	for round := range *rounds {
		for _, direction := range []string{"download", "seed"} {
			for _, client := range there {
				if client.Name == "rtorrent" && direction == "download" && *size > rtorrentMost {
					continue
				}
				r, err := b.measure(ctx, client, direction)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					first, _, _ := strings.Cut(err.Error(), "\n")
					fmt.Fprintf(os.Stderr, "round %d: %s %s: %s\n", round+1, client.Name, direction, first)
					continue
				}
				r.Round = round + 1
				fmt.Fprintf(os.Stderr, "round %d: %-8s %-12s cpu %.2f s, wall %.2f s\n", r.Round, direction, r.Client, r.CPU, r.Wall)
				runs = append(runs, r)
			}
		}
	}
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(runs)
	}
	return printTable(os.Stdout, runs)
}

// clients are those that are asked for and there.
func clients() (there []counterpart.Client) {
	path, err := exec.LookPath(*program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		path = *program
	}
	for _, c := range append([]counterpart.Client{counterpart.Kouzui(path), counterpart.TracedKouzui(path)}, counterpart.Clients...) {
		if !slices.Contains(strings.Split(*names, ","), c.Name) {
			continue
		}
		if _, err := c.Version(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: left out:", err)
			continue
		}
		there = append(there, c)
	}
	return there
}

// bench is what all runs share.
type bench struct {
	home    string
	content *counterpart.Content
	partner counterpart.Client // seeds to downloads, and downloads from seeds
}

// measure runs one transfer. The side that seeds is ready before the other
// starts, but where the one that downloads cannot dial.
func (b *bench) measure(ctx context.Context, client counterpart.Client, direction string) (Run, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	home, err := os.MkdirTemp(b.home, "run")
	if err != nil {
		return Run{}, err
	}
	defer os.RemoveAll(home)
	seed, leech := b.partner, client
	if direction == "seed" {
		seed, leech = client, b.partner
	}
	from, err := b.task(filepath.Join(home, "seed"))
	if err != nil {
		return Run{}, err
	}
	to, err := b.task(filepath.Join(home, "leech"))
	if err != nil {
		return Run{}, err
	}
	from.Dir, from.Seed = b.content.Dir, true

	var up, down *counterpart.Process
	var begin time.Time
	if leech.Dials {
		if up, err = seed.Start(ctx, from); err != nil {
			return Run{}, err
		}
		defer up.Stop()
		to.Peers = []string{up.Addr}
		begin = time.Now()
		if down, err = leech.Start(ctx, to); err != nil {
			return Run{}, err
		}
		defer down.Stop()
	} else {
		if down, err = leech.Start(ctx, to); err != nil {
			return Run{}, err
		}
		defer down.Stop()
		from.Peers = []string{down.Addr}
		if up, err = seed.Start(ctx, from); err != nil {
			return Run{}, err
		}
		defer up.Stop()
		begin = time.Now() // its check is over; the connection is not older than this
	}
	measured := down
	if direction == "seed" {
		measured = up
	}
	before := measured.Usage()
	if direction == "download" {
		before.CPU = 0
	}
	anonymous := watch(measured)
	if err := down.Complete(ctx); err != nil {
		anonymous()
		return Run{}, err
	}
	wall, after := time.Since(begin), measured.Usage()
	own := anonymous()
	if err := b.content.Verify(to.Dir, true); err != nil {
		return Run{}, err
	}
	return Run{
		Client: client.Name, Direction: direction, Wall: wall.Seconds(), CPU: (after.CPU - before.CPU).Seconds(),
		Peak: after.Peak, Anonymous: max(own, after.Anonymous),
	}, nil
}

func (b *bench) task(home string) (counterpart.Task, error) {
	t := counterpart.Task{
		Torrent: b.content.Torrent, Hash: b.content.Hash, Place: counterpart.NewPlace(),
		Home: filepath.Join(home, "home"), Dir: filepath.Join(home, "data"), Stay: true,
	}
	for _, folder := range []string{t.Home, t.Dir} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return t, err
		}
	}
	return t, nil
}

// watch polls the anonymous memory of a process; the answer is the most that was
// seen.
func watch(p *counterpart.Process) func() int64 {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var peak int64
		for {
			select {
			case <-tick.C:
				peak = max(peak, p.Usage().Anonymous)
			case <-stop:
				most <- peak
				return
			}
		}
	}()
	return func() int64 { close(stop); return <-most }
}
