package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/kouzui/internal/exit"
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

// Patterns are the values of --pattern, which can be repeated.
type Patterns struct {
	runs  pattern.Runs
	texts []string
	// Choice is what was chosen so far.
	pattern.Choice
}

// BindPatterns adds --pattern to c, for such runs.
func BindPatterns(c *cobra.Command, p *Patterns, runs pattern.Runs) {
	p.runs = runs
	c.Flags().Var(p, "pattern", "choose by name how something is done (repeatable), such as picker=random: `KIND=NAME`, and keys behind commas; `kouzui lab patterns` lists them")
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, t := range pattern.Kinds() {
			if t.Runs&runs != 0 {
				for _, word := range described(t) {
					words = append(words, t.Name+"="+word)
				}
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc("pattern", complete); err != nil {
		panic(err) // only for a flag that does not exist
	}
}

func (p *Patterns) String() string { return strings.Join(p.texts, " ") }

// Type implements pflag.Value.
func (*Patterns) Type() string { return "KIND=NAME" }

// Set implements pflag.Value.
func (p *Patterns) Set(text string) error { return p.Append(text) }

// Append, Replace and GetSlice make the flag one that can be repeated, also
// from the environment.
func (p *Patterns) Append(text string) error {
	return p.Replace(append(slices.Clone(p.texts), text))
}

// Replace implements pflag.SliceValue.
func (p *Patterns) Replace(texts []string) error {
	chosen, err := pattern.Parse(texts, p.runs)
	if err != nil {
		return fmt.Errorf("cannot be used: %w", err)
	}
	p.texts, p.Choice = texts, chosen
	return nil
}

// GetSlice implements pflag.SliceValue.
func (p *Patterns) GetSlice() []string { return p.texts }

// Exclude refuses a kind that has a flag of its own, if both are given.
func (p *Patterns) Exclude(c *cobra.Command, kind string) error {
	if p.Choice[kind] != "" && c.Flags().Changed(kind) {
		return exit.Usagef("", "--%s and --pattern %s=%s choose the same", kind, kind, p.Choice[kind])
	}
	return nil
}
