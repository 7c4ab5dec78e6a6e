package flags

import (
	"slices"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/pattern"
)

// patternOf is a flag that takes a pattern of one kind.
type patternOf struct {
	kind  *pattern.Table
	other string // what may stand in place of a pattern; empty: nothing
	spec  string
}

func (p *patternOf) String() string { return p.spec }
func (p *patternOf) Type() string   { return "NAME" }

func (p *patternOf) Set(spec string) error {
	if spec != p.other || spec == "" {
		if err := p.kind.Check(spec); err != nil {
			return err
		}
	}
	p.spec = spec
	return nil
}

// Pattern adds to c a flag that takes a pattern of the kind that is called like
// the flag. The help names none of them, as there can be many: `kouzui lab
// patterns` lists them.
func Pattern(c *cobra.Command, kind, usage string) *string {
	return addPattern(c, &patternOf{kind: kindOf(kind), spec: kindOf(kind).Default}, usage)
}

// PatternInPlaceOf adds such a flag that by default leaves all as it is, which
// the word preset stands for.
func PatternInPlaceOf(c *cobra.Command, kind, preset, usage string) *string {
	return addPattern(c, &patternOf{kind: kindOf(kind), other: preset, spec: preset}, usage)
}

func kindOf(name string) *pattern.Table {
	t, err := pattern.Find(name)
	if err != nil {
		panic(err) // only for a kind that does not exist
	}
	return t
}

func addPattern(c *cobra.Command, p *patternOf, usage string) *string {
	name := p.kind.Name
	c.Flags().Var(p, name, usage+"; `kouzui lab patterns "+name+"` lists them")
	words := described(p.kind)
	if p.other != "" {
		words = slices.Insert(words, 0, p.other)
	}
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // only for a flag that does not exist
	}
	return &p.spec
}

// described are the patterns of a kind, each with what it does, as a shell
// completes them.
func described(t *pattern.Table) []string {
	var words []string
	for _, p := range t.Patterns() {
		words = append(words, p.Name+"\t"+p.About)
	}
	return words
}
