//go:build linux

// Command benchstream measures how soon a player of a film sees something:
// after the start of the program, and after a jump; and whether the film stands
// still in between. The film comes from eight peers that send 2 Mbit/s each, to
// a viewer with 20 Mbit/s, each 25 ms from the middle of the network; its bit
// rate is 13 Mbit/s, of which the peers together send 1.2 times.
//
// The peers are libtorrent. The viewers take turns: `kouzui stream`, read over
// HTTP as a player reads, and libtorrent with deadlines for the pieces ahead
// (set_piece_deadline). It asserts nothing: the table is the result, on stdout
// and, with -page, in a section of a Markdown file. All runs in network
// namespaces of its own, as root.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/shaped"
	"kouzui/cmd/internal/spread"
	"kouzui/cmd/internal/tool"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

var (
	rounds  = flag.Int("rounds", 5, "how often each viewer watches")
	program = flag.String("kouzui", "bin/kouzui", "the kouzui to measure")
	watch   = flag.Duration("watch", 30*time.Second, "for how long the film is watched before the jump")
	dir     = flag.String("dir", "/dev/shm", "where the content lies")
	file    = flag.String("page", "", "a Markdown file whose section stream is replaced")
)

const (
	peers       = 8
	mbit        = 1_000_000 / 8
	bitRate     = 13 * mbit // bytes a second
	length      = 200 << 20
	pieceLength = 512 << 10
	jumpTo      = length / 4 * 3
	runTimeout  = 5 * time.Minute
	peerPort    = 6881
)

// seen is how a viewer fared.
type seen struct {
	first, jump, stalled time.Duration
	stalls               int
}

// viewer watches the film on the last host.
type viewer struct {
	name  string
	watch func(ctx context.Context, f *film, home string) (seen, error)
}

var viewers = []viewer{{"kouzui stream", watchKouzui}, {"libtorrent, deadlines", watchLibtorrent}}

// film is the swarm that has it.
type film struct {
	content *noise.Content
	network *shaped.Network
	peers   []string
}

func main() { tool.Main("benchstream", run) }

func run(ctx context.Context) (err error) {
	if *program, err = filepath.Abs(*program); err != nil {
		return err
	}
	if err := shaped.Enter(); err != nil {
		return err
	}
	home, err := os.MkdirTemp(*dir, "benchstream")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	f, stop, err := newFilm(ctx, home)
	if err != nil {
		return err
	}
	defer stop()
	all := make([][]seen, len(viewers))
	for round := range *rounds {
		for i, v := range viewers {
			at := filepath.Join(home, strconv.Itoa(round)+"-"+strconv.Itoa(i))
			s, err := f.seen(ctx, v, at)
			if err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d: %s: first %.2f s, jump %.2f s, %d stalls of %.2f s\n", round+1, v.name, s.first.Seconds(), s.jump.Seconds(), s.stalls, s.stalled.Seconds())
			all[i] = append(all[i], s)
		}
	}
	text := table(all) + "\n" + page.Now() + "\n"
	fmt.Print(text)
	if *file == "" {
		return nil
	}
	return page.Update(*file, "stream", text)
}

// newFilm starts the peers, each behind its link.
func newFilm(ctx context.Context, home string) (f *film, stop func(), err error) {
	const delay = 25 * time.Millisecond
	links := slices.Repeat([]shaped.Link{{Up: 2 * mbit, Delay: delay}}, peers)
	f = &film{}
	if f.network, err = shaped.NewFar(append(links, shaped.Link{Up: 2 * mbit, Down: 20 * mbit, Delay: delay})); err != nil {
		return nil, nil, err
	}
	var running []*counterpart.Process
	stop = func() {
		for _, p := range running {
			p.Stop()
		}
		f.network.Close()
	}
	f.content, err = noise.New(home, "film", pieceLength, []metainfo.FileSpec{{Length: length}})
	for i := range peers {
		if err != nil {
			break
		}
		h := &f.network.Hosts[i]
		at := filepath.Join(home, "peer"+strconv.Itoa(i))
		if err = os.Mkdir(at, 0o700); err != nil {
			break
		}
		var p *counterpart.Process
		p, err = counterpart.Clients[0].Start(ctx, counterpart.Task{
			Torrent: f.content.Torrent, Hash: f.content.Info.InfoHash.String(), Dir: f.content.Dir, Home: at, Seed: true,
			Place: counterpart.Place{Host: h.Addr.String(), Port: peerPort}, Within: h.Within, Dial: h.Dial,
		})
		if err == nil {
			running = append(running, p)
			f.peers = append(f.peers, fmt.Sprintf("%s:%d", h.Addr, peerPort))
		}
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return f, stop, nil
}

func (f *film) seen(ctx context.Context, v viewer, home string) (seen, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	if err := os.Mkdir(home, 0o700); err != nil {
		return seen{}, err
	}
	defer os.RemoveAll(home)
	return v.watch(ctx, f, home)
}

// viewer is the host that watches.
func (f *film) viewer() *shaped.Host { return &f.network.Hosts[peers] }

func table(all [][]seen) string {
	var b strings.Builder
	b.WriteString("| viewer | first byte, s | after the jump, s | stalls | standing still, s |\n|---|---|---|---|---|\n")
	over := func(runs []seen, of func(seen) float64) string {
		var values []float64
		for _, s := range runs {
			values = append(values, of(s))
		}
		all, _ := spread.Of(values)
		return all.Show(2)
	}
	for i, v := range viewers {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", v.name,
			over(all[i], func(s seen) float64 { return s.first.Seconds() }), over(all[i], func(s seen) float64 { return s.jump.Seconds() }),
			over(all[i], func(s seen) float64 { return float64(s.stalls) }), over(all[i], func(s seen) float64 { return s.stalled.Seconds() }))
	}
	return b.String()
}

// lines are those of a program, until it ends.
func lines(s *bufio.Scanner) (string, error) {
	if s.Scan() {
		return s.Text(), nil
	}
	return "", errors.Join(errors.New("the program has ended"), s.Err())
}
