package labview

import (
	"fmt"
	"math"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/lab/stat"
)

// Sizes of the pictures of samples.
const (
	stripWide, stripFirst, stripBase = 490.0, 34.0, 30.0
	stripRow                         = 44.0
	dotRadius                        = 3.0
)

// rounding is how far apart values are, as a part of them, that differ by how
// floating-point numbers are rounded. Ticks between them might have no numbers
// of their own.
const rounding = 1e-9

// strips draws samples: a row each, in which every value is a dot.
type strips struct {
	canvas
	low, high float64
}

// newStrips begins a picture whose axis spans all values.
func newStrips(title string, rows int, values ...[]float64) *strips {
	s := &strips{low: math.Inf(1), high: math.Inf(-1)}
	for _, list := range values {
		for _, v := range list {
			if !math.IsNaN(v) {
				s.low, s.high = min(s.low, v), max(s.high, v)
			}
		}
	}
	if s.low > s.high {
		s.low, s.high = 0, 1
	}
	if s.high-s.low <= rounding*max(math.Abs(s.low), math.Abs(s.high)) {
		s.low, s.high = s.low-1, s.high+1
	}
	margin := (s.high - s.low) * 0.04
	s.low, s.high = s.low-margin, s.high+margin
	height := stripFirst + stripRow*float64(rows)
	s.begin(title, stripWide, height+stripBase)
	step := stepOf(s.high - s.low)
	for v := math.Ceil(s.low/step) * step; v <= s.high; v += step {
		x := s.at(v)
		s.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x, stripFirst, x, height)
		s.text("tick", "middle", x, height+16, number(v, step*10))
	}
	return s
}

// stepOf is the distance of ticks: a round number of which the span has three
// to seven.
func stepOf(span float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(span)))
	for _, m := range []float64{0.2, 0.5, 1, 2} {
		if span/(m*power) <= 7 {
			return m * power
		}
	}
	return 5 * power
}

func (s *strips) at(v float64) float64 {
	return side + (stripWide-side-gap)*(v-s.low)/(s.high-s.low)
}

// row draws a sample with its mean and the interval of that.
func (s *strips) row(row, colour int, values []float64, told func(i int) string, mean float64, interval stat.Interval) {
	middle := stripFirst + stripRow*(float64(row)+0.5)
	s.text("tick", "end", side-12, middle+4, letter(colour))
	colour %= MostRuns
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		// Dots of like values stand beside each other: the offset goes around.
		offset := float64(i*7%11-5) / 5 * stripRow * 0.26
		s.printf(`<circle class="d%d dot" cx="%.1f" cy="%.1f" r="%.0f"><title>%s</title></circle>`+"\n", colour, s.at(v), middle+offset, dotRadius, escape(told(i)))
	}
	if math.IsNaN(mean) {
		return
	}
	if !math.IsNaN(interval.Low) {
		s.printf(`<rect class="d%d" x="%.1f" y="%.1f" width="%.1f" height="6" opacity="0.45"><title>%s</title></rect>`+"\n",
			colour, s.at(interval.Low), middle-3, max(1, s.at(interval.High)-s.at(interval.Low)), escape("95 % interval of the mean: "+between(interval)))
	}
	s.printf(`<line class="s%d" stroke-width="3" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", colour, s.at(mean), middle-11, s.at(mean), middle+11)
}

// distributions shows the values of all runs, variant by variant.
func (v FindingsPage) distributions(m int) figure {
	measure := experiment.Of(v.Experiment.Measures[m])
	var samples [][]float64
	for i := range v.Experiment.Variants {
		samples = append(samples, v.Sample(i, m))
	}
	s := newStrips(withUnit(measure), len(samples), samples...)
	for i, sample := range samples {
		g := v.Groups[i][m]
		s.row(i, i, sample, func(k int) string {
			return fmt.Sprintf("%s %s, seed %d\nkouzui lab simulate %s", number(sample[k], 0), measure.Unit, v.Seeds[k], v.Experiment.Again(i, v.Seeds[k]))
		}, g.Mean, g.Interval)
	}
	return figure{s.picture(), ""}
}

// differences shows how far the values of each variant are from those of the
// control with the same seed.
func (v FindingsPage) differences(m int) figure {
	measure := experiment.Of(v.Experiment.Measures[m])
	control := v.Sample(0, m)
	samples := [][]float64{{0}}
	for i := range v.Comparisons {
		sample := v.Sample(i+1, m)
		for k := range sample {
			sample[k] -= control[k]
		}
		samples = append(samples, sample)
	}
	s := newStrips("difference to A, seed by seed", len(samples)-1, samples...)
	s.printf(`<line class="limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", s.at(0), stripFirst, s.at(0), stripFirst+stripRow*float64(len(samples)-1))
	for i, sample := range samples[1:] {
		c := v.Comparisons[i][m]
		s.row(i, i+1, sample, func(k int) string {
			return fmt.Sprintf("%s %s, seed %d", signed(sample[k], 0), measure.Unit, v.Seeds[k])
		}, c.Difference, c.Interval)
	}
	return figure{s.picture(), ""}
}

// matrix shows how much each class gave to each in one run, of all that it
// gave. A class of foes is not shown.
func (v FindingsPage) matrix(variant int) figure {
	r := v.Runs[variant]
	class := map[string]int{} // of each node
	var names []string
	for _, nodes := range r.Classes() {
		for _, n := range nodes {
			class[n.Name] = len(names)
		}
		names = append(names, nodes[0].Class)
	}
	given, sum := make([][]float64, len(names)), make([]float64, len(names))
	for i := range given {
		given[i] = make([]float64, len(names))
	}
	for _, n := range r.Nodes {
		from := class[n.Name]
		for to, bytes := range n.Given {
			if k, is := class[to]; is {
				given[from][k] += float64(bytes)
				sum[from] += float64(bytes)
			}
		}
	}
	const cell, tall, first = 76.0, 30.0, 58.0
	c := &canvas{}
	c.begin(letter(variant)+": who gave to whom, % of what the class gave", max(stripWide, side+gap+cell*float64(len(names))), first+tall*float64(len(names))+8)
	for k, name := range names {
		c.text("tick", "middle", side+gap+cell*(float64(k)+0.5), first-8, name)
	}
	for i, name := range names {
		y := first + tall*float64(i)
		c.text("tick", "end", side+gap-8, y+tall/2+4, name)
		for k := range names {
			if sum[i] == 0 {
				continue
			}
			part := given[i][k] / sum[i]
			x := side + gap + cell*float64(k)
			c.printf(`<rect class="d%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f" opacity="%.2f"><title>%s</title></rect>`+"\n",
				variant%MostRuns, x+1, y+1, cell-2, tall-2, 0.04+0.6*part, escape(fmt.Sprintf("%s to %s: %.1f MiB", name, names[k], given[i][k]/(1<<20))))
			c.text("tick", "middle", x+cell/2, y+tall/2+4, fmt.Sprintf("%.0f", 100*part))
		}
	}
	return figure{c.picture(), ""}
}
