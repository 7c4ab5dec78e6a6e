//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kouzui is this project's client, built at program. Its JSON lines tell its
// state. A download ends when it is complete, unless Task.Stay. The flags are
// added to those of the Task.
func Kouzui(program string, flags ...string) Client {
	return Client{
		Name:    "kouzui",
		Dials:   true,
		program: program,
		version: []string{program, "version"},
		start:   func(ctx context.Context, t Task) (*Process, error) { return startKouzui(ctx, program, t, flags...) },
	}
}

// TracedKouzui is Kouzui that writes everything it can trace to a file.
func TracedKouzui(program string, flags ...string) Client {
	c := Kouzui(program, flags...)
	c.Name = "kouzui-traced"
	c.start = func(ctx context.Context, t Task) (*Process, error) {
		return startKouzui(ctx, program, t, slices.Concat(flags, []string{"--trace", filepath.Join(t.Home, "trace.jsonl"), "--trace-domain"})...)
	}
	return c
}

// Build is a kouzui, and flags for it.
type Build struct {
	Name  string // as it was given, or else the path and the flags
	Path  string // absolute
	Flags []string
	Named bool // the name was given
}

// Builds are the builds of a list with commas in between. Each is the path of a
// kouzui, perhaps with a name and a = before it and flags after it. Errors name
// -kouzui, the flag that lists them.
func Builds(list string) (all []Build, err error) {
	for text := range strings.SplitSeq(list, ",") {
		words := strings.Fields(text)
		if len(words) == 0 {
			return nil, fmt.Errorf("-kouzui %q: a build without a path", list)
		}
		name, path, named := strings.Cut(words[0], "=")
		if !named {
			name, path = text, words[0]
		}
		path, err := exec.LookPath(path)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Build{name, path, words[1:], named})
	}
	return all, nil
}

func startKouzui(ctx context.Context, program string, t Task, flags ...string) (*Process, error) {
	port := strconv.Itoa(t.Place.Port)
	if t.Closed {
		port = "none"
	}
	args := []string{"download", t.torrent(), "--dir", t.Dir, "--json", "-v", "--no-port-mapping", "--listen", t.Place.Host, "--listen-port", port}
	if t.Seed {
		args[0] = "seed"
		if t.SuperSeed {
			args = append(args, "--super-seed")
		}
	} else if t.Stay {
		args = append(args, "--seed")
	}
	for _, peer := range t.Peers {
		args = append(args, "--peer", peer)
	}
	if t.Magnet != "" {
		args = append(args, "--allow-private")
	}
	if len(t.DHT) > 0 {
		args = append(args, "--dht", "on", "--dht-bootstrap", t.DHT[0])
	}
	program, args = t.command(program, append(args, flags...)...)
	complete := make(chan struct{})
	var once sync.Once
	var wasted int64 // as it was told last
	var nodes int    // the same
	p, err := launch(ctx, t.Home, func(text string) {
		var line struct {
			Type, State string
			Pieces      json.RawMessage // of "piece" the pieces, of others their number
			Wasted      int64
			DHTNodes    int `json:"dht_nodes"`
		}
		if json.Unmarshal([]byte(text), &line) != nil {
			return
		}
		if t.Watch != nil {
			switch line.Type {
			case "piece":
				var pieces []int
				_ = json.Unmarshal(line.Pieces, &pieces)
				t.Watch(Progress{Pieces: pieces, Redundant: wasted, DHTNodes: nodes})
			case "progress", "torrent":
				wasted, nodes = line.Wasted, line.DHTNodes
				t.Watch(Progress{Redundant: wasted, DHTNodes: nodes})
			}
		}
		if line.Type == "completed" || line.Type == "progress" && line.State == "seeding" {
			once.Do(func() { close(complete) })
		}
	}, program, args...)
	if err != nil {
		return nil, err
	}
	p.complete = func(ctx context.Context) error { return p.wait(ctx, complete) }
	if t.Seed {
		err = p.complete(ctx)
	}
	if err == nil && !t.Closed && (t.Stay || t.Seed || len(t.Peers) == 0) {
		err = p.poll(ctx, p.listening) // it may be dialled, and some clients dial only once
	}
	return p.started("kouzui", err)
}

// listening tells whether a kouzui has said that it listens.
func (p *Process) listening(context.Context) (bool, error) {
	log, err := os.ReadFile(p.log)
	return bytes.Contains(log, []byte("listening")), err
}

// KouzuiTracker is the tracker of the kouzui built at program.
func KouzuiTracker(program string) Tracker {
	return Tracker{
		Name:     "kouzui tracker",
		Announce: func(p Place) []string { return []string{announceHTTP(p), announceUDP(p)} },
		program:  program,
		version:  []string{program, "version"},
		start: func(ctx context.Context, home string, at Place, _ string) (*Process, error) {
			return startTracker(ctx, "kouzui tracker", home, at, program, "tracker", "--listen", at.Peer())
		},
	}
}
