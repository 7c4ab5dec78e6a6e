package sweep

import (
	"hash/fnv"
	"slices"

	"kouzui/actors/sweep/job"
)

// task is a job with all that is known of it.
type task struct {
	job     job.Job
	asked   bool // by the program; else it is known from the journal alone
	queued  int  // how often it stands in the queues of the ledger
	players int  // who play it now
	records []entry
	told    bool // the program knows what has become of it
	claimed bool // the program knows that two outcomes differ
}

// entry is a record of a job. What is not written yet is known, so that the job
// is not given again, but it is not believed: it could still be lost.
type entry struct {
	job.Record
	written bool
}

// Numbers that decide.
const (
	// MaxDeaths is how many workers a job may end. A single death may be chance: a
	// machine that was switched off, or that was short of memory.
	MaxDeaths = 3

	// oneChecked: one job of so many is played by two workers, which must agree.
	oneChecked = 100
)

// checked tells whether two workers are to play the job. It depends on nothing
// else, so that every sweep of the experiment checks the same ones.
func checked(j job.Job) bool {
	h := fnv.New32a()
	h.Write([]byte(j))
	return h.Sum32()%oneChecked == 0
}

// needs is how many outcomes the job has to have.
func (t *task) needs() int {
	if checked(t.job) {
		return 2
	}
	return 1
}

// count counts outcomes and deaths, those that are not written among them if
// all is true.
func (t *task) count(all bool) (outcomes, deaths int) {
	for _, e := range t.records {
		switch {
		case !e.written && !all:
		case e.Outcome == "":
			deaths++
		default:
			outcomes++
		}
	}
	return outcomes, deaths
}

// closed: nobody needs to play the job any more.
func (t *task) closed() bool {
	outcomes, deaths := t.count(true)
	return !t.asked || outcomes >= t.needs() || deaths >= MaxDeaths
}

// wanted: how many more workers are to play the job.
func (t *task) wanted() int {
	if t.closed() {
		return 0
	}
	outcomes, _ := t.count(true)
	return t.needs() - outcomes - t.players - t.queued
}

// by tells whether a worker with that label has played the job.
func (t *task) by(label string) bool {
	return slices.ContainsFunc(t.records, func(e entry) bool { return e.Outcome != "" && e.Worker == label })
}

// says tells whether the outcome is known to be that of the job.
func (t *task) says(o job.Outcome) bool {
	return slices.ContainsFunc(t.records, func(e entry) bool { return e.Outcome == o })
}

// write notes that a record stands in the journal.
func (t *task) write(r job.Record) {
	for i := range t.records {
		if e := &t.records[i]; e.Record == r && !e.written {
			e.written = true
			return
		}
	}
}

// reload takes the records that a journal began with, and returns those that
// were given to an earlier one and do not stand there.
func (t *task) reload(records []job.Record) (missing []job.Record) {
	there := map[job.Record]int{}
	var entries []entry
	for _, r := range records {
		there[r]++
		entries = append(entries, entry{r, true})
	}
	for _, written := range []bool{true, false} {
		for _, e := range t.records {
			switch {
			case e.written != written:
			case there[e.Record] > 0:
				there[e.Record]--
			default:
				missing = append(missing, e.Record)
				entries = append(entries, entry{e.Record, false})
			}
		}
	}
	t.records = entries
	return missing
}

// news is what the program is to be told, once.
func (t *task) news() (news []any) {
	if !t.asked {
		return nil
	}
	var first *entry
	for i := range t.records {
		e := &t.records[i]
		switch {
		case !e.written || e.Outcome == "":
		case first == nil:
			first = e
		case e.Outcome != first.Outcome && !t.claimed:
			t.claimed = true
			news = append(news, &Disagreed{Job: t.job, One: first.Record, Other: e.Record})
		}
	}
	if t.told {
		return news
	}
	switch outcomes, deaths := t.count(false); {
	case outcomes >= t.needs():
		t.told = true
		news = append(news, &Played{Job: t.job, Outcome: first.Outcome})
	case deaths >= MaxDeaths:
		t.told = true
		news = append(news, &PutAside{Job: t.job, Deaths: deaths})
	}
	return news
}
