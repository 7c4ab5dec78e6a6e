//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

const (
	// restNodes is how many nodes the DHT has in which a process rests: such that
	// the table of a node, whose buckets are bounded, has 200 of them and more.
	restNodes = 250
	spans     = 3
)

// atRest is the table of what a kouzui takes that seeds a torrent nobody asks
// for: one with a node of the DHT, which knows most of the other nodes, and
// beside it, in the same spans, one without.
func (f *field) atRest(ctx context.Context) (table string, err error) {
	home := filepath.Join(f.dir, "rest")
	if err := os.Mkdir(home, 0o700); err != nil {
		return "", err
	}
	dht, err := counterpart.StartDHT(ctx, *npm, home, []string{loopback}, counterpart.NewPlace().Port, restNodes)
	if err != nil {
		return "", err
	}
	defer dht.Stop()
	with, err := f.startIdle(ctx, "with the DHT", dht.Nodes)
	if err != nil {
		return "", err
	}
	defer with.Stop()
	without, err := f.startIdle(ctx, "without", nil)
	if err != nil {
		return "", err
	}
	defer without.Stop()
	if err := dht.Greet(ctx, with.Addr); err != nil {
		return "", err
	}
	if err := wait(ctx, *settle); err != nil {
		return "", err
	}
	processes := []*idle{with, without}
	for range spans {
		begin := time.Now()
		before := make([]time.Duration, len(processes))
		for i, p := range processes {
			before[i] = p.Usage().CPU
		}
		if err := wait(ctx, *rest); err != nil {
			return "", err
		}
		for i, p := range processes {
			p.sample(p.Usage().CPU-before[i], time.Since(begin))
		}
	}
	dhtAlone := make([]float64, spans)
	for i := range dhtAlone {
		dhtAlone[i] = with.shares[i] - without.shares[i]
	}
	cost, _ := spread.Of(dhtAlone)
	rows := [][]string{with.row(), without.row(), {"difference", "", cost.Show(3)}}
	title := fmt.Sprintf("kouzui seed at rest for %v, %d spans of %v", *settle, spans, *rest)
	return page.Table([]string{title, "nodes known", "CPU, % of a core"}, rows), nil
}

// idle is a kouzui that seeds a torrent nobody asks for.
type idle struct {
	*counterpart.Process
	name   string
	nodes  atomic.Int64 // that it knew last
	shares []float64    // of a core, in percent, by span
	known  []float64    // nodes, at the end of each span
}

func (f *field) startIdle(ctx context.Context, name string, dht []string) (*idle, error) {
	home := filepath.Join(f.dir, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	content, err := noise.New(home, "unwanted", 16<<10, []metainfo.FileSpec{{Length: 16 << 10}})
	if err != nil {
		return nil, err
	}
	p := &idle{name: name}
	p.Process, err = counterpart.Kouzui(*program).Start(ctx, counterpart.Task{
		Torrent: content.Torrent, Hash: content.Info.InfoHash.String(), Dir: content.Dir, Home: home,
		Place: counterpart.NewPlace(), Seed: true, DHT: dht,
		Watch: func(news counterpart.Progress) { p.nodes.Store(int64(news.DHTNodes)) },
	})
	return p, err
}

func (p *idle) sample(spent, span time.Duration) {
	p.shares = append(p.shares, 100*spent.Seconds()/span.Seconds())
	p.known = append(p.known, float64(p.nodes.Load()))
}

func (p *idle) row() []string {
	known, _ := spread.Of(slices.Clone(p.known))
	share, _ := spread.Of(slices.Clone(p.shares))
	return []string{p.name, known.Show(0), share.Show(3)}
}

func wait(ctx context.Context, span time.Duration) error {
	select {
	case <-time.After(span):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
