package sweep

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/sweep/job"
)

const lease = time.Minute

// plan is a ledger with a journal and a program around it, and a clock.
type plan struct {
	*ledger
	t       interface{ Fatalf(string, ...any) }
	now     time.Time
	given   map[string]job.Job // by worker
	journal []job.Record
	unsaid  []job.Record // the journal does not have them yet
	told    map[job.Job]int
	news    []any
	out     []string // workers that were dismissed
}

func newPlan(t interface{ Fatalf(string, ...any) }, jobs ...job.Job) *plan {
	p := &plan{t: t, now: time.Unix(0, 0), told: map[job.Job]int{}}
	p.restart(jobs)
	return p
}

// restart is that of the sweep: only journal and program remember.
func (p *plan) restart(jobs []job.Job) {
	p.ledger, p.given, p.unsaid = newLedger(lease), map[string]job.Job{}, nil
	p.add(jobs, p.now)
	p.load(slices.Clone(p.journal), p.now)
	p.carryOut()
}

func (p *plan) carryOut() {
	e := p.take()
	p.unsaid = append(p.unsaid, e.write...)
	for _, g := range e.give {
		if has := p.given[g.worker]; has != "" {
			p.t.Fatalf("%s is given %s, and has %s", g.worker, g.job, has)
		}
		if p.workers[g.worker] == nil {
			p.t.Fatalf("%s is given to %s, which is not there", g.job, g.worker)
		}
		p.given[g.worker] = g.job
	}
	for _, m := range e.tell {
		p.news = append(p.news, m)
		switch m := m.(type) {
		case *Played:
			p.told[m.Job]++
		case *PutAside:
			p.told[m.Job]++
		}
	}
	p.out = append(p.out, e.dismiss...)
}

// write has the journal write all it was given.
func (p *plan) write() {
	for _, r := range p.unsaid {
		p.journal = append(p.journal, r)
		p.written(r)
	}
	p.unsaid = nil
	p.carryOut()
}

func (p *plan) join(name, label string) {
	p.ready(name, label, "", nil, p.now)
	p.carryOut()
}

// says has a worker play what it was given.
func (p *plan) says(name string, o job.Outcome) {
	j := p.given[name]
	delete(p.given, name)
	p.played(name, j, o, p.now)
	p.carryOut()
}

func (p *plan) dies(name, reason string) {
	delete(p.given, name)
	p.lost(name, reason, p.now)
	p.carryOut()
}

func (p *plan) wait(d time.Duration) {
	p.now = p.now.Add(d)
	p.expire(p.now)
	p.carryOut()
}

// named returns so many jobs, of which none or all are checked.
func named(n int, check bool) (jobs []job.Job) {
	for i := 0; len(jobs) < n; i++ {
		if j := job.Job(fmt.Sprint(i)); checked(j) == check {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

func outcomeOf(j job.Job) job.Outcome { return job.Outcome(`"of ` + string(j) + `"`) }

func TestAJobIsGivenAgainWhenItsWorkerDies(t *testing.T) {
	jobs := named(3, false)
	p := newPlan(t, jobs...)
	p.join("a", "x:1")
	p.join("b", "x:2")
	if p.given["a"] != jobs[0] || p.given["b"] != jobs[1] {
		t.Fatalf("given are %v", p.given)
	}
	p.dies("a", "killed")
	p.join("c", "x:3")
	if p.given["c"] != jobs[0] {
		t.Errorf("c is given %s, want that of a", p.given["c"])
	}
	p.dies("c", "") // leaves in good order
	p.join("d", "x:4")
	if p.given["d"] != jobs[0] {
		t.Errorf("d is given %s", p.given["d"])
	}
	p.says("d", outcomeOf(jobs[0]))
	if p.told[jobs[0]] > 0 {
		t.Error("an outcome is told before it is written")
	}
	p.write()
	if p.told[jobs[0]] != 1 {
		t.Error("an outcome that is written is not told")
	}
	if len(p.journal) != 2 || p.journal[0].Ended != "killed" || p.journal[0].Worker != "x:1" {
		t.Errorf("the journal is %+v", p.journal)
	}
}

func TestAJobThatKillsThreeWorkersIsPutAside(t *testing.T) {
	jobs := named(2, false)
	p := newPlan(t, jobs...)
	for i := range MaxDeaths {
		name := fmt.Sprint("w", i)
		p.join(name, name)
		if p.given[name] != jobs[0] {
			t.Fatalf("%s is given %s", name, p.given[name])
		}
		p.dies(name, "signal: killed")
		if i == 1 { // a sweep that is restarted remembers
			p.write()
			p.restart(jobs)
		}
	}
	p.write()
	p.join("last", "l")
	if p.given["last"] != jobs[1] {
		t.Errorf("a fourth is given %s", p.given["last"])
	}
	if got, is := p.news[0].(*PutAside); !is || got.Job != jobs[0] || got.Deaths != MaxDeaths {
		t.Errorf("told is %+v", p.news)
	}
}

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

func TestDisagreementIsTold(t *testing.T) {
	jobs := named(1, true)
	p := newPlan(t, jobs...)
	p.join("a", "x:1")
	p.join("b", "x:2")
	p.says("a", `"one"`)
	p.says("b", `"other"`)
	p.write()
	d, is := p.news[0].(*Disagreed)
	if !is || d.One.Outcome != `"one"` || d.Other.Outcome != `"other"` || d.Other.Worker != "x:2" {
		t.Errorf("told is %+v", p.news)
	}
	p.news = nil
	p.restart(jobs) // it stays
	if _, is := p.news[0].(*Disagreed); !is {
		t.Errorf("told after a restart is %+v", p.news)
	}
}

// TestOneInAHundredIsChecked, more or less: by the jobs alone.
func TestOneInAHundredIsChecked(t *testing.T) {
	const n = 20_000
	found := 0
	for i := range n {
		if checked(job.Job(fmt.Sprintf(`{"experiment":"03ffc7cb","variant":%d,"seed":%d}`, i%2, i))) {
			found++
		}
	}
	if found < n/oneChecked/2 || found > n/oneChecked*2 {
		t.Errorf("%d of %d are checked", found, n)
	}
}

// TestNothingIsLost: whatever happens to workers, journal and sweep, in the end
// each job was told once, with its outcome.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jobs := append(named(rapid.IntRange(1, 12).Draw(t, "jobs"), false), named(rapid.IntRange(0, 2).Draw(t, "checked"), true)...)
		p := newPlan(t, jobs...)
		joined := 0
		said := map[string]*job.Played{} // by worker
		workers := func() []string { return slices.Sorted(maps.Keys(p.workers)) }
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if len(p.workers) == 0 {
				joined++
				p.join(fmt.Sprint("w", joined), fmt.Sprintf("host%d:%d", joined%3, joined))
				continue
			}
			name := rapid.SampledFrom(workers()).Draw(t, "worker")
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0:
				joined++
				p.join(fmt.Sprint("w", joined), fmt.Sprintf("host%d:%d", joined%3, joined))
			case 1: // it leaves
				p.dies(name, "")
			case 2: // the sweep restarts, and this worker joins again with what it plays
				plays, label := p.given[name], p.workers[name].label
				p.told = map[job.Job]int{}
				p.restart(jobs)
				if plays != "" {
					p.given[name] = plays
				}
				p.ready(name, label, plays, nil, p.now)
				p.carryOut()
			case 3: // the journal restarts, and has lost what it was not told to have
				p.unsaid = nil
				p.load(slices.Clone(p.journal), p.now)
				p.carryOut()
			case 4: // joins again, and has not heard what it was given
				plays := p.given[name]
				delete(p.given, name)
				if rapid.Bool().Draw(t, "heard") {
					p.given[name] = plays
				} else {
					plays = ""
				}
				p.ready(name, p.workers[name].label, plays, said[name], p.now)
				p.carryOut()
			case 5:
				p.wait(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second}).Draw(t, "wait"))
			default:
				if j := p.given[name]; j != "" {
					said[name] = &job.Played{Job: j, Outcome: outcomeOf(j)}
					if rapid.Bool().Draw(t, "heard") {
						p.says(name, outcomeOf(j))
					} else { // it joins again, and says so then
						label := p.workers[name].label
						delete(p.given, name)
						p.ready(name, label, "", said[name], p.now)
						p.carryOut()
					}
				}
				if rapid.Bool().Draw(t, "write") {
					p.write()
				}
			}
		}
		p.join("end1", "hostx:1")
		p.join("end2", "hosty:1")
		for range 10 * len(jobs) {
			p.wait(2 * time.Second)
			for _, name := range workers() {
				if j := p.given[name]; j != "" {
					p.says(name, outcomeOf(j))
				}
			}
			p.write()
		}
		for _, j := range jobs {
			if p.told[j] != 1 {
				t.Fatalf("%s is told %d times; the journal is %+v, given are %v", j, p.told[j], p.journal, p.given)
			}
		}
		for _, m := range p.news {
			if m, is := m.(*Played); !is || m.Outcome != outcomeOf(m.Job) {
				t.Fatalf("told is %+v", m)
			}
		}
		if len(p.unsaid) > 0 {
			t.Fatalf("not written: %+v", p.unsaid)
		}
	})
}
