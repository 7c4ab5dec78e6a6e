package lab

import (
	"fmt"
	"maps"

	"kouzui/actors/runtime/pattern"
)

// patterns are those with which the nodes of a class run.
func (s *Scenario) patterns(c *Class) pattern.Choice { return c.short().Or(c.Patterns).Or(s.Patterns) }

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
	if len(c.Hostile) > 0 && len(c.Patterns)+len(c.short()) > 0 {
		return wrong("hostile", "nodes have no client, and so no patterns")
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
