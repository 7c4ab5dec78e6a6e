// Package pattern is the registry of what an experiment can choose by name,
// such as the rule that picks pieces, or how mailboxes are made.
//
// A Kind is one such choice. It is a variable of the package that uses what is
// chosen. A pattern is one value of a kind; it registers itself in the file in
// which it stands:
//
//	var _ = Pickers.Register("random", "any piece", func() Picker { return random{} })
//
// That line is all: flags, keys of scenarios, help, completion, errors and
// `kouzui lab patterns` ask the registry. A pattern that has keys of its own
// is registered by Keyed.
//
// Users write a pattern as its name, with its keys behind commas, as in
// "token-bucket,per=peer".
package pattern

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Runs says in which runs a kind can be chosen.
type Runs uint8

// The runs there are.
const (
	Real       Runs = 1 << iota // those of processes
	Simulated                   // those of package lab
	Everywhere = Real | Simulated
)

// Scope says what shares one choice.
type Scope uint8

// The scopes there are. Each torrent of a client can have patterns of its own,
// and so can each class of a scenario.
const (
	OfTorrent Scope = iota
	OfClient
	OfClass // of nodes in a scenario, which say when its nodes come
	OfWorld // of a scenario
)

// Pattern is one value of a kind.
type Pattern struct {
	Name  string
	About string // what it does, a line without a full stop
	Keys  []Key
	Runs  Runs // in which it can be chosen, of those of its kind
}

// Table is what is known of a kind, whatever its values are.
type Table struct {
	Name    string // as in --pattern NAME=...
	About   string // what is chosen, a line without a full stop
	Default string // name of the pattern of a user that chooses none
	Runs    Runs
	Scope   Scope

	patterns []*Pattern // by name
	try      func(spec string) error
}

// Kind is a choice between patterns whose values have the type T.
type Kind[T any] struct {
	Table
	makers map[string]func(keys map[string]string) (T, error)
}

// kinds are filled while packages are initialised, and then only read.
var kinds []*Table

// NewKind enters a kind in the registry. The pattern that is its default
// registers itself, as any other.
func NewKind[T any](name, about, preset string, runs Runs, scope Scope) *Kind[T] {
	k := &Kind[T]{makers: map[string]func(map[string]string) (T, error){}}
	k.Table = Table{Name: name, About: about, Default: preset, Runs: runs, Scope: scope, try: func(spec string) error {
		_, err := k.Make(spec)
		return err
	}}
	at, found := slices.BinarySearchFunc(kinds, name, func(t *Table, name string) int { return cmp.Compare(t.Name, name) })
	if found {
		panic("pattern: two kinds are called " + name)
	}
	kinds = slices.Insert(kinds, at, &k.Table)
	return k
}

// Kinds are all kinds of the packages in this program, by name. They must not
// be changed.
func Kinds() []*Table { return kinds }

// Find is the kind of that name.
func Find(name string) (*Table, error) {
	at, found := slices.BinarySearchFunc(kinds, name, func(t *Table, name string) int { return cmp.Compare(t.Name, name) })
	if !found {
		return nil, fmt.Errorf("there is no kind of pattern %q; there are %s", name, strings.Join(namesOf(kinds, func(t *Table) string { return t.Name }), ", "))
	}
	return kinds[at], nil
}

// Names are the patterns of the kind of that name, the default first. There
// must be that kind.
func Names(kind string) []string { return must(kind).Names() }

// Check refuses what is no pattern of the kind of that name; an empty spec is
// the default. There must be that kind.
func Check(kind, spec string) error { return must(kind).Check(spec) }

func must(kind string) *Table {
	t, err := Find(kind)
	if err != nil {
		panic(err)
	}
	return t
}

// In limits the runs in which a pattern can be chosen. It is for the
// declaration of the pattern.
func (p *Pattern) In(runs Runs) *Pattern {
	p.Runs = runs
	return p
}

// Register enters a pattern without keys. It returns the pattern, so that it
// can stand in the declaration of a variable.
func (k *Kind[T]) Register(name, about string, make func() T) *Pattern {
	return Keyed(k, name, about, struct{}{}, func(struct{}) T { return make() })
}

// Keyed enters a pattern with keys: the fields of a struct, see Keys. preset
// has their defaults. If the struct has a method Check() error, that refuses
// values that make no sense.
func Keyed[T, K any](k *Kind[T], name, about string, preset K, make func(K) T) *Pattern {
	p := &Pattern{Name: name, About: about, Keys: Keys(preset), Runs: Everywhere}
	at, found := slices.BinarySearchFunc(k.patterns, name, func(p *Pattern, name string) int { return cmp.Compare(p.Name, name) })
	if found {
		panic("pattern: there are two of " + k.Name + "=" + name)
	}
	k.patterns = slices.Insert(k.patterns, at, p)
	k.makers[name] = func(keys map[string]string) (value T, err error) {
		chosen := preset
		if err := Set(&chosen, keys); err != nil {
			return value, err
		}
		return make(chosen), nil
	}
	return p
}

// Patterns are those of the kind, the default first and then by name.
func (t *Table) Patterns() []*Pattern {
	sorted := slices.Clone(t.patterns)
	slices.SortStableFunc(sorted, func(a, b *Pattern) int {
		switch t.Default {
		case a.Name:
			return -1
		case b.Name:
			return 1
		}
		return 0
	})
	return sorted
}

// Names are the names of Patterns.
func (t *Table) Names() []string {
	return namesOf(t.Patterns(), func(p *Pattern) string { return p.Name })
}

// Check refuses what Make would refuse. The error is one line.
func (t *Table) Check(spec string) error { return t.try(spec) }

// Make makes what the pattern stands for that spec names; an empty spec is the
// default. The error is one line, which begins with spec and names what there
// is.
func (k *Kind[T]) Make(spec string) (value T, err error) {
	name, keys, err := split(cmp.Or(spec, k.Default))
	if err == nil {
		make, known := k.makers[name]
		if !known {
			return value, fmt.Errorf("%q is no %s; there are %s", name, k.Name, strings.Join(k.Names(), ", "))
		}
		value, err = make(keys)
	}
	if err != nil {
		err = fmt.Errorf("%q is wrong: %w", spec, err)
	}
	return value, err
}

// split takes a spec apart.
func split(spec string) (name string, keys map[string]string, err error) {
	parts := strings.Split(spec, ",")
	keys = map[string]string{}
	for _, part := range parts[1:] {
		key, value, is := strings.Cut(part, "=")
		key = strings.TrimSpace(key)
		switch _, twice := keys[key]; {
		case !is:
			return "", nil, fmt.Errorf("%q must be KEY=VALUE", part)
		case twice:
			return "", nil, fmt.Errorf("%s is given twice", key)
		}
		keys[key] = strings.TrimSpace(value)
	}
	return strings.TrimSpace(parts[0]), keys, nil
}

func namesOf[T any](of []T, name func(T) string) []string {
	names := make([]string, len(of))
	for i, one := range of {
		names[i] = name(one)
	}
	return names
}
