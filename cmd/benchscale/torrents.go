//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

var torrents = Scenario{
	Name:  "torrents",
	Title: "Torrents in one process",
	About: `Torrents of 64 KiB that one process seeds while nobody wants them, watched for 10 s once all are checked. A wake is one thread's
return from waiting.`,
	Size:  chart.Axis{Label: "torrents", Log: true},
	Sizes: []int{1, 10, 50, 200, 500},
	Panels: []Panel{
		{
			Title: "Processor time of torrents at rest", Axis: chart.Axis{Label: "% of one core"}, Columns: []string{"idle CPU %"},
			Limits: []chart.Limit{{Name: "1 %", Y: 1}},
		},
		{Title: "Wakes", Axis: chart.Axis{Label: "a second"}, Columns: []string{"wakes a second"}},
		{Title: "Memory of the process", Axis: chart.Axis{Label: "MiB resident"}, Columns: []string{"MiB"}},
		{Title: "Files open", Axis: chart.Axis{Label: "descriptors"}, Columns: []string{"descriptors"}},
	},
	Measure: measureTorrents,
}

const resting = 10 * time.Second

func measureTorrents(ctx context.Context, e *Env, size int) ([]float64, error) {
	var first *noise.Content
	var others []string
	for i := range size {
		content, err := noise.New(e.Dir, fmt.Sprintf("torrent-%04d", i), 16<<10, []metainfo.FileSpec{{Length: 64 << 10}})
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = content
		} else {
			others = append(others, content.Torrent)
		}
	}
	seed, err := e.seed(ctx, first, others...)
	if err != nil {
		return nil, err
	}
	defer seed.Stop()
	time.Sleep(settling)
	before := seed.Usage()
	time.Sleep(resting)
	after := seed.Usage()
	return []float64{
		(after.CPU - before.CPU).Seconds() / resting.Seconds() * 100,
		float64(after.Wakes-before.Wakes) / resting.Seconds(),
		mebibytes(after.Resident),
		float64(after.OpenFiles),
	}, nil
}
