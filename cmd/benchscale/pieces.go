//go:build linux

package main

import (
	"context"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

var pieces = Scenario{
	Name:  "pieces",
	Title: "Pieces",
	About: `A download of pieces of 16 KiB, which is one block each, from one seed: what is paid for each piece, and whether it grows with
their number.`,
	Size:  chart.Axis{Label: "pieces", Log: true},
	Sizes: []int{10_000, 30_000, 100_000},
	Panels: []Panel{
		{Title: "Processor time of a piece", Axis: chart.Axis{Label: "µs"}, Columns: []string{"download, µs a piece", "seed, µs a piece"}},
		{Title: "Memory", Axis: chart.Axis{Label: "MiB resident at most"}, Columns: []string{"download, MiB"}},
		{Title: "Time from start to end", Axis: chart.Axis{Label: "seconds"}, Columns: []string{"seconds"}},
	},
	Measure: measurePieces,
}

func measurePieces(ctx context.Context, e *Env, size int) ([]float64, error) {
	content, err := noise.New(e.Dir, "pieces", 16<<10, []metainfo.FileSpec{{Length: int64(size) * 16 << 10}})
	if err != nil {
		return nil, err
	}
	f, err := e.fetch(ctx, content)
	if err != nil {
		return nil, err
	}
	each := func(seconds float64) float64 { return seconds * 1e6 / float64(size) }
	return []float64{each(f.cpu.Seconds()), each(f.seed.Seconds()), mebibytes(f.peak), f.wall.Seconds()}, nil
}
