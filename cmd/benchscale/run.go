//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
)

const gibibyte = 1 << 30

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// seed starts a Kouzui that seeds content. The further arguments are flags, and
// other torrents whose content lies in the same folder.
func (e *Env) seed(ctx context.Context, content *noise.Content, more ...string) (*counterpart.Process, error) {
	home, err := os.MkdirTemp(e.Dir, "seed")
	if err != nil {
		return nil, err
	}
	return counterpart.Kouzui(e.Kouzui, more...).Start(ctx, counterpart.Task{
		Torrent: content.Torrent, Hash: content.Info.InfoHash.String(), Place: counterpart.NewPlace(),
		Home: home, Dir: content.Dir, Seed: true,
	})
}

// cost is what a run of a program took, in time.
type cost struct{ wall, cpu time.Duration }

// run runs Kouzui to its end.
func (e *Env) run(ctx context.Context, args ...string) (cost, error) {
	c := exec.CommandContext(ctx, e.Kouzui, args...)
	begin := time.Now()
	said, err := c.CombinedOutput()
	if err != nil {
		return cost{}, fmt.Errorf("kouzui %s: %w: %s", args[0], err, strings.TrimSpace(string(said)))
	}
	return cost{time.Since(begin), c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, nil
}

// fetched is a download from one seed, both by Kouzui.
type fetched struct {
	cost
	seed       time.Duration // processor time
	peak, open int64         // of the downloader: bytes resident, descriptors when it is complete
}

// fetch downloads content into a folder of its own and removes it again.
func (e *Env) fetch(ctx context.Context, content *noise.Content) (f fetched, err error) {
	seed, err := e.seed(ctx, content)
	if err != nil {
		return f, err
	}
	defer seed.Stop()
	task, err := e.task(content)
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(task.Home)
	task.Peers = []string{seed.Addr}
	before := seed.Usage().CPU
	begin := time.Now()
	p, err := counterpart.Kouzui(e.Kouzui).Start(ctx, task)
	if err != nil {
		return f, err
	}
	defer p.Stop()
	if err := p.Complete(ctx); err != nil {
		return f, err
	}
	f.wall = time.Since(begin)
	used := p.Usage()
	f.cpu, f.peak, f.open = used.CPU, used.Peak, int64(used.OpenFiles)
	f.seed = seed.Usage().CPU - before
	return f, content.Verify(task.Dir, false)
}

// warm touches as much memory as the measurement will fill: memory that a
// virtual machine has not used lately may cost more than everything that is
// measured.
func (e *Env) warm(bytes int64) error {
	f, err := os.CreateTemp(e.Dir, "warm")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, err = io.CopyN(f, zeros{}, bytes)
	return err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
