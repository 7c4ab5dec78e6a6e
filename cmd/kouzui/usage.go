package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// noSuchCommand refuses what kouzui is given instead of a command.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "`kouzui help` lists the commands."
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("Did you mean `kouzui %s`?", near[0])
	} else if strings.HasSuffix(args[0], ".torrent") {
		hint = fmt.Sprintf("Did you mean `kouzui download %s`?", args[0])
	}
	return usagef(hint, "there is no command %q", args[0])
}

// flagError makes a usage error of one of the flag parser's.
func flagError(c *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags.", c.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(c.Flags(), unknown.GetSpecifiedName()); near != "" {
			hint = fmt.Sprintf("Did you mean --%s?", near)
		}
	}
	return usagef(hint, "%w", err)
}

// arguments refuses a number of arguments outside of least to most (-1: any).
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		hint := fmt.Sprintf("Usage: %s", c.UseLine())
		switch {
		case len(args) < least:
			return usagef(hint, "%s needs %s", c.Name(), what)
		case most >= 0 && len(args) > most:
			return usagef(hint, "%s takes %s, not %q as well", c.Name(), what, args[most])
		}
		return nil
	}
}

// nearestFlag is the flag that was meant by name, "" if none is near.
func nearestFlag(flags *pflag.FlagSet, name string) string {
	best, least := "", 3
	flags.VisitAll(func(f *pflag.Flag) {
		d := distance(name, f.Name)
		if strings.HasPrefix(f.Name, name) || strings.HasSuffix(f.Name, "-"+name) {
			d = 1
		}
		if d < least {
			best, least = f.Name, d
		}
	})
	return best
}

// nearest are the three names that are most like name.
func nearest(name string, names []string) []string {
	far := func(other string) int { return distance(strings.ToLower(name), strings.ToLower(other)) }
	sorted := slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(far(a), far(b)) })
	return sorted[:min(3, len(sorted))]
}

// distance is how many letters have to be changed, added or taken away to make b
// of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// environment sets the flags that are not on the command line from KOUZUI_*. A
// flag that can be repeated takes several values, with spaces between them.
func environment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		key := "KOUZUI_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(key)
		if !ok || value == "" || f.Changed || f.Name == "help" || f.Name == "version" || failed != nil {
			return
		}
		values := []string{value}
		if _, repeatable := f.Value.(pflag.SliceValue); repeatable {
			values = strings.Fields(value)
		}
		for _, v := range values {
			if err := flags.Set(f.Name, v); err != nil {
				failed = usagef("", "%s: %w", key, err)
				return
			}
		}
	})
	return failed
}

// choice is a flag that takes one of a few words.
type choice struct {
	value string
	from  []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.from, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.from, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.from, ", "))
	}
	c.value = s
	return nil
}

// choose adds a flag that takes one of the words in from, the first of which is
// its default.
func choose(c *cobra.Command, name, usage string, from ...string) *string {
	v := &choice{value: from[0], from: from}
	c.Flags().Var(v, name, usage)
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return from, cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // only for a flag that does not exist
	}
	return &v.value
}

// amount is a flag in bytes or bytes a second.
type amount struct {
	n     int64
	text  string
	kind  string
	parse func(string) (int64, error)
}

func (a *amount) String() string { return a.text }
func (a *amount) Type() string   { return a.kind }

func (a *amount) Set(s string) (err error) {
	a.n, err = a.parse(s)
	a.text = s
	return err
}
