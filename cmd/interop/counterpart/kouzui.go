//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

func startKouzui(ctx context.Context, program string, t Task, flags ...string) (*Process, error) {
	args := []string{"download", t.Torrent, "--dir", t.Dir, "--json", "-v",
		"--listen", t.Place.Host, "--listen-port", strconv.Itoa(t.Place.Port)}
	if t.Seed {
		args[0] = "seed"
	} else if t.Stay {
		args = append(args, "--seed")
	}
	for _, peer := range t.Peers {
		args = append(args, "--peer", peer)
	}
	program, args = t.command(program, append(args, flags...)...)
	complete := make(chan struct{})
	var once sync.Once
	p, err := launch(ctx, t.Home, func(text string) {
		var line struct{ Type, State string }
		if json.Unmarshal([]byte(text), &line) != nil {
			return
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
	if err == nil && (t.Stay || t.Seed || len(t.Peers) == 0) {
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
		Announce: func(p Place) []string { return []string{announceHTTP(p)} },
		program:  program,
		version:  []string{program, "version"},
		start: func(ctx context.Context, home string, at Place, _ string) (*Process, error) {
			return startTracker(ctx, "kouzui tracker", home, at, program, "tracker", "--listen", at.Peer())
		},
	}
}
