//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// Run is one transfer by one client.
type Run struct {
	Client    string  `json:"client"`
	Direction string  `json:"direction"` // download or seed
	Round     int     `json:"round"`
	CPU       float64 `json:"cpu_seconds"`
	Wall      float64 `json:"wall_seconds"`
	Peak      int64   `json:"peak_bytes"`
	Anonymous int64   `json:"anonymous_bytes"`
}

// printTable shows the medians, those with the least processor time first.
func printTable(out io.Writer, runs []Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "direction\tclient\truns\tcpu s\t/ libtorrent\t/ aria2\twall s\tpeak\tanonymous\t")
	for _, direction := range []string{"download", "seed"} {
		rows := medians(runs, direction)
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%s\t%d\t%.2f\t%s\t%s\t%.2f\t%s\t%s\t\n", direction, r.Client, r.Round, r.CPU,
				ratio(r, rows, "libtorrent"), ratio(r, rows, "aria2"), r.Wall,
				humanize.IBytes(uint64(r.Peak)), humanize.IBytes(uint64(r.Anonymous)))
		}
	}
	return w.Flush()
}

// medians returns a row for each client; its Round is the number of runs.
func medians(runs []Run, direction string) (rows []Run) {
	by := map[string][]Run{}
	for _, r := range runs {
		if r.Direction == direction {
			by[r.Client] = append(by[r.Client], r)
		}
	}
	for client, all := range by {
		rows = append(rows, Run{
			Client: client, Direction: direction, Round: len(all),
			CPU:       median(all, func(r Run) float64 { return r.CPU }),
			Wall:      median(all, func(r Run) float64 { return r.Wall }),
			Peak:      median(all, func(r Run) int64 { return r.Peak }),
			Anonymous: median(all, func(r Run) int64 { return r.Anonymous }),
		})
	}
	slices.SortFunc(rows, func(a, b Run) int { return cmp.Or(cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Client, b.Client)) })
	return rows
}

func median[T cmp.Ordered](runs []Run, of func(Run) T) T {
	values := make([]T, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

func ratio(r Run, rows []Run, other string) string {
	for _, o := range rows {
		if o.Client == other && o.CPU > 0 {
			return fmt.Sprintf("%.2f", r.CPU/o.CPU)
		}
	}
	return "-"
}
