package experiment

import (
	"cmp"
	"context"
	"math"
	"slices"

	"kouzui/actors/lab/stat"
)

// Findings are what an experiment has found.
type Findings struct {
	Experiment *Experiment
	Seeds      []uint64    // that were played
	Outcomes   [][]Outcome // of each variant, in the order of Seeds
	Groups     [][]Group   // of each variant, in the order of Measures
	// Comparisons are of all variants but the first, one for each measure.
	Comparisons [][]Comparison
	// Enough is set if the rule's precision was reached.
	Enough bool
}

// Group is one measure of one variant.
type Group struct {
	N                         int // runs that have a value
	Mean, Least, Median, Most float64
	Interval                  stat.Interval // of the mean
}

// Comparison is one measure of a variant against the same of the control.
type Comparison struct {
	stat.Paired
	Part      float64 // difference as a part of the control's mean
	Corrected float64 // Paired.P, corrected for the number of comparisons
	// Detectable is the least difference that would have been seen in four of five
	// experiments of this size.
	Detectable float64
	// Blind is set if so few seeds cannot show a difference, however great: that
	// all of them agree may then be chance.
	Blind bool
}

// significance is how probable it may be that any of an experiment's
// differences is chance.
const significance = 0.05

// Seen tells whether there is a difference.
func (c Comparison) Seen() bool { return c.Corrected < significance }

// Conduct plays an experiment until its rule says that it is enough. It says
// each outcome when it is there. The seeds are played in steps that depend on
// the rule and on the values, not on the runner, so that the findings do not.
// If the runner fails, the findings are those of the first seeds that were
// played, and nil if there is none.
func (e *Experiment) Conduct(ctx context.Context, runner Runner, say func(Outcome)) (*Findings, error) {
	all := map[Job]Outcome{}
	for seeds := e.Rule.start(); ; seeds = e.Rule.next(seeds) {
		var jobs []Job
		for _, j := range e.Jobs(e.Rule.First, seeds) {
			if _, done := all[j]; !done {
				jobs = append(jobs, j)
			}
		}
		err := runner.Run(ctx, jobs, func(o Outcome) {
			all[o.Job] = o
			say(o)
		})
		if err != nil {
			if seeds = e.whole(all, seeds); seeds == 0 {
				return nil, err
			}
			return e.Find(all, seeds), err
		}
		f := e.Find(all, seeds)
		if f.Enough || seeds == e.Rule.Most {
			return f, nil
		}
	}
}

// whole is how many of the first seeds have all their outcomes.
func (e *Experiment) whole(outcomes map[Job]Outcome, seeds int) int {
	for i, j := range e.Jobs(e.Rule.First, seeds) {
		if _, is := outcomes[j]; !is {
			return i / len(e.Variants)
		}
	}
	return seeds
}

// start is how many seeds are played before it is asked whether they are
// enough.
func (r Rule) start() int {
	if r.Precision == 0 {
		return r.Most
	}
	return r.Least
}

// next is how many seeds come after so many: half as many again.
func (r Rule) next(seeds int) int { return min(r.Most, seeds+max(1, seeds/2)) }

// Find is what the outcomes of the first seeds tell, all of which must be
// there. Runs that failed do not count.
func (e *Experiment) Find(outcomes map[Job]Outcome, seeds int) *Findings {
	f := &Findings{Experiment: e, Outcomes: make([][]Outcome, len(e.Variants))}
	for _, j := range e.Jobs(e.Rule.First, seeds) {
		if j.Variant == 0 {
			f.Seeds = append(f.Seeds, j.Seed)
		}
		f.Outcomes[j.Variant] = append(f.Outcomes[j.Variant], outcomes[j])
	}
	var p []float64
	for v := range e.Variants {
		var groups []Group
		var comparisons []Comparison
		for m := range e.Measures {
			groups = append(groups, groupOf(f.Sample(v, m)))
			if v > 0 {
				c := Comparison{Paired: stat.Compare(f.Sample(0, m), f.Sample(v, m))}
				c.Part = c.Difference / math.Abs(f.Groups[0][m].Mean)
				comparisons = append(comparisons, c)
				p = append(p, c.P)
			}
		}
		f.Groups = append(f.Groups, groups)
		if v > 0 {
			f.Comparisons = append(f.Comparisons, comparisons)
		}
	}
	corrected := stat.Holm(p)
	for v := range f.Comparisons {
		for m := range f.Comparisons[v] {
			c := &f.Comparisons[v][m]
			c.Corrected, corrected = corrected[0], corrected[1:]
			c.Detectable = c.Paired.Detectable(significance / float64(len(p)))
			c.Blind = stat.Least(c.N)*float64(len(p)) >= significance
		}
	}
	f.Enough = e.Rule.Precision > 0 && f.Width() <= e.Rule.Precision
	return f
}

// Sample is the values of one measure of one variant, in the order of Seeds;
// NaN where a run has none, or has failed.
func (f *Findings) Sample(variant, measure int) []float64 {
	values := make([]float64, len(f.Seeds))
	for i, o := range f.Outcomes[variant] {
		values[i] = math.NaN()
		if o.Failure == "" && measure < len(o.Values) {
			values[i] = o.Values[measure]
		}
	}
	return values
}

// Typical is the seed whose value of the first measure under the control is
// the nearest to the median of all.
func (f *Findings) Typical() uint64 {
	best, distance := f.Seeds[0], math.Inf(1)
	for i, v := range f.Sample(0, 0) {
		if d := math.Abs(v - f.Groups[0][0].Median); d < distance {
			best, distance = f.Seeds[i], d
		}
	}
	return best
}

// Failed are the outcomes of the runs that failed, seed by seed.
func (f *Findings) Failed() (failed []Outcome) {
	for _, outcomes := range f.Outcomes {
		for _, o := range outcomes {
			if o.Failure != "" {
				failed = append(failed, o)
			}
		}
	}
	slices.SortStableFunc(failed, func(a, b Outcome) int { return cmp.Compare(a.Job.Seed, b.Job.Seed) })
	return failed
}

// Width is the half width of the widest interval that the rule is about, as a
// part of the control's mean: those of the differences in the first measure, or
// of the mean itself if there is nothing to compare.
func (f *Findings) Width() float64 {
	half := f.Groups[0][0].Interval.Half()
	if len(f.Comparisons) > 0 {
		half = 0
	}
	for _, c := range f.Comparisons {
		half = max(half, c[0].Interval.Half()) // NaN stays
	}
	return half / math.Abs(f.Groups[0][0].Mean)
}

func groupOf(sample []float64) Group {
	values := slices.DeleteFunc(slices.Clone(sample), math.IsNaN)
	nan := math.NaN()
	g := Group{N: len(values), Mean: nan, Least: nan, Median: nan, Most: nan, Interval: stat.Bootstrap(values)}
	if len(values) == 0 {
		return g
	}
	slices.Sort(values)
	g.Mean, g.Least, g.Most = stat.Mean(values), values[0], values[len(values)-1]
	g.Median = (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return g
}
