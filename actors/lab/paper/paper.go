// Package paper repeats published results on swarms in simulated ones, and says
// whether they hold.
//
// Each Paper has a file, and beside it the scenario that is played. What it
// claims are Claims: numbers with bounds, set before anything was played.
package paper

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"math"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// Paper is a publication, and how its results are repeated.
type Paper struct {
	Name     string // of whom and of when
	Scenario string // the paper whose scenario it has; empty: it has its own
	Short    string // what it is about, in a few words
	Citation string
	Seeds    int
	Variants []Variant
	Claims   []Claim
	Limits   string // what was not repeated, or is otherwise here
}

// Variant is the scenario with settings.
type Variant struct {
	Name string
	Set  lab.Settings
}

// Runs are the results of a paper's runs, variant by variant, seed by seed.
type Runs [][]*lab.Result

// Claim is one result: a value that lies within bounds. A bound that is not
// there is infinite.
type Claim struct {
	Text        string
	Unit        string
	Least, Most float64
	Of          func(r Runs, seed int) float64 // the value of the seed-th seed; NaN: it has none
}

// Verdict says whether a claim holds.
type Verdict string

// The verdicts. A claim holds if the whole interval of 95 % of the mean is
// within its bounds, and does not if none of it is.
const (
	Holds      Verdict = "holds"
	HoldsNot   Verdict = "does not hold"
	CannotTell Verdict = "cannot be told"
)

// Answer is what was found of one claim.
type Answer struct {
	Claim
	N        int // seeds that have a value
	Mean     float64
	Interval stat.Interval
	Verdict  Verdict
}

//go:embed *.toml
var scenarios embed.FS

// Papers are all that are repeated, in the order of their years.
func Papers() []*Paper {
	return []*Paper{
		qiu2004, bharambe2006, legout2006, legout2007, piatek2007, sirivianos2007, levin2008, hajek2011, murai2011,
	}
}

// Find returns the paper of a name.
func Find(name string) (*Paper, error) {
	var names []string
	for _, p := range Papers() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("there is no paper %q; there are %s", name, strings.Join(names, ", "))
}

// Text is the scenario in TOML, from the file with the paper's name.
func (p *Paper) Text() string {
	text, err := scenarios.ReadFile(cmp.Or(p.Scenario, p.Name) + ".toml")
	if err != nil {
		panic(err) // TestPapers reads them all
	}
	return string(text)
}

// Play plays the runs of the first seeds, so many at a time, and says when each
// has been played, never of two at a time. A run in which a check fails is an
// error: it tells of the client, not of the paper.
func (p *Paper) Play(ctx context.Context, seeds, workers int, played func()) (Runs, error) {
	runs := make(Runs, len(p.Variants))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, workers))
	var one sync.Mutex // played is called by one goroutine at a time
	for v, variant := range p.Variants {
		runs[v] = make([]*lab.Result, seeds)
		for seed := range seeds {
			group.Go(func() error {
				s, err := lab.ReadWith(p.Text(), variant.Set)
				if err != nil {
					return err
				}
				r, err := lab.Run(s, lab.Options{Seed: uint64(seed + 1), Quick: true, Stop: ctx.Done()})
				if err != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					return err
				}
				if len(r.Wrong) > 0 {
					return fmt.Errorf("%s, %s, seed %d: %w", p.Name, variant.Name, seed+1, r.Wrong[0])
				}
				runs[v][seed] = r
				one.Lock()
				defer one.Unlock()
				played()
				return nil
			})
		}
	}
	return runs, group.Wait()
}

// Judge says which claims hold.
func (p *Paper) Judge(runs Runs) (answers []Answer) {
	for _, c := range p.Claims {
		var values []float64
		for seed := range runs[0] {
			if v := c.Of(runs, seed); !math.IsNaN(v) {
				values = append(values, v)
			}
		}
		a := Answer{Claim: c, N: len(values), Mean: stat.Mean(values), Interval: stat.Bootstrap(values), Verdict: CannotTell}
		if i := a.Interval; a.N >= fewest {
			switch {
			case i.Low >= c.Least && i.High <= c.Most:
				a.Verdict = Holds
			case i.High < c.Least || i.Low > c.Most:
				a.Verdict = HoldsNot
			}
		}
		answers = append(answers, a)
	}
	return answers
}

// fewest is how many values an interval must come from to be believed.
const fewest = 4

// payload is the part of what an uplink carries that is payload: 1448 of the
// 1514 bytes of a packet.
const payload = 0.956

// none is for a bound that a claim does not have.
var none = math.Inf(1)

// median is how long the median node of a class took, in seconds.
func median(r *lab.Result, class string) float64 {
	return lab.Quantile(r.OfClass(class).Times(), 0.5).Seconds()
}

// faster is how many times as fast the median node of a class is in one run as
// in another.
func faster(one, other *lab.Result, class string) float64 {
	return median(other, class) / median(one, class)
}

// deviation is how far values are from their mean, as a part of that.
func deviation(values []float64) float64 {
	mean, sum := stat.Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum/float64(len(values))) / mean
}

// slope is how much y grows with each unit of x, by least squares.
func slope(x, y []float64) float64 {
	mx, my := stat.Mean(x), stat.Mean(y)
	var xy, xx float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
	}
	return xy / xx
}
