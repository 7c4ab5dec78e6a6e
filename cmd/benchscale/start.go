//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"os"
	"path/filepath"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

var start = Scenario{
	Name:  "start",
	Title: "Starting with known data",
	About: `From the start of the process until it seeds, with data that an earlier run has checked, in one file and pieces of 1 MiB. The
file is one hole, which the journal does not know: it vouches for pieces by what the file looks like.`,
	Size:  chart.Axis{Label: "GiB", Log: true},
	Sizes: []int{1, 10, 100, 300},
	Panels: []Panel{
		{
			Title: "Time until it seeds", Axis: chart.Axis{Label: "seconds"}, Columns: []string{"seconds"},
			Limits: []chart.Limit{{Name: "1 s", Y: 1}},
		},
		{Title: "Processor time", Axis: chart.Axis{Label: "seconds"}, Columns: []string{"CPU seconds"}},
	},
	Measure: measureStart,
}

func measureStart(ctx context.Context, e *Env, size int) ([]float64, error) {
	content, err := hole(e.Dir, int64(size)*gibibyte)
	if err != nil {
		return nil, err
	}
	if _, err := e.begin(ctx, content); err != nil { // checks, and writes the journal
		return nil, err
	}
	took, err := e.begin(ctx, content)
	return []float64{took.wall.Seconds(), took.cpu.Seconds()}, err
}

// hole makes content that takes no space: a sparse file, which reads as zeros.
func hole(dir string, length int64) (*noise.Content, error) {
	const piece = 1 << 20
	sum := sha1.Sum(make([]byte, piece))
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: "hole", Single: true, PieceLength: piece, Files: []metainfo.FileSpec{{Length: length}},
		Pieces: bytes.Repeat(sum[:], int(length/piece)),
	})
	if err != nil {
		return nil, err
	}
	c := &noise.Content{Torrent: filepath.Join(dir, "hole.torrent"), Dir: filepath.Join(dir, "content")}
	if c.Info, err = metainfo.Parse(raw); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "hole"), nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(filepath.Join(c.Dir, "hole"), length); err != nil {
		return nil, err
	}
	return c, os.WriteFile(c.Torrent, raw, 0o600)
}
