package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Shrinking makes a scenario that goes wrong small: it leaves out whatever can
// be left out so that the run still goes wrong in the same way.
type Shrinking struct {
	Seed  uint64
	Tries int // runs at most; 0: DefaultTries
	// Said, if it is not nil, is called with a line about each step.
	Said func(string)

	tamper *tamper
	wrong  string // the error that must stay
	left   int
}

// DefaultTries is how many runs shrinking takes at most.
const DefaultTries = 400

// Shrink returns the smallest scenario found, and the error of its run. It
// returns an error of its own if nothing goes wrong. The same scenario and seed
// give the same result.
func (x Shrinking) Shrink(s *Scenario) (*Scenario, error, error) {
	if x.left = x.Tries; x.left == 0 {
		x.left = DefaultTries
	}
	if x.Said == nil {
		x.Said = func(string) {}
	}
	r, err := x.play(s)
	switch {
	case err != nil:
		return nil, nil, err
	case len(r.Wrong) == 0:
		return nil, nil, errors.New("the run passes all checks")
	}
	x.wrong = gist(r.Wrong[0])
	for {
		before := len(s.TOML())
		s = x.fewer(s)
		s = x.simpler(s)
		if x.left == 0 || len(s.TOML()) == before {
			break
		}
	}
	r, err = x.play(s)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(r.Wrong, func(err error) bool { return gist(err) == x.wrong })
	return s, r.Wrong[i], nil
}

func (x *Shrinking) play(s *Scenario) (*Result, error) {
	return Run(s.Clone(), Options{Seed: x.Seed, tamper: x.tamper})
}

// gist is the text of an error without times, nodes and numbers.
func gist(wrong error) string {
	text := wrong.Error()
	if _, after, is := strings.Cut(text, ": "); is { // the time, and the node
		text = after
	}
	text, _, _ = strings.Cut(text, "(")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune(" .:-+", r) }), " ")
}

// same tells whether a scenario goes wrong in the same way as the first one.
func (x *Shrinking) same(s *Scenario) bool {
	if x.left == 0 {
		return false
	}
	x.left--
	r, err := x.play(s)
	return err == nil && slices.ContainsFunc(r.Wrong, func(err error) bool { return gist(err) == x.wrong })
}

// element is a part that can be left out of a scenario.
type element struct {
	what     string // "class", "fault", "hostile" or "event"
	class, i int
}

func (s *Scenario) parts() (list []element) {
	for i := range s.Event {
		list = append(list, element{"event", 0, i})
	}
	for k, c := range s.Class {
		for i := range c.Faults {
			list = append(list, element{"fault", k, i})
		}
		for i := range c.Hostile {
			list = append(list, element{"hostile", k, i})
		}
		list = append(list, element{"class", k, 0})
	}
	return list
}

// with is the scenario with these elements only.
func (s *Scenario) with(keep []element) *Scenario {
	has := func(p element) bool { return slices.Contains(keep, p) }
	small := *s
	small.Class, small.Event = nil, nil
	for i, e := range s.Event {
		if has(element{"event", 0, i}) {
			small.Event = append(small.Event, e)
		}
	}
	for k, c := range s.Class {
		if !has(element{"class", k, 0}) {
			continue
		}
		faults, hostile := c.Faults, c.Hostile
		c.Faults, c.Hostile = nil, nil
		for i, f := range faults {
			if has(element{"fault", k, i}) {
				c.Faults = append(c.Faults, f)
			}
		}
		for i, h := range hostile {
			if has(element{"hostile", k, i}) {
				c.Hostile = append(c.Hostile, h)
			}
		}
		if len(hostile) == 0 || len(c.Hostile) > 0 {
			small.Class = append(small.Class, c)
		}
	}
	return &small
}

// Clone copies a scenario, so that a class or event of it can be changed.
func (s *Scenario) Clone() *Scenario {
	c := *s
	c.Class, c.Event = slices.Clone(s.Class), slices.Clone(s.Event)
	return &c
}

// fewer leaves out elements, many at a time first and one at a time in the end
// (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
// 2002).
func (x *Shrinking) fewer(s *Scenario) *Scenario {
	keep := s.parts()
	for size := (len(keep) + 1) / 2; size > 0; {
		left := false
		for from := 0; from < len(keep); {
			fewer := slices.Concat(keep[:from], keep[min(from+size, len(keep)):])
			if small := s.with(fewer); len(small.Class) > 0 && x.same(small) {
				keep, left = fewer, true
				x.Said(fmt.Sprintf("%d parts are enough", len(keep)))
			} else {
				from += size
			}
		}
		if size == 1 && !left {
			break
		}
		if !left {
			size = (size + 1) / 2
		}
	}
	return s.with(keep)
}

// simpler makes what is left simpler, step by step: fewer nodes, links and
// disks without limits, shorter times and less content.
func (x *Shrinking) simpler(s *Scenario) *Scenario {
	try := func(what string, change func(*Scenario) bool) bool {
		small := s.Clone()
		if !change(small) || !x.same(small) {
			return false
		}
		x.Said(what)
		s = small
		return true
	}
	for k := range s.Class {
		name := s.Class[k].Name
		for try(name+": fewer nodes", func(s *Scenario) bool { return halve(&s.Class[k].Count) }) {
		}
		for _, p := range plain {
			try(name+": "+p.what, func(s *Scenario) bool { return p.change(&s.Class[k]) })
		}
	}
	for k := range s.Event {
		try("an event of one node", func(s *Scenario) bool {
			e := &s.Event[k]
			return set(&e.Count, 1)
		})
		try("an event that is not repeated", func(s *Scenario) bool { return set(&s.Event[k].Every, 0) })
	}
	try("a tracker over HTTP", func(s *Scenario) bool { return set(&s.Tracker, "") })
	for try("half of the content", func(s *Scenario) bool { return s.Content > s.Piece && halve(&s.Content) }) {
	}
	for _, limit := range []time.Duration{30 * time.Minute, time.Hour} {
		if try("a shorter time", func(s *Scenario) bool { return time.Duration(s.Limit) > limit && set(&s.Limit, Time(limit)) }) {
			break
		}
	}
	return s
}

// plain are the ways in which a class can be made simpler.
var plain = []struct {
	what   string
	change func(*Class) bool
}{
	{"nothing at the start", func(c *Class) bool { return c.Have < 1 && set(&c.Have, 0) }},
	{"stays", func(c *Class) bool { return set(&c.Leave, "") }},
	{"comes at once", func(c *Class) bool { return set(&c.Within, 0) }},
	{"no jitter", func(c *Class) bool { return set(&c.Jitter, 0) }},
	{"no loss", func(c *Class) bool { return set(&c.Loss, 0) }},
	{"no delay", func(c *Class) bool { return set(&c.Delay, 0) }},
	{"a quick disk", func(c *Class) bool { return set(&c.Disk, Disk{}) }},
	{"downloads without bound", func(c *Class) bool { return set(&c.Down, 0) }},
	{"uploads without bound", func(c *Class) bool { return set(&c.Up, 0) }},
	{"the usual memory", func(c *Class) bool { return set(&c.Memory, 0) }},
	{"the usual patterns", func(c *Class) bool { return len(c.Patterns) > 0 && unset(&c.Patterns) }},
	{"the usual picker", func(c *Class) bool { return set(&c.Picker, "") }},
	{"the usual choker", func(c *Class) bool { return set(&c.Choker, "") }},
}

// set sets a value, and tells whether it was another one before.
func set[T comparable](v *T, to T) bool {
	changed := *v != to
	*v = to
	return changed
}

// unset makes a value what it is when nothing is said.
func unset[T any](v *T) bool {
	*v = *new(T)
	return true
}

func halve[N ~int | ~int64](n *N) bool { return *n > 1 && set(n, (*n+1)/2) }
