//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

const (
	// settled is how long processes have run before they count as at rest: the
	// node's table is filled by then, and its first announce is over.
	settled = 20 * time.Second
	spans   = 3
)

// atRest is the table of what a kouzui takes that seeds a torrent nobody asks
// for: one with a node of the DHT, and beside it one without.
func (f *field) atRest(ctx context.Context) (table string, err error) {
	with, err := f.startIdle(ctx, "with", f.dht.Nodes)
	if err != nil {
		return "", err
	}
	defer with.Stop()
	without, err := f.startIdle(ctx, "without", nil)
	if err != nil {
		return "", err
	}
	defer without.Stop()
	if err := wait(ctx, settled); err != nil {
		return "", err
	}
	processes := []*counterpart.Process{with, without}
	shares := make([][]float64, len(processes)) // of a core, in percent
	for range spans {
		begin := time.Now()
		var before []time.Duration
		for _, p := range processes {
			before = append(before, p.Usage().CPU)
		}
		if err := wait(ctx, *rest); err != nil {
			return "", err
		}
		for i, p := range processes {
			spent := p.Usage().CPU - before[i]
			shares[i] = append(shares[i], 100*spent.Seconds()/time.Since(begin).Seconds())
		}
	}
	var rows [][]string
	for i, name := range []string{"with the DHT", "without"} {
		s, _ := spread.Of(shares[i])
		rows = append(rows, []string{name, s.Show(3)})
	}
	return page.Table([]string{fmt.Sprintf("kouzui seed at rest, %d spans of %v", spans, *rest), "CPU, % of a core"}, rows), nil
}

func (f *field) startIdle(ctx context.Context, name string, dht []string) (*counterpart.Process, error) {
	home := filepath.Join(f.dir, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	content, err := noise.New(home, "unwanted", 16<<10, []metainfo.FileSpec{{Length: 16 << 10}})
	if err != nil {
		return nil, err
	}
	return counterpart.Kouzui(*program).Start(ctx, counterpart.Task{
		Torrent: content.Torrent, Hash: content.Info.InfoHash.String(), Dir: content.Dir, Home: home,
		Place: counterpart.NewPlace(), Seed: true, DHT: dht,
	})
}

func wait(ctx context.Context, span time.Duration) error {
	select {
	case <-time.After(span):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
