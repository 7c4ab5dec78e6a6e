//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

// nobody is the URL of a tracker that does not run: rtorrent refuses torrents
// without a tracker.
const nobody = "http://127.0.0.1:1/announce"

// bench measures one part.
type bench struct {
	report
	homes    map[bool]string // by whether on a disk
	contents map[key]*noise.Content
	gaveUp   map[string]bool // clients that failed in a scenario and are not tried again there
}

func measure(ctx context.Context, p part, clients []participant, partner participant) (*report, error) {
	n := int(math.Ceil(float64(*rounds) * p.rounds))
	b := bench{
		report: report{part: p, clients: clients, size: *size * mib, rounds: n, partner: partner},
		homes:  map[bool]string{}, contents: map[key]*noise.Content{}, gaveUp: map[string]bool{},
	}
	for onDisk, parent := range map[bool]string{false: *dir, true: *disk} {
		home, err := b.place(parent, p.need(b.size, onDisk))
		defer os.RemoveAll(home)
		if err != nil {
			return nil, err
		}
		b.homes[onDisk] = home
	}
	for round := range b.rounds {
		for _, s := range p.scenarios {
			for i := range clients {
				if err := b.try(ctx, s, clients[(i+round)%len(clients)], round); err != nil {
					return nil, err
				}
			}
		}
	}
	return &b.report, nil
}

// place makes a folder in parent, unless need is 0.
func (b *bench) place(parent string, need int64) (home string, err error) {
	if need == 0 {
		return "", nil
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	var s unix.Statfs_t
	if err := unix.Statfs(parent, &s); err != nil {
		return "", &os.PathError{Op: "statfs", Path: parent, Err: err}
	}
	if free := int64(s.Bavail) * s.Bsize; free < need {
		return "", fmt.Errorf("%s has %s free, and %s are needed: a smaller -size takes less", parent, bytesOf(free), bytesOf(need))
	}
	return os.MkdirTemp(parent, "kouzui-bench")
}

// try measures one client. A failure of the client goes into the report; an
// error ends the whole program.
func (b *bench) try(ctx context.Context, s scenario, c participant, round int) error {
	what := strings.Join(strings.Fields(b.part.name+" "+s.direction()+" "+s.name+" "+c.Name), " ")
	if !s.takes(c, round) || b.gaveUp[what] {
		return nil
	}
	content, err := b.content(s)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp(b.homes[s.disk], "run")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	t := transfer{scenario: s, client: c, partner: b.partner, content: content, home: home}
	r, err := t.run(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		b.gaveUp[what] = true
		first, _, _ := strings.Cut(err.Error(), "\n")
		b.failures = append(b.failures, what+": "+first)
		fmt.Fprintf(os.Stderr, "round %d: %s: %s\n", round+1, what, first)
		return nil
	}
	r.Part, r.Round = b.part.name, round+1
	b.runs = append(b.runs, r)
	fmt.Fprintf(os.Stderr, "round %d: %s: CPU %.2f s/GiB, wall %.2f s, resident %s\n", round+1, what, r.CPU, r.Wall, bytesOf(r.Resident))
	return nil
}

// content makes the content of a scenario, once in a part.
func (b *bench) content(s scenario) (*noise.Content, error) {
	k := s.content(b.size)
	if c := b.contents[k]; c != nil {
		return c, nil
	}
	home := filepath.Join(b.homes[k.disk], fmt.Sprintf("content-%d-%d", k.piece, k.length))
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	c, err := noise.New(home, "bench", k.piece, []metainfo.FileSpec{{Length: k.length}}, nobody)
	b.contents[k] = c
	return c, err
}
