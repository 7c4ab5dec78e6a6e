//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/page"
)

// sample is the completion times of several runs of a scenario, sorted in each
// run.
type sample [][]time.Duration

func (s sample) pooled() (all []time.Duration) {
	for _, times := range s {
		all = append(all, times...)
	}
	slices.Sort(all)
	return all
}

// at is a quantile of each run, in seconds.
func (s sample) at(part float64) (values spread) {
	for _, times := range s {
		values = append(values, lab.Quantile(times, part).Seconds())
	}
	return values
}

// distance is that of Kolmogorov and Smirnov: the greatest difference of the
// two distribution functions.
func distance(a, b []time.Duration) (most float64) {
	i, k := 0, 0
	for i < len(a) && k < len(b) {
		at := min(a[i], b[k])
		for i < len(a) && a[i] == at {
			i++
		}
		for k < len(b) && b[k] == at {
			k++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(k)/float64(len(b))))
	}
	return most
}

// compareWithProcesses compares a simulated swarm with a swarm of processes.
func compareWithProcesses(ctx context.Context) (*section, error) {
	s, err := read("ten.toml")
	if err != nil {
		return nil, err
	}
	var real, limits, links sample
	for round := range *rounds {
		drawn := withArrivals(s, uint64(round))
		times, err := (&swarm{drawn, *kouzui, *dir}).play(ctx)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "real, round %d: the last after %.1f s\n", round+1, times[len(times)-1].Seconds())
		real = append(real, times)
		for _, kept := range []struct {
			by     *sample
			limits bool
		}{{&limits, true}, {&links, false}} {
			for i := range drawn.Class {
				drawn.Class[i].Limits = kept.limits
			}
			runs, err := simulated(ctx, drawn)
			if err != nil {
				return nil, err
			}
			*kept.by = append(*kept.by, runs...)
		}
	}
	rows := [][]string{
		rowOf("processes, "+strconv.Itoa(*rounds)+" rounds", real, nil),
		rowOf("simulated, "+strconv.Itoa(*seeds)+" seeds each", limits, real),
		rowOf("the same, rates kept by the links", links, real),
	}
	table := page.Table([]string{"s from arrival to completion", "median", "95 %", "last", "error", "KS distance"}, rows)
	m, n := float64(len(real.pooled())), float64(len(limits.pooled()))
	text := table + fmt.Sprintf("\nThe nodes of a round come at the same times in all rows. Means of the runs, and the least and the most of them; the error is that of the means of median, 95 %% and last. "+
		"The KS distance is the most by which the distribution functions of all times differ; above %.2f two samples of that size would be of different kinds, at 5 %%, if their times were independent, which those of one swarm are not.\n",
		1.358*math.Sqrt((m+n)/(m*n)))
	panel := chart.Panel{
		Title: "Complete, of nine downloaders", X: chart.Axis{Label: "s since arrival"}, Y: chart.Axis{Label: "%", To: 100},
		Series: []chart.Series{
			{Name: "simulated, and its spread", Line: true, Points: limits.curve(limits.pooled()), Band: band(limits, real)},
			{Name: "processes", Line: true, Steps: true, Points: real.curve(real.pooled())},
		},
	}
	f := chart.Figure{Title: "Simulated against real completion times", Panels: []chart.Panel{panel}, Width: 640, Height: 340}
	return &section{f.SVG(), f.Title, text}, nil
}

func simulated(ctx context.Context, s *lab.Scenario) (runs sample, err error) {
	results, err := simulate(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		runs = append(runs, r.Times())
	}
	return runs, nil
}

var quantiles = []float64{0.5, 0.95, 1}

func rowOf(name string, s, real sample) []string {
	row := []string{name}
	errors := ""
	for i, q := range quantiles {
		row = append(row, s.at(q).String())
		if real != nil {
			if i > 0 {
				errors += ", "
			}
			errors += fmt.Sprintf("%+.0f %%", 100*(s.at(q).mean()/real.at(q).mean()-1))
		}
	}
	if real == nil {
		return append(row, "", "")
	}
	return append(row, errors, fmt.Sprintf("%.2f", distance(s.pooled(), real.pooled())))
}

// curve is the distribution function of times, in percent.
func (s sample) curve(times []time.Duration) []chart.Point {
	points := []chart.Point{{X: 0, Y: 0}}
	for i, t := range times {
		if i == 0 {
			points = append(points, chart.Point{X: t.Seconds(), Y: 0})
		}
		points = append(points, chart.Point{X: t.Seconds(), Y: 100 * float64(i+1) / float64(len(times))})
	}
	return points
}

// band encloses the distribution functions of the single runs.
func band(s, beside sample) (b []chart.Band) {
	all := append(s.pooled(), beside.pooled()...)
	slices.Sort(all)
	for _, t := range all {
		one := chart.Band{X: t.Seconds(), Low: 100}
		for _, times := range s {
			part, _ := slices.BinarySearch(times, t+1)
			y := 100 * float64(part) / float64(len(times))
			one.Low, one.High = min(one.Low, y), max(one.High, y)
		}
		b = append(b, one)
	}
	return b
}
