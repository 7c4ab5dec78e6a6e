package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/mailbox"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/world/sim"
)

// wakeCost is what it costs to start a goroutine for a mailbox that wakes up:
// with one, a message to an actor and its answer take 3.5 µs, with workers that
// stay 0.55 µs, and each of the two mailboxes wakes up.
const wakeCost = 1500 * time.Nanosecond

// onCores are the kinds that make no difference where handling messages takes
// no time.
var onCores = []string{"mailbox", "dispatcher", "granularity", "hashing"}

// matters tells whether one of onCores makes a difference on nodes of the
// class. Hash workers also wait for a disk side by side.
func (c *Class) matters(kind string) bool {
	return c.Cores > 0 || kind == "hashing" && c.Disk.Latency > 0
}

// running is how the mailboxes of a host are run that has chosen some patterns.
func running(chosen pattern.Choice) sim.Running {
	var r sim.Running
	if rule := pattern.Chosen(mailbox.Mailboxes, chosen).Rule; rule != (mailbox.Rule{}) {
		r.Lane, r.KeepsOut = rule.Lane, rule.KeepsOut
	}
	d := pattern.Chosen(dispatch.Dispatchers, chosen)
	if r.Workers = d.Workers; d.Wakes {
		r.Wake = wakeCost
	}
	return r
}

// PatternsOf are those with which the nodes of a class run.
func (s *Scenario) PatternsOf(c *Class) pattern.Choice {
	return c.short().Or(c.Patterns).Or(s.Patterns)
}

// short are the patterns of the class that have keys of their own.
func (c *Class) short() pattern.Choice {
	chosen := pattern.Choice{"picker": c.Picker, "choker": c.Choker}
	maps.DeleteFunc(chosen, func(_, spec string) bool { return spec == "" })
	return chosen
}

func (c *Class) checkPatterns() *problem {
	for kind, spec := range c.short() {
		if err := pattern.Check(kind, spec); err != nil {
			return &problem{key: kind, err: err}
		}
		if c.Patterns[kind] != "" {
			return wrong(kind, "is among the patterns as well")
		}
	}
	if err := c.Patterns.Check(pattern.Simulated, pattern.OfTorrent, pattern.OfClient, pattern.OfClass); err != nil {
		return &problem{key: "patterns", err: fmt.Errorf("patterns: %w", err)}
	}
	for _, kind := range onCores {
		if c.Patterns[kind] != "" && !c.matters(kind) {
			return wrong("patterns", "%s: handling messages takes no time here, so that %s makes no difference: give the class cores", kind, c.Patterns[kind])
		}
	}
	if c.Patterns["limiter"] != "" && !c.Limits {
		return wrong("patterns", "limiter: nothing is limited here, so that %s makes no difference: set limits", c.Patterns["limiter"])
	}
	switch spec, _, _ := strings.Cut(c.Patterns["arrivals"], ","); {
	case (spec == "poisson" || spec == "listed") && c.Within > 0:
		return wrong("patterns", "with %s arrivals within is of no use", spec)
	case spec == "flash" && c.Within == 0:
		return wrong("patterns", "without within a flash makes no difference")
	}
	if len(c.Hostile) > 0 && len(c.Patterns)+len(c.short()) > 0 {
		return wrong("hostile", "nodes have no client, and so no patterns")
	}
	return nil
}

// checkPatterns refuses patterns for all that are of use to none.
func (s *Scenario) checkPatterns() *problem {
	if err := s.Patterns.Check(pattern.Simulated); err != nil {
		return &problem{table: "patterns", err: err}
	}
	if s.Patterns["limiter"] != "" && !slices.ContainsFunc(s.Class, func(c Class) bool { return c.Limits }) {
		return &problem{table: "patterns", key: "limiter", err: fmt.Errorf("nothing is limited here, so that limiter=%s makes no difference: set the limits of a class", s.Patterns["limiter"])}
	}
	if s.Patterns["schedule"] != "" && !slices.ContainsFunc(s.Class, func(c Class) bool { return c.Cores == 0 && len(c.Hostile) == 0 }) {
		return &problem{table: "patterns", key: "schedule", err: fmt.Errorf("all nodes have cores, for which messages wait, so that schedule=%s makes no difference", s.Patterns["schedule"])}
	}
	for _, kind := range onCores {
		matters := slices.ContainsFunc(s.Class, func(c Class) bool { return c.matters(kind) })
		if s.Patterns[kind] != "" && !matters {
			return &problem{table: "patterns", key: kind, err: fmt.Errorf("handling messages takes no time here, so that %s=%s makes no difference: give a class cores", kind, s.Patterns[kind])}
		}
	}
	return nil
}

// Choose puts patterns in the place of what the scenario says: those of the
// world, and those of all classes of clients.
func (s *Scenario) Choose(chosen pattern.Choice) {
	s.Patterns = chosen.Or(s.Patterns)
	for i := range s.Class {
		c := &s.Class[i]
		c.Patterns = maps.Clone(c.Patterns)
		for kind := range chosen {
			delete(c.Patterns, kind)
		}
		if chosen["picker"] != "" {
			c.Picker = ""
		}
		if chosen["choker"] != "" {
			c.Choker = ""
		}
	}
}
