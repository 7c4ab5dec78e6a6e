package paper

import (
	"context"
	"errors"
	"maps"
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
		want := 2 // with its scenario
		if p.Scenario != "" {
			want = 1
		}
		if own != want {
			t.Errorf("%s has %d files, want %d", p.Name, own, want)
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

// One downloader comes each second, and one of two leaves.
func TestGrowths(t *testing.T) {
	r := &lab.Result{Nodes: lab.Nodes{{Class: "seed", Seed: true}}}
	for at := range 200 {
		r.Nodes = append(r.Nodes, lab.Node{Class: "peer", Arrived: time.Duration(at) * time.Second})
		r.Samples = append(r.Samples, lab.Sample{At: time.Duration(at) * time.Second, Nodes: 1 + at/2})
	}
	if present, arrivals := growths(r); math.Abs(present-0.5) > 0.01 || math.Abs(arrivals-1) > 0.01 {
		t.Error(present, arrivals)
	}
}

// A swarm that is as the model says, of which the steady state is known: λ =
// μ(x+y)+s and λ = γy. With half of the uplinks the same swarm has too few
// downloaders.
func TestFluid(t *testing.T) {
	played, err := lab.Read(qiu2004.Text())
	if err != nil {
		t.Fatal(err)
	}
	r := &lab.Result{Played: played}
	const arrive, upload = 0.075, 64 * payload / 16384
	y := arrive * 60
	x := (arrive-2*upload)/upload - y
	for i := range 120 {
		came := time.Duration(float64(i) / arrive * float64(time.Second))
		r.Nodes = append(r.Nodes, lab.Node{Class: "peer", Arrived: came, Took: time.Duration(x / arrive * float64(time.Second))})
	}
	for at := range 1600 {
		r.Samples = append(r.Samples, lab.Sample{
			At: time.Duration(at) * time.Second, Nodes: 1 + int(math.Round(x)) + int(math.Round(y)), Complete: 1 + int(math.Round(y)),
			Downloaded: int64(float64(at) * arrive * float64(played.Content)),
		})
	}
	if c := fluid(r, 1); math.Abs(c.downloaders-1) > 0.15 || math.Abs(c.seeds-1) > 0.15 || math.Abs(c.takes-1) > 0.05 {
		t.Errorf("%+v", c)
	}
	if c := fluid(r, 0.5); c.downloaders > 0.5 {
		t.Errorf("%+v", c)
	}
	if e := effective(r); math.Abs(e-1) > 0.05 {
		t.Error(e)
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
	if u := unequal(r, 0); math.Abs(u-deviation([]float64{10, 50, 100})) > 1e-9 {
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

// Two classes of two: each node gives its fellow thrice what it gives each of
// the others, and a seed's gifts do not count.
func TestClustering(t *testing.T) {
	node := func(name, class string, given map[string]int64) lab.Node {
		return lab.Node{Name: name, Class: class, Given: given}
	}
	r := &lab.Result{Nodes: lab.Nodes{
		{Name: "s", Class: "seed", Seed: true, Given: map[string]int64{"a": 100}},
		node("a", "fast", map[string]int64{"b": 3, "c": 1, "d": 1}), node("b", "fast", map[string]int64{"a": 3, "c": 1, "d": 1}),
		node("c", "slow", map[string]int64{"a": 1, "b": 1, "d": 1}), node("d", "slow", map[string]int64{"a": 1, "b": 1, "c": 1}),
	}}
	if x := clustering(r, "fast"); math.Abs(x-1.8) > 1e-9 {
		t.Error(x)
	}
	if x := clustering(r, "slow"); math.Abs(x-1) > 1e-9 {
		t.Error(x)
	}
}

// Every claim of every paper has a value in swarms of few nodes with little
// content, and does not hold if it is expected to be greater than that.
func TestClaimsHaveValues(t *testing.T) {
	for _, p := range Papers() {
		t.Run(p.Name, func(t *testing.T) {
			small := *p
			small.Variants = nil
			for _, v := range p.Variants {
				small.Variants = append(small.Variants, Variant{v.Name, tiny(t, p, v.Set)})
			}
			runs, err := small.Play(context.Background(), 1, 1, func() {})
			if err != nil {
				t.Fatal(err)
			}
			for i := range runs {
				for len(runs[i]) < fewest {
					runs[i] = append(runs[i], runs[i][0])
				}
			}
			for i, a := range small.Judge(runs) {
				if a.N != fewest || math.IsInf(a.Mean, 0) {
					t.Errorf("claim %d: %+v", i, a)
				}
				small.Claims = append(small.Claims[:i:i], a.Claim)
				small.Claims[i].Least, small.Claims[i].Most = a.Mean+1, a.Mean+2
			}
			for i, a := range small.Judge(runs) {
				if a.Verdict != HoldsNot {
					t.Errorf("claim %d: %+v", i, a)
				}
			}
		})
	}
}

// tiny are settings with which a variant takes a moment: few nodes and little
// content.
func tiny(t *testing.T, p *Paper, set lab.Settings) lab.Settings {
	s, err := lab.ReadWith(p.Text(), set)
	if err != nil {
		t.Fatal(err)
	}
	small := maps.Clone(set)
	if small == nil {
		small = lab.Settings{}
	}
	small["content"], small["piece"] = "2 MiB", "64 KiB"
	for _, c := range s.Class {
		if c.Have < 1 {
			small["class."+c.Name+".count"] = int64(2)
			if c.Within > lab.Time(time.Minute) { // nodes come for as long as the run takes
				small["class."+c.Name+".count"] = int64(10)
			}
		}
	}
	return small
}
