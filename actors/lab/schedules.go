package lab

import (
	"errors"

	"kouzui/actors/runtime/pattern"
	"kouzui/actors/world/sim"
)

// Schedules are those that a scenario can choose from.
var Schedules = pattern.NewKind[sim.Schedule]("schedule", "which mailbox gets the next turn, of those that have messages", "random", pattern.Simulated, pattern.OfWorld)

var _ = Schedules.Register("random", "any, all alike", sim.Random)

var _ = Schedules.Register("fifo", "the one that has waited longest", sim.FIFO)

var _ = Schedules.Register("lifo", "the one that has waited least", sim.LIFO)

type changes struct {
	Depth int `about:"how many turns in a certain order a fault takes; one less is how often priorities change"`
	Steps int `about:"among how many turns, from the first, those are at which priorities change"`
}

// Check refuses numbers without meaning.
func (c changes) Check() error {
	if c.Depth == 0 || c.Depth > c.Steps {
		return errors.New("depth must be 1 or more, and steps as many at least")
	}
	return nil
}

var _ = pattern.Keyed(Schedules, "pct", "the one of the highest priority; priorities are drawn once, and change a few times", changes{3, 100_000}, func(c changes) sim.Schedule {
	return sim.PCT(c.Depth, c.Steps)
})

type chances struct {
	Skew float64 `about:"times that the chance of one mailbox is that of another, at most"`
}

// Check refuses what is the schedule random.
func (c chances) Check() error {
	if c.Skew <= 1 {
		return errors.New("skew must be more than 1")
	}
	return nil
}

var _ = pattern.Keyed(Schedules, "priorities", "any, but each mailbox has a chance of its own, which is drawn once", chances{64}, func(c chances) sim.Schedule {
	return sim.Priorities(c.Skew)
})
