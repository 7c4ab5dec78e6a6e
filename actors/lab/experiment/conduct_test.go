package experiment

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kouzui/actors/lab/stat"
)

// told answers jobs from a function, in an order of its own.
type told struct {
	values func(Job) Values
	jobs   []Job // that it was given
	breaks int   // after so many jobs; 0: never
}

var errBroken = errors.New("broken")

func (r *told) Run(_ context.Context, jobs []Job, say func(Outcome)) error {
	r.jobs = append(r.jobs, jobs...)
	for k, i := range rand.Perm(len(jobs)) {
		if r.breaks > 0 && k == r.breaks {
			return errBroken
		}
		o := Outcome{Job: jobs[i], Values: r.values(jobs[i])}
		if o.Values == nil {
			o.Failure = "it failed"
		}
		say(o)
	}
	return nil
}

// chance is a number from a seed.
func chance(seed uint64, of uint64) float64 { return rand.New(rand.NewPCG(seed, of)).NormFloat64() }

func three(rule Rule) *Experiment {
	return &Experiment{Variants: make([]Variant, 3), Measures: []string{"median", "last"}, Rule: rule}
}

func TestConduct(t *testing.T) {
	e := three(Rule{First: 4, Most: 20})
	r := &told{values: func(j Job) Values {
		base := 100 + 10*chance(j.Seed, 0)
		switch {
		case j.Variant == 2 && j.Seed == 5:
			return nil
		case j.Variant == 2 && j.Seed == 6:
			return Values{math.NaN(), 1}
		case j.Variant == 2: // sooner in all seeds, by 5
			return Values{base - 5 + chance(j.Seed, 2), 1}
		}
		return Values{base + chance(j.Seed, uint64(j.Variant)), 1}
	}}
	said := 0
	f, err := e.Conduct(context.Background(), r, func(Outcome) { said++ })
	if err != nil || said != 60 || len(r.jobs) != 60 || len(f.Seeds) != 20 || f.Seeds[0] != 4 {
		t.Fatalf("%d said, %d given, seeds %v, %v", said, len(r.jobs), f.Seeds, err)
	}
	same, sooner := f.Comparisons[0][0], f.Comparisons[1][0]
	if same.Seen() || same.N != 20 || same.Correlation < 0.9 || !(same.Detectable > 0.3 && same.Detectable < 3) {
		t.Errorf("%+v", same)
	}
	if !sooner.Seen() || sooner.N != 18 || math.Abs(sooner.Difference+5) > 1.5 || math.Abs(sooner.Part+0.05) > 0.02 || sooner.Corrected < sooner.P {
		t.Errorf("%+v", sooner)
	}
	if same.Blind || !e.Find(outcomesOf(f), 8).Comparisons[1][0].Blind { // 4 comparisons, and 2 of 2^6 at least
		t.Error("it is not known how many seeds are needed")
	}
	if g := f.Groups[2][0]; g.N != 18 || g.Least > g.Median || g.Median > g.Most || g.Interval.Excludes(g.Mean) {
		t.Errorf("%+v", g)
	}
	if failed := f.Failed(); len(failed) != 1 || failed[0].Job.Seed != 5 {
		t.Errorf("%v", failed)
	}
	// What does not vary is no difference.
	if c := f.Comparisons[0][1]; c.Seen() || c.Difference != 0 || c.Interval != (stat.Interval{}) {
		t.Errorf("%+v", c)
	}
}

// It stops when the intervals are as narrow as asked, and no seed is played
// twice; whoever plays, in whatever order, the findings are the same.
func TestConductStops(t *testing.T) {
	for _, c := range []struct {
		noise  float64
		want   int
		enough bool
	}{
		{0, 4, true},
		{10, 100, false},
		{1, 0, true},
	} {
		e := three(Rule{First: 1, Least: 4, Most: 100, Precision: 0.006})
		play := func() (*Findings, *told) {
			r := &told{values: func(j Job) Values { return Values{100 + c.noise*chance(j.Seed, uint64(j.Variant)), 0} }}
			f, err := e.Conduct(context.Background(), r, func(Outcome) {})
			if err != nil {
				t.Fatal(err)
			}
			return f, r
		}
		f, r := play()
		if c.want > 0 && len(f.Seeds) != c.want || f.Enough != c.enough || len(r.jobs) != 3*len(f.Seeds) {
			t.Errorf("noise %v: %d seeds, %d jobs, %v", c.noise, len(f.Seeds), len(r.jobs), f.Enough)
		}
		if c.enough == (f.Width() > 0.006) {
			t.Errorf("noise %v: the interval is %v", c.noise, f.Width())
		}
		again, _ := play()
		if d := cmp.Diff(f, again, cmpopts.EquateNaNs(), cmpopts.IgnoreUnexported(stat.Paired{})); d != "" {
			t.Error(d)
		}
	}
}

// What was played before the runner failed is told, as far as it is paired.
func TestConductBreaks(t *testing.T) {
	for range 20 {
		e := three(Rule{First: 1, Most: 6})
		said := map[Job]bool{}
		f, err := e.Conduct(context.Background(), &told{values: func(Job) Values { return Values{1, 2} }, breaks: 13}, func(o Outcome) { said[o.Job] = true })
		if !errors.Is(err, errBroken) || len(said) != 13 {
			t.Fatal(len(said), err)
		}
		whole := 0
		for i, j := range e.Jobs(1, 6) {
			if !said[j] {
				whole = i / 3
				break
			}
		}
		if whole == 0 && f != nil || whole > 0 && (len(f.Seeds) != whole || f.Groups[2][1].N != whole) {
			t.Errorf("%d seeds are whole: %+v", whole, f)
		}
	}
}

func outcomesOf(f *Findings) map[Job]Outcome {
	all := map[Job]Outcome{}
	for _, outcomes := range f.Outcomes {
		for _, o := range outcomes {
			all[o.Job] = o
		}
	}
	return all
}
