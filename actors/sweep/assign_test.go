package sweep

import (
	"slices"
	"testing"
	"time"

	"kouzui/actors/sweep/job"
)

func TestStragglersAreCopied(t *testing.T) {
	jobs := named(3, false)
	p := newPlan(t, jobs...)
	p.join("quick", "x:1")
	p.join("slow", "x:2")
	p.wait(time.Second)
	p.says("quick", outcomeOf(jobs[0])) // a job takes a second
	p.wait(500 * time.Millisecond)
	p.says("quick", outcomeOf(jobs[2]))
	if j := p.given["quick"]; j != "" {
		t.Fatalf("%s is copied after 1.5 s", j)
	}
	at, ok := p.next(p.now)
	if want := time.Unix(2, 0); !ok || !at.Equal(want) {
		t.Fatalf("looks again at %v, want %v", at, want)
	}
	p.join("third", "x:3")
	p.wait(at.Sub(p.now))
	if p.given["quick"] != jobs[1] || p.given["third"] != "" {
		t.Fatalf("given are %v, want one copy of %s", p.given, jobs[1])
	}
	p.says("quick", outcomeOf(jobs[1]))
	p.write()
	p.says("slow", outcomeOf(jobs[1]))
	p.write()
	if len(p.journal) != 3 || p.told[jobs[1]] != 1 {
		t.Errorf("the journal is %+v, told %v", p.journal, p.told)
	}
}

func TestAWorkerThatTakesTooLongIsDismissed(t *testing.T) {
	p := newPlan(t, named(2, false)...)
	p.join("a", "x:1")
	at, ok := p.next(p.now)
	if !ok || at.Sub(p.now) != lease {
		t.Fatalf("looks again at %v", at)
	}
	p.wait(lease)
	p.wait(time.Second)
	if !slices.Equal(p.out, []string{"a"}) {
		t.Errorf("dismissed are %v, want a, once", p.out)
	}
	p.says("a", "1") // it has not heard yet
	if j := p.given["a"]; j != "" {
		t.Errorf("%s is given to a worker that ends", j)
	}
}

// TestAWorkerIsGivenNothingWhileItPlays: one that joins again may play what
// nobody wants any more.
func TestAWorkerIsGivenNothingWhileItPlays(t *testing.T) {
	jobs := named(3, false)
	for name, plays := range map[string]job.Job{
		"what another has played":         jobs[0],
		"what nobody has asked for":       jobs[2],
		"what a worker that died had too": jobs[1],
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, jobs[:2]...)
			p.join("b", "x:2")
			p.says("b", outcomeOf(jobs[0]))
			p.write()
			p.given["a"] = plays
			p.ready("a", "x:1", plays, nil, p.now)
			p.carryOut()
			p.wait(lease / 2)
			p.dies("b", "")
			p.says("a", outcomeOf(plays))
			want := jobs[1]
			if plays == jobs[1] {
				want = ""
			}
			if j := p.given["a"]; j != want {
				t.Errorf("then %q is given, want %q", j, want)
			}
			p.write()
			for _, r := range p.journal {
				if !slices.Contains(jobs[:2], r.Job) {
					t.Errorf("the journal has %+v", r)
				}
			}
		})
	}
}

func TestTwoWorkersPlayWhatIsChecked(t *testing.T) {
	jobs := named(1, true)
	for name, c := range map[string]struct {
		workers [][2]string // name and label, in the order in which they join
		second  string      // who plays it the second time
	}{
		"two of a machine":                       {[][2]string{{"a", "x:1"}, {"b", "x:2"}}, "b"},
		"of two machines":                        {[][2]string{{"a", "x:1"}, {"b", "x:2"}, {"c", "y:1"}}, "c"},
		"one alone, when it has played it once":  {[][2]string{{"a", "x:1"}}, "a"},
		"the second is of another when it joins": {[][2]string{{"a", "x:1"}, {"c", "y:1"}}, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t, jobs...)
			p.ledger.loaded = false // until all have joined
			for _, w := range c.workers {
				p.join(w[0], w[1])
			}
			p.ledger.loaded = true
			p.wait(0)
			if p.given["a"] != jobs[0] {
				t.Fatalf("given are %v", p.given)
			}
			p.says("a", outcomeOf(jobs[0]))
			p.write()
			if p.told[jobs[0]] > 0 {
				t.Error("told after one")
			}
			if p.given[c.second] != jobs[0] {
				t.Fatalf("given are %v, want %s", p.given, c.second)
			}
			p.says(c.second, outcomeOf(jobs[0]))
			p.write()
			if p.told[jobs[0]] != 1 || len(p.news) != 1 {
				t.Errorf("told is %+v", p.news)
			}
		})
	}
}
