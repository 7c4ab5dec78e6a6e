package pattern

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Choice is what was chosen: for names of kinds a pattern of each, as users
// write it. Kinds that are missing have their default. A Choice that Parse or
// Check has passed can be made without errors.
type Choice map[string]string

// Parse reads texts of the form KIND=PATTERN. The error is one line.
func Parse(texts []string, runs Runs) (Choice, error) {
	c := Choice{}
	for _, text := range texts {
		kind, spec, is := strings.Cut(text, "=")
		if !is {
			return nil, fmt.Errorf("%q must be KIND=NAME, such as picker=random", text)
		}
		if kind = strings.TrimSpace(kind); c[kind] != "" {
			return nil, fmt.Errorf("%s is chosen twice", kind)
		}
		c[kind] = strings.TrimSpace(spec)
	}
	return c, c.Check(runs)
}

// Check refuses kinds and patterns that there are not in such runs, or not with
// one of these scopes; no scopes are all.
func (c Choice) Check(runs Runs, scopes ...Scope) error {
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		t, err := Find(kind)
		if err != nil {
			return err
		}
		if err := t.fits(runs, scopes); err != nil {
			return err
		}
		if c[kind] == "" {
			return fmt.Errorf("%s is empty; there are %s", kind, strings.Join(t.Names(), ", "))
		}
		if err := t.Check(c[kind]); err != nil {
			return fmt.Errorf("%s %w", kind, err)
		}
	}
	return nil
}

// fits tells whether the kind can be chosen there.
func (t *Table) fits(runs Runs, scopes []Scope) error {
	switch {
	case t.Runs&runs == 0 && runs == Real:
		return fmt.Errorf("%s can be chosen in simulated runs only", t.Name)
	case t.Runs&runs == 0:
		return fmt.Errorf("%s can be chosen in real runs only", t.Name)
	case len(scopes) > 0 && !slices.Contains(scopes, t.Scope):
		return fmt.Errorf("%s is chosen for %s", t.Name, t.Scope)
	}
	return nil
}

// String says who shares a choice.
func (s Scope) String() string {
	return [...]string{"each torrent", "each client", "each class", "the whole world"}[s]
}

// Or is c with the choices of others for the kinds that c leaves open; nil if
// nothing was chosen at all.
func (c Choice) Or(others Choice) Choice {
	if len(c)+len(others) == 0 {
		return nil
	}
	sum := Choice{}
	maps.Copy(sum, others)
	maps.Copy(sum, c)
	return sum
}
