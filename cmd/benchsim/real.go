//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// swarm plays a scenario with processes instead of simulated clients. Each
// class has one node.
type swarm struct {
	*lab.Scenario
	kouzui string
	dir    string // empty
}

// errNotReal is the error for scenarios that processes on the loopback cannot
// play.
var errNotReal = errors.New("the loopback has no delays, losses, slow disks, faults or events; nodes come with all or nothing")

// withArrivals draws when each node comes: in the result each node is a class
// of its own, so that processes and simulated clients come at the same times.
func withArrivals(s *lab.Scenario, round uint64) *lab.Scenario {
	const stream = 0xA881
	rnd := rand.New(rand.NewPCG(round, stream))
	drawn := *s
	drawn.Class = nil
	for _, c := range s.Class {
		for k := range c.Count {
			one := c
			one.Name, one.Count, one.Within = c.Name+strconv.Itoa(k), 1, 0
			if c.Within > 0 {
				one.Arrive += lab.Time(rnd.Int64N(int64(c.Within)))
			}
			drawn.Class = append(drawn.Class, one)
		}
	}
	return &drawn
}

// play returns how long each downloader took from its arrival to completion.
func (s *swarm) play(ctx context.Context) (times []time.Duration, err error) {
	if err := s.playable(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Limit))
	defer cancel()
	home, err := os.MkdirTemp(s.dir, "round")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	tracker, at := counterpart.KouzuiTracker(s.kouzui), place()
	content, err := noise.New(home, "content", int64(s.Piece), []metainfo.FileSpec{{Length: int64(s.Content)}}, tracker.Announce(at)...)
	if err != nil {
		return nil, err
	}
	served, err := tracker.Start(ctx, home, at, content.Info.InfoHash.String())
	if err != nil {
		return nil, err
	}
	defer served.Stop()

	begin := time.Now()
	var mu sync.Mutex // guards times
	complete := func(took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if times = append(times, took); len(times) == s.downloaders() {
			cancel() // all are complete
		}
	}
	var all errgroup.Group
	for i := range s.Class {
		c := &s.Class[i]
		m := member{s, c, content, filepath.Join(home, c.Name)}
		all.Go(func() error {
			err := m.play(ctx, begin.Add(time.Duration(c.Arrive)), complete)
			if err != nil {
				cancel()
				err = fmt.Errorf("%s: %w", c.Name, err)
			}
			return err
		})
	}
	err = all.Wait()
	slices.Sort(times)
	return times, err
}

func (s *swarm) downloaders() (n int) {
	for i := range s.Class {
		if s.Class[i].Have < 1 {
			n += s.Class[i].Count
		}
	}
	return n
}

func (s *swarm) playable() error {
	for i := range s.Class {
		c := &s.Class[i]
		if c.Delay != 0 || c.Jitter != 0 || c.Loss != 0 || c.Disk != (lab.Disk{}) || len(c.Faults) > 0 || c.Leave != "" ||
			c.Copies > 0 || c.Have > 0 && c.Have < 1 || !c.Limits || len(s.Event) > 0 {
			return errNotReal
		}
	}
	return nil
}

// member is one process.
type member struct {
	*swarm
	class   *lab.Class
	content *noise.Content
	home    string
}

// play starts the process at its time and reports how long a download took. The
// process runs until ctx ends, because others may need it.
func (m member) play(ctx context.Context, at time.Time, complete func(took time.Duration)) error {
	c := m.class
	task := counterpart.Task{
		Torrent: m.content.Torrent, Hash: m.content.Info.InfoHash.String(), Dir: filepath.Join(m.home, "data"), Home: m.home,
		Place: place(), Seed: c.Have == 1, Stay: true,
	}
	if err := os.MkdirAll(task.Dir, 0o755); err != nil {
		return err
	}
	if task.Seed {
		if err := m.content.Link(task.Dir); err != nil {
			return err
		}
	}
	select {
	case <-time.After(time.Until(at)):
	case <-ctx.Done():
		return ctx.Err()
	}
	flags := []string{"--max-upload-limit", rate(c.Up)}
	optional := []struct{ name, value string }{{"--choker", c.Choker}, {"--unchoke-slots", number(c.Slots)}, {"--max-peers", number(c.Peers)}}
	if !task.Seed {
		flags = append(flags, "--max-download-limit", rate(c.Down))
		optional = append(optional, struct{ name, value string }{"--picker", c.Picker})
	}
	for _, f := range optional {
		if f.value != "" {
			flags = append(flags, f.name, f.value)
		}
	}
	p, err := counterpart.Kouzui(m.kouzui, flags...).Start(ctx, task)
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := p.Complete(ctx); err != nil {
		return err
	}
	if !task.Seed {
		took := time.Since(at)
		if err := m.content.Verify(task.Dir, false); err != nil {
			return err
		}
		complete(took)
	}
	<-ctx.Done()
	return nil
}

func rate(n lab.Rate) string { return strconv.FormatInt(int64(n), 10) }

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// place is on 127.0.0.1, from which the tracker sees all processes announce.
func place() counterpart.Place {
	p := counterpart.NewPlace()
	p.Host = "127.0.0.1"
	return p
}
