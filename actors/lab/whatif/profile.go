package whatif

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
)

// Faster are the parts by which a kind of actor is made faster.
var Faster = []float64{0.1, 0.2, 0.5}

// leastShare is from which part of all work on a kind is worth a try: what does
// less cannot make a run much shorter.
const leastShare = 0.002

// Kind is what it would bring if a kind of actor were faster.
type Kind struct {
	Name    string
	Share   float64       // of all work in the run of the first seed
	Sooner  []stat.Paired // how much sooner the last downloader is complete, in seconds, for each of Faster
	Without float64       // seconds until then as things are, on average of Seeds
	Seeds   int           // those with which all downloaders are complete
}

// Why a scenario has no profile.
var (
	ErrNoCores    = errors.New("no class has cores, so work takes no time: give cores to the classes whose work matters")
	ErrIncomplete = errors.New("with no seed are all downloaders complete, so none ends sooner")
)

// Profile plays a scenario with each of the seeds, and again with one kind of
// actor faster. This is a causal profile (Curtsinger and Berger, "Coz", 2015)
// without its trick: where Coz slows everything else down, a simulated run is
// really played with the kind made faster. Kinds are told as soon as they are
// known, those that work most first.
func Profile(ctx context.Context, s *lab.Scenario, seeds []uint64, say func(Kind)) error {
	if !slices.ContainsFunc(s.Class, func(c lab.Class) bool { return c.Cores > 0 }) {
		return ErrNoCores
	}
	shares, err := shares(ctx, s, seeds[0])
	if err != nil {
		return err
	}
	before, err := play(ctx, func() *lab.Scenario { return faster(s, "", 0) }, seeds, nil)
	if err != nil {
		return err
	}
	var ends []float64
	for _, e := range before {
		if !math.IsNaN(e.last) {
			ends = append(ends, e.last)
		}
	}
	if len(ends) == 0 {
		return ErrIncomplete
	}
	kinds := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), strings.Compare(a, b))
	})
	for _, name := range kinds {
		if shares[name] < leastShare {
			continue
		}
		k := Kind{Name: name, Share: shares[name], Without: stat.Mean(ends), Seeds: len(ends)}
		for _, by := range Faster {
			after, err := play(ctx, func() *lab.Scenario { return faster(s, name, by) }, seeds, nil)
			if err != nil {
				return err
			}
			k.Sooner = append(k.Sooner, sooner(before, after, last))
		}
		say(k)
	}
	return nil
}

// faster is a scenario in which messages to a kind of actor cost less by a
// part.
func faster(s *lab.Scenario, kind string, by float64) *lab.Scenario {
	one := s.Clone()
	if len(one.Cost) == 0 {
		one.Cost = work.Shipped().Cost
	}
	one.Cost = slices.Clone(one.Cost)
	for i := range one.Cost {
		if c := &one.Cost[i]; same(c.Kind) == kind {
			c.Time, c.KiB = work.Time(float64(c.Time)*(1-by)), work.Time(float64(c.KiB)*(1-by))
		}
	}
	return one
}

// same is the name of a kind in a profile: who has dialled does not matter.
func same(kind string) string { return strings.TrimPrefix(kind, "inbound-") }

// shares are the parts of all work that the kinds of actors do.
func shares(ctx context.Context, s *lab.Scenario, seed uint64) (map[string]float64, error) {
	t := tally{}
	if _, err := lab.Run(s.Clone(), lab.Options{Seed: seed, Quick: true, Trace: []event.Sink{t}, Stop: ctx.Done()}); err != nil {
		return nil, err
	}
	sum := 0.0
	for _, busy := range t {
		sum += busy
	}
	for kind := range t {
		t[kind] /= max(sum, 1)
	}
	return t, nil
}

// tally adds up how long the actors of each kind were busy.
type tally map[string]float64

// Record implements event.Sink.
func (t tally) Record(e *event.Event) {
	if e.Kind == event.Worked && !e.Work.Device {
		t[same(e.ActorKind)] += float64(e.Work.Busy)
	}
}
