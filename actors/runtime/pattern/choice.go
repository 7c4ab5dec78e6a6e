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
		if name, _, _ := split(c[kind]); t.find(name).Runs&runs == 0 {
			return fmt.Errorf("%s %s can be chosen in %s runs only", kind, name, t.find(name).Runs)
		}
	}
	return nil
}

// Chosen makes the pattern of a kind that was chosen. Check must have passed
// the choice.
func Chosen[T any](k *Kind[T], c Choice) T {
	value, err := k.Make(c[k.Name])
	if err != nil {
		panic(err)
	}
	return value
}

// fits tells whether the kind can be chosen there.
func (t *Table) fits(runs Runs, scopes []Scope) error {
	switch {
	case t.Runs&runs == 0:
		return fmt.Errorf("%s can be chosen in %s runs only", t.Name, t.Runs)
	case len(scopes) > 0 && !slices.Contains(scopes, t.Scope):
		return fmt.Errorf("%s is chosen for %s", t.Name, t.Scope)
	}
	return nil
}

// find is the pattern of that name.
func (t *Table) find(name string) *Pattern {
	at, found := slices.BinarySearchFunc(t.patterns, name, func(p *Pattern, name string) int { return strings.Compare(p.Name, name) })
	if !found {
		return nil
	}
	return t.patterns[at]
}

// String says which runs these are.
func (r Runs) String() string {
	return map[Runs]string{Real: "real", Simulated: "simulated", Everywhere: "all"}[r]
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
