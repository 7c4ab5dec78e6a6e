//go:build linux

package main

import (
	"context"
	"math"
	"strconv"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/page"
)

// comparePickers plays a torrent in its transient state with each picker. For
// rarest first, Legout, Urvoy-Keller and Michiardi published what happens
// ("Rarest First and Choke Algorithms Are Enough", IMC 2006); they did not
// compare it with other pickers.
func comparePickers(ctx context.Context) (*section, error) {
	var panels [4]chart.Panel
	panels[0] = chart.Panel{Title: "Pieces that are with the seed alone", Y: chart.Axis{Label: "pieces"}}
	panels[1] = chart.Panel{Title: "Copies of the rarest piece", Y: chart.Axis{Label: "copies"}}
	panels[2] = chart.Panel{Title: "Entropy", Y: chart.Axis{Label: "pairs that are interested", To: 1}}
	panels[3] = chart.Panel{Title: "Complete", Y: chart.Axis{Label: "% of the downloaders", To: 100}}
	var rows [][]string
	end := 0.0
	for _, picker := range pattern.Names("picker") {
		s, err := read("rarest-first.toml")
		if err != nil {
			return nil, err
		}
		for i := range s.Class {
			s.Class[i].Picker = picker
		}
		results, err := simulate(ctx, s)
		if err != nil {
			return nil, err
		}
		rows = append(rows, describe(picker, results))
		for i, of := range []func(lab.Sample, *lab.Result) float64{
			func(s lab.Sample, r *lab.Result) float64 { return float64(r.Pieces - s.Out) },
			func(s lab.Sample, _ *lab.Result) float64 { return float64(s.Least) },
			func(s lab.Sample, _ *lab.Result) float64 { return s.Entropy },
			func(s lab.Sample, r *lab.Result) float64 {
				return 100 * float64(max(0, s.Complete-1)) / float64(r.Downloaders()) // but the seed
			},
		} {
			panels[i].Series = append(panels[i].Series, over(picker, results, of))
		}
		for _, r := range results {
			end = max(end, r.End.Seconds())
		}
		if picker == pattern.Names("picker")[0] {
			panels[0].Marks = []chart.Mark{{Name: "F/u of the seed", X: results[0].Seeds.Seconds()}}
		}
	}
	for i := range panels {
		panels[i].X = chart.Axis{Label: "s", To: end}
	}
	head := []string{"picker", "until all is out, s", "sent by the seed, copies", "entropy", "median, s", "last, s", "twice, %"}
	text := page.Table(head, rows) + "\nMeans of " + strconv.Itoa(*seeds) + " seeds, and the least and the most of them.\n"
	f := chart.Figure{Title: "Rarest first against other pickers, while the seed is slow", Panels: panels[:]}
	return &section{f.SVG(), f.Title, text}, nil
}

// describe is a row of the table.
func describe(picker string, results []*lab.Result) []string {
	var out, copies, entropy, median, last, twice spread
	for _, r := range results {
		end := transient(r)
		out = append(out, end.Seconds())
		sum, n := 0.0, 0.0
		for _, s := range r.Samples {
			if s.At <= r.End && !math.IsNaN(s.Entropy) {
				sum, n = sum+s.Entropy, n+1
			}
		}
		entropy = append(entropy, 100*sum/max(n, 1))
		// The uplink of the seed is busy until every piece has been sent.
		copies = append(copies, end.Seconds()/r.Seeds.Seconds())
		median = append(median, lab.Quantile(r.Times(), 0.5).Seconds())
		last = append(last, lab.Quantile(r.Times(), 1).Seconds())
		t := r.Total()
		twice = append(twice, 100*float64(t.Duplicate)/float64(t.Downloaded+t.Duplicate))
	}
	return []string{picker, out.String(), copies.String(), entropy.String() + " %", median.String(), last.String(), twice.String()}
}

// transient is how long at least one piece was in the seed alone.
func transient(r *lab.Result) time.Duration {
	for _, s := range r.Samples {
		if s.Out == r.Pieces {
			return s.At
		}
	}
	return r.Virtual
}

// most is how many points a curve has at most, so that the picture stays small.
const most = 100

// over is the mean of all runs over time, with a band from least to most.
func over(name string, results []*lab.Result, of func(lab.Sample, *lab.Result) float64) chart.Series {
	s := chart.Series{Name: name, Line: true}
	last := 0
	for _, r := range results {
		last = max(last, int(r.End/time.Second))
	}
	for i := 0; i < len(results[0].Samples); i += last/most + 1 {
		var values spread
		for _, r := range results {
			if i < len(r.Samples) && r.Samples[i].At <= r.End {
				if v := of(r.Samples[i], r); !math.IsNaN(v) {
					values = append(values, v)
				}
			}
		}
		if len(values) < (len(results)+1)/2 {
			continue
		}
		x := results[0].Samples[i].At.Seconds()
		low, high := values[0], values[0]
		for _, v := range values {
			low, high = min(low, v), max(high, v)
		}
		s.Points = append(s.Points, chart.Point{X: x, Y: values.mean()})
		s.Band = append(s.Band, chart.Band{X: x, Low: low, High: high})
	}
	return s
}
