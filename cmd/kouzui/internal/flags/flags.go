// Package flags is what all commands have in common on the command line: kinds
// of flags, groups of flags in the help, KOUZUI_* variables, and usage errors
// that suggest what the user may have meant.
package flags

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/magnet"
)

// NoSuchCommand refuses an argument that stands where a command should.
func NoSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("`%s --help` lists the commands.", c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("Did you mean `%s %s`?", c.CommandPath(), near[0])
	} else if isTorrent(args[0]) && !c.HasParent() {
		hint = fmt.Sprintf("Did you mean `%s download %s`?", c.CommandPath(), args[0])
	}
	return exit.Usagef(hint, "there is no command %q", args[0])
}

// isTorrent says whether the argument of a command can only be a torrent.
func isTorrent(arg string) bool {
	for _, prefix := range []string{"http://", "https://"} {
		if strings.HasPrefix(arg, prefix) {
			return true
		}
	}
	return magnet.Is(arg) || strings.HasSuffix(arg, ".torrent")
}

// Error turns an error of the flag parser into a usage error.
func Error(c *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags.", c.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name := unknown.GetSpecifiedName()
		if answer := known(c, name); answer != "" {
			hint = answer
		} else if others := commandsWith(c, name); others != "" {
			hint = fmt.Sprintf("--%s is a flag of %s, not of %s.", name, others, c.Name())
		} else if near := nearestFlag(c.Flags(), name); near != "" {
			hint = fmt.Sprintf("Did you mean --%s?", near)
		}
	}
	return exit.Usagef(hint, "%w", plain(err))
}

// commandsWith lists the commands beside c that have the flag.
func commandsWith(c *cobra.Command, flag string) string {
	if !c.HasParent() {
		return ""
	}
	var names []string
	for _, other := range c.Parent().Commands() {
		if f := other.Flags().Lookup(flag); f != nil && other.IsAvailableCommand() {
			names = append(names, other.Name())
		}
	}
	return strings.Join(names, ", ")
}

// Arguments refuses fewer arguments than least, and more than most; most is -1
// if there may be any number.
func Arguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		hint := fmt.Sprintf("Usage: %s", c.UseLine())
		switch {
		case slices.Contains(args, ""):
			return exit.Usagef(hint, "%s takes %s: an argument is empty", c.Name(), what)
		case len(args) < least:
			return exit.Usagef(hint, "%s needs %s", c.Name(), what)
		case most >= 0 && len(args) > most:
			return exit.Usagef(hint, "%s takes %s: there is no use for %q", c.Name(), what, args[most])
		}
		return nil
	}
}

// word is a flag that takes one of a few words.
type word struct {
	value string
	from  []string
}

func (c *word) String() string { return c.value }
func (c *word) Type() string   { return "WORD" }

func (c *word) Set(s string) error {
	if !slices.Contains(c.from, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.from, ", "))
	}
	c.value = s
	return nil
}

// Choose adds to c a flag that takes one of the words in from, the first of
// which is its default. The help lists the words where usage has %s.
func Choose(c *cobra.Command, name, usage string, from ...string) *string {
	v := &word{value: from[0], from: from}
	last := len(from) - 1
	c.Flags().Var(v, name, fmt.Sprintf(usage, strings.Join(from[:last], ", ")+" or "+from[last]))
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return from, cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // only for a flag that does not exist
	}
	return &v.value
}

// Colour adds --color.
func Colour(c *cobra.Command) *string {
	return Choose(c, "color", "`WHEN` to use colours: %s", "auto", "always", "never")
}

// Amount is a flag in bytes or in bytes a second.
type Amount struct {
	N     int64
	text  string
	kind  string
	parse func(string) (int64, error)
}

// Bytes is an Amount in bytes with the default text, such as "64M".
func Bytes(text string) Amount { return newAmount(text, "SIZE", units.ParseBytes) }

// Rate is an Amount in bytes a second with the default text.
func Rate(text string) Amount { return newAmount(text, "RATE", units.ParseRate) }

func newAmount(text, kind string, parse func(string) (int64, error)) Amount {
	a := Amount{kind: kind, parse: parse}
	if err := a.Set(text); err != nil {
		panic(err) // defaults are constants
	}
	return a
}

func (a *Amount) String() string { return a.text }

// Type implements pflag.Value.
func (a *Amount) Type() string { return a.kind }

// Set implements pflag.Value.
func (a *Amount) Set(s string) (err error) {
	a.N, err = a.parse(s)
	a.text = s
	return err
}
