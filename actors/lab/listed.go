package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/units"
)

// listed are times at which nodes come, since the start of their class.
type listed struct {
	File  string `about:"of the times, one a line; # begins a comment"`
	Times times  `about:"in place of the file, with spaces in between"`
}

// Check refuses two lists.
func (l listed) Check() error {
	if l.File != "" && l.Times != nil {
		return errors.New("file and times exclude each other")
	}
	return nil
}

var _ = pattern.Keyed(Arrivals, "listed", "at times that are given, the first node at the first, such as those at which peers were seen to come", listed{}, func(l listed) Arrival {
	rest := l.Times
	return func(last, _ time.Duration, _ *rand.Rand) time.Duration {
		if len(rest) > 0 {
			last, rest = rest[0], rest[1:]
		}
		return last
	}
})

// times are in the order of time.
type times []time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *times) UnmarshalText(text []byte) error {
	*t = nil
	for word := range strings.FieldsSeq(string(text)) {
		if err := t.add(word); err != nil {
			return err
		}
	}
	return nil
}

// add reads one more time.
func (t *times) add(word string) error {
	d, err := units.ParseDuration(word)
	switch {
	case err != nil:
		return fmt.Errorf("has %q: %w", word, err)
	case d < 0:
		return fmt.Errorf("has %q, which is before the start", word)
	case len(*t) > 0 && d < (*t)[len(*t)-1]:
		return fmt.Errorf("has %v after %v: the times must be in their order", d, (*t)[len(*t)-1])
	}
	*t = append(*t, d)
	return nil
}

// String is what UnmarshalText reads.
func (t times) String() string {
	words := make([]string, len(t))
	for i, d := range t {
		words[i] = d.String()
	}
	return strings.Join(words, " ")
}

// readTimes reads the times of a file. An error names the line.
func readTimes(text string) (t times, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if strings.ContainsFunc(line, unicode.IsSpace) {
			return nil, fmt.Errorf("line %d has %q, and must have one time", number, line)
		}
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("line %d %w", number, err)
		}
	}
	if len(t) == 0 {
		return nil, errors.New("has no times")
	}
	return t, nil
}

// listOf is what a pattern of arrivals lists: a file, or else the times.
func listOf(spec string) (file string, t times, is bool) {
	name, rest, _ := strings.Cut(spec, ",")
	if strings.TrimSpace(name) != "listed" {
		return "", nil, false
	}
	key, value, _ := strings.Cut(rest, "=")
	if strings.TrimSpace(key) == "file" {
		return strings.TrimSpace(value), nil, true
	}
	_ = t.UnmarshalText([]byte(value)) // the pattern has been checked
	return "", t, true
}

// checkListed refuses fewer times than nodes.
func (c *Class) checkListed(spec string) error {
	file, t, is := listOf(spec)
	if is && file == "" && len(t) < c.Count && len(c.Hostile) == 0 {
		return fmt.Errorf("arrivals are at %s, and %d nodes are to come", units.Count(len(t), "time"), c.Count)
	}
	return nil
}

// loadArrivals reads the files of arrivals, and keeps the times in their place.
func (s *Scenario) loadArrivals(read func(file string) (string, error)) error {
	load := func(chosen pattern.Choice) error {
		file, _, _ := listOf(chosen["arrivals"])
		if file == "" {
			return nil
		}
		text, err := read(file)
		if err != nil {
			return err
		}
		t, err := readTimes(text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		chosen["arrivals"] = "listed,times=" + t.String()
		return nil
	}
	err := load(s.Patterns)
	for i := range s.Class {
		c := &s.Class[i]
		if err == nil {
			err = load(c.Patterns)
		}
		if e := c.checkListed(s.PatternsOf(c)["arrivals"]); err == nil && e != nil {
			err = fmt.Errorf("class %s: %w", c.Name, e)
		}
	}
	return err
}

// unread is a file of arrivals that Load has not read.
func (s *Scenario) unread() string {
	for i := range s.Class {
		if file, _, _ := listOf(s.PatternsOf(&s.Class[i])["arrivals"]); file != "" {
			return file
		}
	}
	return ""
}
