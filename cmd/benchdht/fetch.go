//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
	"kouzui/cmd/interop/counterpart"
)

// most is how long a client may take: aria2 needs up to half a minute.
const most = 2 * time.Minute

// client is a command that fetches what a magnet link names into an empty
// folder, finding peers by a node of the DHT, and ends when it has that. Where
// it can be told a port, it listens at that.
type client struct {
	name    string
	command func(magnet, node, dir, port string) ([]string, error)
}

var clients = []client{
	{"kouzui", func(magnet, node, dir, _ string) ([]string, error) {
		return []string{*program, "info", magnet, "--save", filepath.Join(dir, "a.torrent"), "--bind", loopback, "--allow-private",
			"--dht", "on", "--dht-bootstrap", node}, nil
	}},
	{"libtorrent", func(magnet, node, dir, port string) ([]string, error) {
		return counterpart.LibtorrentMetadata(dir, magnet, loopback, port, node)
	}},
	{"aria2", func(magnet, node, dir, port string) ([]string, error) {
		return []string{"aria2c", "--no-conf", "--dir=" + dir, "--interface=" + loopback, "--bt-external-ip=" + loopback, "--disable-ipv6",
			"--enable-dht", "--dht-listen-port=" + port, "--listen-port=" + port, "--dht-entry-point=" + node,
			"--dht-file-path=" + filepath.Join(dir, "dht.dat"), "--bt-enable-lpd=false", "--bt-metadata-only", "--bt-save-metadata",
			"--seed-time=0", "--summary-interval=0", magnet}, nil
	}},
}

// errMissed is returned for a client that has not got the metadata in time.
var errMissed = errors.New("it has not got the metadata in time")

// takeTurns has each client fetch in each round, and returns what each took.
// The times of those that missed are left out.
func takeTurns(chosen []client, rounds int, fetch func(c client, round int) (time.Duration, error)) (took map[string][]time.Duration, err error) {
	took = map[string][]time.Duration{}
	for round := range rounds {
		for _, c := range chosen {
			span, err := fetch(c, round)
			if errors.Is(err, errMissed) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			took[c.name] = append(took[c.name], span)
		}
	}
	return took, nil
}

// fetchTable is the table of what takeTurns returns.
func fetchTable(chosen []client, rounds int, took map[string][]time.Duration) string {
	var rows [][]string
	for _, c := range chosen {
		var seconds []float64
		for _, span := range took[c.name] {
			seconds = append(seconds, span.Seconds())
		}
		shown := "–"
		if s, is := spread.Of(seconds); is {
			shown = s.Show(2)
		}
		if missed := rounds - len(seconds); missed > 0 {
			shown += fmt.Sprintf("; %d not within %v", missed, most)
		}
		rows = append(rows, []string{c.name, shown})
	}
	return page.Table([]string{fmt.Sprintf("metadata by a DHT of %d nodes, %d rounds", nodes, rounds), "wall s"}, rows)
}

// fetch is how long a client takes.
func (f *field) fetch(ctx context.Context, c client, dir string) (time.Duration, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	words, err := c.command(f.magnet, f.dht.Nodes[0], dir, strconv.Itoa(counterpart.NewPlace().Port))
	if err != nil {
		return 0, err
	}
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	command := exec.CommandContext(within, words[0], words[1:]...)
	command.Dir, command.Env = dir, append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_DATA_HOME="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	said, err := command.CombinedOutput()
	switch {
	case err == nil:
		return time.Since(begin), nil
	case within.Err() != nil && ctx.Err() == nil:
		return 0, errMissed
	}
	return 0, fmt.Errorf("%w\n%s", err, said)
}
