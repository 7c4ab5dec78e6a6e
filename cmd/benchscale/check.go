//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

var check = Scenario{
	Name:  "check",
	Title: "A full check",
	About: `2 GiB in one file in memory, hashed whole: by a seed that is told ` + "`--check full`" + `, by ` + "`verify`" + ` and by ` + "`create`" + `. The times
include those of a process to start.`,
	Size:  chart.Axis{Label: "KiB a piece", Log: true},
	Sizes: []int{16, 64, 256, 1024, 4096, 16384},
	Panels: []Panel{
		{Title: "Speed", Axis: chart.Axis{Label: "GiB a second"}, Columns: []string{"seed, GiB/s", "verify, GiB/s", "create, GiB/s"}},
		{Title: "Processor time", Axis: chart.Axis{Label: "seconds a GiB"}, Columns: []string{"seed", "verify", "create"}},
	},
	Measure: measureCheck,
}

const checkContent = 2 * gibibyte

func measureCheck(ctx context.Context, e *Env, kibibytes int) ([]float64, error) {
	content, err := noise.New(e.Dir, "check", int64(kibibytes)<<10, []metainfo.FileSpec{{Length: checkContent}})
	if err != nil {
		return nil, err
	}
	verify, create, err := e.hash(ctx, content, "check", fmt.Sprintf("%dK", kibibytes))
	if err != nil {
		return nil, err
	}
	seed, err := e.begin(ctx, content, "--check", "full")
	if err != nil {
		return nil, err
	}
	const each = float64(checkContent / gibibyte)
	return []float64{
		each / seed.wall.Seconds(), each / verify.wall.Seconds(), each / create.wall.Seconds(),
		seed.cpu.Seconds() / each, verify.cpu.Seconds() / each, create.cpu.Seconds() / each,
	}, nil
}

// hash verifies content and makes a torrent of it. The content is read once
// before, so that its memory is warm.
func (e *Env) hash(ctx context.Context, content *noise.Content, name, pieceLength string) (verify, create cost, err error) {
	for range 2 {
		if verify, err = e.run(ctx, "verify", content.Torrent, "--dir", content.Dir); err != nil {
			return verify, create, err
		}
	}
	out := filepath.Join(e.Dir, "again.torrent")
	defer os.Remove(out)
	create, err = e.run(ctx, "create", filepath.Join(content.Dir, name), "--piece-length", pieceLength, "--output", out)
	return verify, create, err
}

// begin starts a seed, and stops it as soon as it seeds.
func (e *Env) begin(ctx context.Context, content *noise.Content, flags ...string) (cost, error) {
	begin := time.Now()
	p, err := e.seed(ctx, content, flags...)
	if err != nil {
		return cost{}, err
	}
	took := cost{time.Since(begin), p.Usage().CPU}
	p.Stop()
	return took, nil
}
