//go:build linux

package main

import (
	"context"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/page"
)

// Scenario measures the cost of one thing that grows. Each scenario has a file
// of its own, and a line in scenarios.
type Scenario struct {
	Name  string // of its picture, and for -only
	Title string
	About string // what is measured, and how: a paragraph of the page
	Size  chart.Axis
	Sizes []int
	// Measure returns a value for each column of Panels, in this order, and NaN
	// where there is no value.
	Panels  []Panel
	Measure func(ctx context.Context, e *Env, size int) ([]float64, error)
}

// Panel is one system of axes of the picture, and its columns in the table.
type Panel struct {
	Title   string
	Axis    chart.Axis
	Columns []string // one for each curve
	Limits  []chart.Limit
}

// Env is what a measurement works with.
type Env struct {
	Dir    string // empty; in memory, and removed afterwards
	Kouzui string // path of the program
}

// row is what was measured at one size.
type row struct {
	size   int
	values []float64
}

func (s Scenario) columns() (names []string) {
	for _, p := range s.Panels {
		names = append(names, p.Columns...)
	}
	return names
}

func (s Scenario) picture(rows []row) []byte {
	f := chart.Figure{Title: s.Title}
	column := 0
	for _, p := range s.Panels {
		panel := chart.Panel{Title: p.Title, X: s.Size, Y: p.Axis, Limits: p.Limits}
		for _, name := range p.Columns {
			curve := chart.Series{Name: name}
			for _, r := range rows {
				if v := r.values[column]; !math.IsNaN(v) {
					curve.Points = append(curve.Points, chart.Point{X: float64(r.size), Y: v})
				}
			}
			panel.Series = append(panel.Series, curve)
			column++
		}
		f.Panels = append(f.Panels, panel)
	}
	return f.SVG()
}

// section is the part of the page about this scenario.
func (s Scenario) section(rows []row, picture string) string {
	head := append([]string{s.Size.Label}, s.columns()...)
	var table [][]string
	for _, r := range rows {
		line := []string{humanize.Comma(int64(r.size))}
		for _, v := range r.values {
			line = append(line, number(v))
		}
		table = append(table, line)
	}
	return fmt.Sprintf("### %s\n\n%s\n\n![%s](%s)\n\n%s\n%s\n", s.Title, s.About, s.Title, picture, page.Table(head, table), page.Now())
}

// number writes a value for the table.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
