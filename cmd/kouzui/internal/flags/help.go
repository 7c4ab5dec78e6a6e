package flags

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how many columns the help takes.
const helpWidth = 80

// groupKey is the annotation of a flag that names its group.
const groupKey = "kouzui_group"

// Group adds to c the flags that define defines. The help lists them together,
// in this order, under the title.
func Group(c *cobra.Command, title string, define func(set *pflag.FlagSet)) {
	set := c.Flags()
	set.SortFlags = false
	before := map[string]bool{}
	set.VisitAll(func(f *pflag.Flag) { before[f.Name] = true })
	define(set)
	set.VisitAll(func(f *pflag.Flag) {
		if !before[f.Name] {
			f.Annotations = map[string][]string{groupKey: {title}}
		}
	})
}

// Usage writes how c is used, with its flags in groups. It is for
// cobra.Command.SetUsageFunc.
func Usage(c *cobra.Command) error {
	w := c.OutOrStderr()
	fmt.Fprint(w, "Usage:")
	if c.Runnable() && !c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n  %s", c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n  %s COMMAND", c.CommandPath())
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(w, "\n\nAlso called:\n  %s", strings.Join(c.Aliases, ", "))
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\n\nExamples:\n%s", c.Example)
	}
	fmt.Fprint(w, "\n")
	for _, group := range c.Groups() {
		writeCommands(w, group.Title, c.Commands(), group.ID)
	}
	writeCommands(w, other(c), c.Commands(), "")
	writeFlags(w, c.LocalFlags())
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n`%s COMMAND --help` tells more about a command.\n", c.CommandPath())
	}
	return nil
}

// writeCommands lists the commands of one group, if there are any.
func writeCommands(w io.Writer, title string, all []*cobra.Command, group string) {
	for _, c := range all {
		if c.GroupID != group || !c.IsAvailableCommand() && c.Name() != "help" {
			continue
		}
		if title != "" {
			fmt.Fprintf(w, "\n%s:\n", title)
			title = ""
		}
		fmt.Fprintf(w, "  %-*s  %s\n", c.NamePadding(), c.Name(), c.Short)
	}
}

// writeFlags lists the flags of each group below its title. All groups share
// their columns.
func writeFlags(w io.Writer, set *pflag.FlagSet) {
	var titles []string
	groups := map[string][]*pflag.Flag{}
	add := func(title string, f *pflag.Flag) {
		if groups[title] == nil {
			titles = append(titles, title)
		}
		groups[title] = append(groups[title], f)
	}
	var rest []*pflag.Flag // such as --help
	set.VisitAll(func(f *pflag.Flag) {
		switch title := f.Annotations[groupKey]; {
		case f.Hidden:
		case title == nil:
			rest = append(rest, f)
		default:
			add(title[0], f)
		}
	})
	for _, f := range rest {
		if len(titles) == 0 {
			add("Flags", f)
		} else {
			add(titles[0], f)
		}
	}
	lines := pflag.NewFlagSet("", pflag.ContinueOnError)
	lines.SortFlags = false
	for _, title := range titles {
		for _, f := range groups[title] {
			lines.AddFlag(f)
		}
	}
	next := 0
	for line := range strings.Lines(lines.FlagUsagesWrapped(helpWidth)) {
		if isFlagLine(line) {
			if next < len(titles) && strings.HasPrefix(line[6:], "--"+groups[titles[next]][0].Name) {
				fmt.Fprintf(w, "\n%s:\n", titles[next])
				next++
			}
		}
		fmt.Fprint(w, strings.Replace(line, " count ", "       ", 1)) // the flag counts how often it is given, and takes no value
	}
}

// isFlagLine tells the first line of a flag from those that go on with its
// text.
func isFlagLine(line string) bool { return len(line) > 8 && line[6:8] == "--" }

// other is the title of the commands in no group.
func other(c *cobra.Command) string {
	if len(c.Groups()) > 0 {
		return "Other"
	}
	return "Commands"
}
