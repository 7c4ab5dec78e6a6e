package whatif

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
	"kouzui/actors/runtime/event"
)

// Answer is what difference a failure has made.
type Answer struct {
	Failure string // in words
	// Last and Mean are how much sooner the last downloader would have been
	// complete without the failure in the run itself, and how much less
	// downloaders would have taken on average, in seconds.
	Last, Mean float64
	// OverLast and OverMean are the same over other seeds in which it happens too.
	OverLast, OverMean stat.Paired
	Seeds, Met         int // how many seeds were played, and in how many of them it happened
}

// follows is from which correlation on the runs with and without a failure are
// taken for the same run but for the failure.
const follows = 0.5

// Unclean says why the answer should not be believed; "" if it should.
func (a *Answer) Unclean() string {
	switch {
	case math.IsNaN(a.Last):
		return "not all downloaders are complete in both runs"
	case a.Met < 2:
		return "the failure happens in no other seed, so chance cannot be told from it"
	case a.OverMean.Correlation < follows:
		return fmt.Sprintf("the runs with and without it soon have little in common (their correlation is %.2f): what differs in one seed is mostly chance", a.OverMean.Correlation)
	case !a.OverMean.Interval.Excludes(0):
		return "over the seeds no difference is seen"
	}
	return ""
}

// ErrNoFailure: an event was not caused by a failure that can be left out.
var ErrNoFailure = errors.New("no fault on purpose led to it: only faults of the scenario can be left out")

// Find tells which failure led to an event of a trace of a simulated run: the
// event itself or the nearest of its causes that is a fault.
func Find(events []*event.Event, seq uint64) (*lab.Spared, string, error) {
	at := map[uint64]*event.Event{}
	for _, e := range events {
		at[e.Seq] = e
	}
	found := at[seq]
	if found == nil {
		return nil, "", fmt.Errorf("there is no event %d", seq)
	}
	for found.Kind != event.Fault {
		if found = at[found.From()]; found == nil {
			return nil, "", ErrNoFailure
		}
	}
	node, _, _ := strings.Cut(found.Actor, "/")
	words := fmt.Sprintf("%s of %s at %v", found.Reason, found.Actor, found.Time.Sub(lab.Epoch))
	crash := found.Reason == event.ReasonKill || found.Reason == event.ReasonPowerCut
	s := &lab.Spared{Node: node, Fault: found.Reason, At: found.Time.Sub(lab.Epoch), Crash: crash}
	for _, e := range events {
		root, _, _ := strings.Cut(e.Actor, "/")
		switch {
		case e.Seq > found.Seq:
		case crash && e.Kind == event.Fault && e.Reason == found.Reason && e.Time.Equal(found.Time) && !strings.Contains(e.Actor, "/"):
			s.Number++
		case crash || root != node:
		case e.Kind == event.Spawned && e.Parent == "":
			s.Life++
			s.Number = 0
		case e.Kind == event.Fault && e.Reason == found.Reason:
			s.Number++
		}
	}
	return s, words, nil
}

// Without plays a run once more without a failure, and with other seeds with
// and without it.
func Without(ctx context.Context, s *lab.Scenario, seed uint64, spared *lab.Spared, words string, others int) (*Answer, error) {
	seeds := Seeds(seed, others+1)
	before, err := play(ctx, s.Clone, seeds, nil)
	if err != nil {
		return nil, err
	}
	after, err := play(ctx, s.Clone, seeds, spared)
	if err != nil {
		return nil, err
	}
	if !after[0].met {
		return nil, errors.New("played again, the run has no such failure: another build wrote the trace, or other flags did")
	}
	a := &Answer{Failure: words, Seeds: len(seeds), Last: before[0].last - after[0].last, Mean: before[0].mean - after[0].mean}
	var b, c []ended
	for i := range seeds {
		if after[i].met {
			a.Met++
			b, c = append(b, before[i]), append(c, after[i])
		}
	}
	a.OverLast, a.OverMean = sooner(b, c, last), sooner(b, c, mean)
	return a, nil
}
