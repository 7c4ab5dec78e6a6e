//go:build linux

package main

import (
	"context"
	"fmt"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

var files = Scenario{
	Name:  "files",
	Title: "Files",
	About: `1 GiB in files of equal length, a hundred a folder, in pieces of 256 KiB: downloaded from one seed, then checked by ` + "`verify`" + `
and hashed by ` + "`create`" + `.`,
	Size:  chart.Axis{Label: "files", Log: true},
	Sizes: []int{1, 100, 1000, 10_000},
	Panels: []Panel{
		{Title: "Processor time", Axis: chart.Axis{Label: "seconds a GiB"}, Columns: []string{"download", "seed", "verify", "create"}},
		{Title: "Time from start to end", Axis: chart.Axis{Label: "seconds"}, Columns: []string{"download, s", "verify, s", "create, s"}},
		{Title: "Memory", Axis: chart.Axis{Label: "MiB resident at most"}, Columns: []string{"download, MiB"}},
		{Title: "Files open when it is complete", Axis: chart.Axis{Label: "descriptors"}, Columns: []string{"descriptors"}},
	},
	Measure: measureFiles,
}

func measureFiles(ctx context.Context, e *Env, size int) ([]float64, error) {
	list := make([]metainfo.FileSpec, size)
	for i := range list {
		list[i] = metainfo.FileSpec{Path: []string{fmt.Sprintf("folder-%03d", i/100), fmt.Sprintf("file-%05d", i)}, Length: gibibyte / int64(size)}
	}
	content, err := noise.New(e.Dir, "files", 256<<10, list)
	if err != nil {
		return nil, err
	}
	f, err := e.fetch(ctx, content)
	if err != nil {
		return nil, err
	}
	verify, create, err := e.hash(ctx, content, "files", "256K")
	if err != nil {
		return nil, err
	}
	return []float64{
		f.cpu.Seconds(), f.seed.Seconds(), verify.cpu.Seconds(), create.cpu.Seconds(),
		f.wall.Seconds(), verify.wall.Seconds(), create.wall.Seconds(),
		mebibytes(f.peak), float64(f.open),
	}, nil
}
