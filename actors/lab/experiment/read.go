package experiment

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"kouzui/actors/lab"
	"kouzui/wire/metainfo"
)

// file is the text of an experiment. In TOML the keys are the names of the
// fields in lower case.
type file struct {
	Name, About string
	Scenario    string // path, from the folder of the experiment
	First       uint64
	Seeds       int
	Least       int
	Precision   float64
	Full        bool // all checks are made
	Measure     []string
	Vary        map[string][]any
	Variant     []variant
}

type variant struct {
	Name string
	Set  map[string]any
}

// Numbers of an experiment that does not say its own.
const (
	usualSeeds = 20
	usualLeast = 8 // with 5 no difference can be significant: all signs agree by chance in 2 of 2^5
)

// What an experiment may have at most, so that a slip does not ask for years.
const (
	mostVariants = 64
	MostSeeds    = 100_000
	maxText      = 4096 // bytes of a name or an explanation that is shown
)

var usualMeasures = []string{"median", "last", "complete", "utilisation", "redundant", "fairness"}

// Read reads an experiment from TOML. The text of its scenario is got from
// open, which is handed the path. An error is one line.
func Read(text, at string, open func(path string) (string, error)) (*Experiment, error) {
	f := file{First: 1, Seeds: usualSeeds, Least: usualLeast}
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return nil, oneLine(err)
	}
	for _, key := range meta.Undecoded() {
		if key[0] == "vary" || len(key) > 1 && key[1] == "set" { // of tables that are values
			continue
		}
		return nil, fmt.Errorf("there is no key %q; there are name, about, scenario, first, seeds, least, precision, full, measure, vary, variant with name and set", key)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	e := &Experiment{
		Name: metainfo.Clean(cmp.Or(f.Name, strings.TrimSuffix(filepath.Base(at), ".toml")), maxText), About: metainfo.Clean(f.About, maxText),
		Path: f.Scenario, Quick: !f.Full, Measures: f.Measure, Rule: Rule{f.First, min(f.Least, f.Seeds), f.Seeds, f.Precision},
	}
	if !filepath.IsAbs(e.Path) {
		e.Path = filepath.Join(filepath.Dir(at), f.Scenario)
	}
	scenario, err := open(e.Path)
	if err != nil {
		return nil, err
	}
	if _, err := lab.Read(scenario); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	variants := f.Variant
	if len(variants) == 0 {
		variants = grid(f.Vary)
	}
	beside := func(file string) (string, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(e.Path), file)
		}
		return open(file)
	}
	for _, v := range variants {
		one, err := v.of(scenario, beside)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(e.Variants, func(other Variant) bool { return other.Name == one.Name }); i >= 0 {
			return nil, fmt.Errorf("two variants are called %q", one.Name)
		}
		e.Variants = append(e.Variants, one)
	}
	return e, e.checkMeasures()
}

func (f *file) check() error {
	variants := len(f.Variant)
	if len(f.Vary) > 0 {
		variants = 1
		for key, values := range f.Vary {
			if len(values) == 0 {
				return fmt.Errorf("vary.%s has no values", key)
			}
			if variants *= len(values); variants > mostVariants {
				break
			}
		}
	}
	switch {
	case f.Scenario == "":
		return errors.New("scenario must be given: the path of a scenario")
	case len(f.Vary) > 0 && len(f.Variant) > 0:
		return errors.New("vary and variant exclude each other")
	case variants == 0:
		return errors.New("nothing varies: give vary or variant")
	case variants > mostVariants:
		return fmt.Errorf("more than %d variants", mostVariants)
	case f.Seeds < 1 || f.Seeds > MostSeeds:
		return fmt.Errorf("seeds must be from 1 to %d", MostSeeds)
	case f.Least < 1:
		return errors.New("least must be 1 or more")
	case !(f.Precision >= 0 && f.Precision < 1):
		return errors.New("precision must be from 0 to below 1: a part of the control's mean")
	}
	if len(f.Measure) == 0 {
		f.Measure = slices.Clone(usualMeasures)
	}
	return nil
}

// grid is one variant for each combination of the values, the first values
// first.
func grid(vary map[string][]any) []variant {
	keys := slices.Sorted(maps.Keys(vary))
	short := map[string]int{}
	for _, key := range keys {
		short[path.Ext("."+key)]++
	}
	variants := []variant{{Set: map[string]any{}}}
	for _, key := range keys {
		name := key
		if last := path.Ext("." + key); short[last] == 1 {
			name = last[1:]
		}
		var more []variant
		for _, v := range variants {
			for _, value := range vary[key] {
				one := variant{strings.TrimSpace(v.Name + " " + name + "=" + plain(value)), maps.Clone(v.Set)}
				one.Set[key] = value
				more = append(more, one)
			}
		}
		variants = more
	}
	return variants
}

// plain is a value for a name: a text without its quotes.
func plain(value any) string {
	if text, is := value.(string); is {
		return text
	}
	return written(value)
}

// written is a value in TOML, in one line.
func written(value any) string {
	var parts []string
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			parts = append(parts, written(one))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []map[string]any:
		for _, one := range v {
			parts = append(parts, written(one))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+" = "+written(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(map[string]any{"v": value}); err != nil {
		panic(err) // TOML can express what was read from it
	}
	text, _ := strings.CutPrefix(strings.TrimSpace(b.String()), "v = ")
	return text
}

// of is the variant of a scenario, with what its files say.
func (v variant) of(scenario string, beside func(file string) (string, error)) (Variant, error) {
	name := metainfo.Clean(v.Name, maxText)
	if name == "" {
		return Variant{}, errors.New("each variant must have a name")
	}
	s, err := lab.ReadWith(scenario, v.Set)
	if err == nil {
		err = s.Load(beside)
	}
	if err != nil {
		return Variant{}, fmt.Errorf("variant %q: %w", name, err)
	}
	one := Variant{Name: name, Scenario: s.TOML(), Set: map[string]string{}}
	for key, value := range v.Set {
		one.Set[key] = written(value)
	}
	return one, nil
}

// checkMeasures checks that all variants can be measured.
func (e *Experiment) checkMeasures() error {
	for i, name := range e.Measures {
		if slices.Contains(e.Measures[:i], name) {
			return fmt.Errorf("measure: %q is there twice", name)
		}
	}
	for _, v := range e.Variants {
		s, err := lab.Read(v.Scenario)
		if err != nil {
			return err
		}
		for _, name := range e.Measures {
			if _, err := measureOf(name, s); err != nil {
				return fmt.Errorf("measure: %w", err)
			}
		}
	}
	return nil
}

func oneLine(err error) error {
	var parse toml.ParseError
	message := err.Error()
	if errors.As(err, &parse) && parse.Message != "" {
		message = fmt.Sprintf("line %d: %s", parse.Position.Line, parse.Message)
	}
	message, _ = strings.CutPrefix(message, "toml: ")
	return errors.New(strings.ReplaceAll(message, "\n", " "))
}
