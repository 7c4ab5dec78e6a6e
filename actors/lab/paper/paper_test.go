package paper

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every paper has a name of its own, a scenario that can be played in all
// variants, and claims with bounds.
func TestPapers(t *testing.T) {
	seen := map[string]bool{"all": true}
	for _, p := range Papers() {
		if seen[p.Name] || p.Short == "" || p.Citation == "" || p.Seeds < fewest || len(p.Claims) == 0 {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
		if found, err := Find(p.Name); err != nil || found != p {
			t.Error(err)
		}
		for _, v := range p.Variants {
			if _, err := lab.ReadWith(p.Text(), v.Set); err != nil {
				t.Errorf("%s, %s: %v", p.Name, v.Name, err)
			}
		}
		for _, c := range p.Claims {
			if c.Least >= c.Most || c.Text == "" || c.Unit == "" || c.Of == nil {
				t.Errorf("%s: %+v", p.Name, c)
			}
		}
		files, err := os.ReadDir(".")
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		for _, f := range files {
			if name, _, _ := strings.Cut(f.Name(), "."); name == p.Name {
				own++
			}
		}
		if own != 2 {
			t.Errorf("%s has %d files", p.Name, own)
		}
	}
	if _, err := Find("none"); err == nil || !strings.Contains(err.Error(), Papers()[0].Name) {
		t.Error(err)
	}
}

// A claim holds if the whole interval is within its bounds.
func TestJudge(t *testing.T) {
	values := []float64{1, 1.1, 0.9, 1, 1.05, 0.95}
	of := func(r Runs, seed int) float64 { return values[seed] }
	p := &Paper{Claims: []Claim{
		{Least: 0.5, Most: 1.5, Of: of},
		{Least: -none, Most: 1.2, Of: of},
		{Least: 1.5, Most: none, Of: of},
		{Least: -none, Most: 0.7, Of: of},
		{Least: 1, Most: 2, Of: of},
		{Least: 0, Most: 2, Of: func(r Runs, seed int) float64 {
			if seed > 2 {
				return math.NaN()
			}
			return 1
		}},
	}}
	for i, a := range p.Judge(Runs{make([]*lab.Result, len(values))}) {
		want := []Verdict{Holds, Holds, HoldsNot, HoldsNot, CannotTell, CannotTell}[i]
		if a.Verdict != want {
			t.Errorf("claim %d %s: %+v", i, a.Verdict, a)
		}
	}
}

// What is played are the scenario's variants, with the seeds from 1 on.
func TestPlay(t *testing.T) {
	p := *legout2006
	p.Variants = []Variant{{"short", lab.Settings{"until": "3s"}}, {"shorter", lab.Settings{"until": "2s"}}}
	count := 0
	runs, err := p.Play(context.Background(), 2, 1, func() { count++ })
	if err != nil || count != 4 {
		t.Fatal(count, err)
	}
	for v, results := range runs {
		for seed, r := range results {
			if last := r.Samples[len(r.Samples)-1].At; r.Seed != uint64(seed+1) || last > time.Duration(3-v)*time.Second {
				t.Errorf("variant %d, seed %d, to %v", v, r.Seed, last)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Play(ctx, 2, 1, func() { t.Error("played") }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSlope(t *testing.T) {
	x, y := []float64{1, 2, 3, 4}, []float64{2, 5, 8, 11}
	if b := slope(x, y); math.Abs(b-3) > 1e-12 {
		t.Error(b)
	}
	if r := straight(x, y); math.Abs(r-1) > 1e-12 {
		t.Error(r)
	}
	if r := straight(x, []float64{0, 1, 0, 1}); r > 0.3 {
		t.Error(r)
	}
	if d := deviation([]float64{1, 3}); math.Abs(d-0.5) > 1e-12 {
		t.Error(d)
	}
}

// A swarm that grows by one downloader each two seconds, and has a seed.
func TestPresent(t *testing.T) {
	r := &lab.Result{}
	for at := range 800 {
		r.Samples = append(r.Samples, lab.Sample{At: time.Duration(at) * time.Second, Nodes: 1 + at/2})
	}
	if b := present(r); math.Abs(b-0.5) > 0.01 {
		t.Error(b)
	}
}

// Without seeds that linger the steady state of the model is known.
func TestFluid(t *testing.T) {
	r := &lab.Result{}
	for at := range 1600 {
		// λ = μ(x+y)+s and λ = γy: the counts of the steady state.
		y := qiuArrivals / qiuLeaves
		x := (qiuArrivals-qiuSeed)/qiuUpload - y
		r.Samples = append(r.Samples, lab.Sample{At: time.Duration(at) * time.Second, Nodes: 1 + int(math.Round(x)) + int(math.Round(y)), Complete: 1 + int(math.Round(y))})
	}
	c := fluid(r)
	if math.Abs(c.downloaders-1) > 0.15 || math.Abs(c.seeds-1) > 0.15 {
		t.Errorf("%+v", c)
	}
}

func TestLaterAndBurst(t *testing.T) {
	node := func(arrived, took time.Duration) lab.Node {
		return lab.Node{Class: "peer", Arrived: arrived * time.Second, Took: took * time.Second}
	}
	r := &lab.Result{Nodes: lab.Nodes{{Class: "seed", Seed: true}, node(0, 100), node(50, 50), node(100, 10)}}
	if b := later(r); math.Abs(b+0.9) > 1e-9 {
		t.Error(b)
	}
	if b := burst(r); math.Abs(b-0.1) > 1e-9 {
		t.Error(b)
	}
	if u := unequal(r); math.Abs(u-deviation([]float64{10, 50, 100})) > 1e-9 {
		t.Error(u)
	}
}

func TestIncentive(t *testing.T) {
	r := &lab.Result{}
	for i := range 3 {
		took := time.Duration(i+1) * time.Second
		r.Nodes = append(r.Nodes, lab.Node{Class: "slow", Took: 2 * took}, lab.Node{Class: "fast", Took: took})
	}
	if x := incentive(r); x != 2 {
		t.Error(x)
	}
}
