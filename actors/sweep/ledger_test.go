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
