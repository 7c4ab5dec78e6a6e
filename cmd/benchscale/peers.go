//go:build linux

package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

var peers = Scenario{
	Name:  "peers",
	Title: "Connected peers",
	About: `A download of 1 GiB in pieces of 1 MiB to which a crowd is connected: peers that have half of the pieces, are
interested, and neither speak nor read. How much the process grows with each of them is measured when all are there and
nothing moves; then one more peer that has everything serves the torrent, and, once the crowd has lost its interest,
another one fetches it. These share the processors with what is measured, so the speed is not Kouzui's alone; its processor
time is.`,
	Size:  chart.Axis{Label: "connected peers", Log: true},
	Sizes: []int{1, 300, 1000, 5000},
	Panels: []Panel{
		{
			Title: "Memory of an idle peer", Axis: chart.Axis{Label: "KiB resident"}, Columns: []string{"KiB a peer"},
			Limits: []chart.Limit{{Name: "12 KiB", Y: 12}},
		},
		{
			Title: "Goroutines of an idle peer", Axis: chart.Axis{Label: "goroutines"}, Columns: []string{"goroutines a peer"},
			Limits: []chart.Limit{{Name: "2", Y: 2}},
		},
		{Title: "Processor time of a silent crowd", Axis: chart.Axis{Label: "% of one core"}, Columns: []string{"idle CPU %"}},
		{
			Title: "Processor time of a download beside it", Axis: chart.Axis{Label: "seconds a GiB"},
			Columns: []string{"download CPU s/GiB"},
		},
		{Title: "Speed of the one active peer", Axis: chart.Axis{Label: "MiB a second"}, Columns: []string{"download MiB/s", "upload MiB/s"}},
	},
	Measure: measurePeers,
}

const (
	peersContent = 1 << 30
	peersPiece   = 1 << 20
	// fewPeers is how many peers are connected before the memory of one more is
	// measured: the first peers also pay for what all peers share.
	fewPeers = 50
	// settling is how long the process is left alone before it is measured, and
	// watching how long it is measured while it does nothing.
	settling = 2 * time.Second
	watching = 4 * time.Second
	// countable is the least crowd in which the memory of one peer can be
	// measured.
	countable = 300
)

func measurePeers(ctx context.Context, e *Env, size int) ([]float64, error) {
	content, err := noise.New(e.Dir, "crowd", peersPiece, []metainfo.FileSpec{{Length: peersContent}})
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(content.Dir, "crowd"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	task, err := e.task(content)
	if err != nil {
		return nil, err
	}
	kouzui, err := counterpart.Kouzui(e.Kouzui, "--max-peers", strconv.Itoa(size+fewPeers+10)).Start(ctx, task)
	if err != nil {
		return nil, err
	}
	defer kouzui.Stop()

	torrent := content.Info
	crowd := crowd{addr: kouzui.Addr, torrent: torrent}
	defer crowd.leave()
	if err := crowd.grow(ctx, min(size, fewPeers)); err != nil {
		return nil, err
	}
	time.Sleep(settling)
	before := kouzui.Usage().Resident
	if err := crowd.grow(ctx, size); err != nil {
		return nil, err
	}
	time.Sleep(settling)
	idle := kouzui.Usage()
	memory := math.NaN()
	if size >= countable {
		memory = float64(idle.Resident-before) / float64(size-fewPeers) / 1024
	}
	time.Sleep(watching)
	cpu := (kouzui.Usage().CPU - idle.CPU).Seconds() / watching.Seconds() * 100

	if err := e.warm(peersContent); err != nil {
		return nil, err
	}
	source, err := dial(ctx, kouzui.Addr, torrent.InfoHash)
	if err != nil {
		return nil, err
	}
	idle = kouzui.Usage()
	begin := time.Now()
	go source.serve(torrent, file)
	if err := kouzui.Complete(ctx); err != nil {
		return nil, err
	}
	down := time.Since(begin)
	spent := (kouzui.Usage().CPU - idle.CPU).Seconds() / peersContent * gibibyte
	if err := content.Verify(task.Dir, false); err != nil {
		return nil, err
	}
	if err := crowd.lose(); err != nil {
		return nil, err
	}
	sink, err := dial(ctx, kouzui.Addr, torrent.InfoHash)
	if err != nil {
		return nil, err
	}
	up, err := sink.fetch(torrent)
	if err != nil {
		return nil, err
	}
	goroutines := math.NaN()
	if size >= countable {
		n, err := kouzui.Goroutines()
		if err != nil {
			return nil, err
		}
		goroutines = float64(n) / float64(size)
	}
	speed := func(d time.Duration) float64 { return float64(torrent.Length) / (1 << 20) / d.Seconds() }
	return []float64{memory, goroutines, cpu, spent, speed(down), speed(up)}, nil
}

// task is a download of content into a folder of its own. The process goes on
// seeding.
func (e *Env) task(content *noise.Content) (counterpart.Task, error) {
	home, err := os.MkdirTemp(e.Dir, "kouzui")
	if err != nil {
		return counterpart.Task{}, err
	}
	t := counterpart.Task{
		Torrent: content.Torrent, Hash: content.Info.InfoHash.String(), Place: counterpart.NewPlace(),
		Home: home, Dir: filepath.Join(home, "data"), Stay: true,
	}
	return t, os.Mkdir(t.Dir, 0o700)
}
