package lab

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/paint"
)

func newPatterns() *cobra.Command {
	return &cobra.Command{
		Use:   "patterns [KIND...]",
		Short: "List what an experiment can choose by name",
		Long: `List the kinds of patterns and the patterns of each, with their keys. The first
of each kind is the default. docs/PATTERNS.md tells how they are chosen.`,
		Example: `  kouzui lab patterns
  kouzui lab patterns picker choker`,
		Args:      flags.Arguments(0, -1, "names of kinds"),
		ValidArgs: kindNames(),
		RunE: func(c *cobra.Command, names []string) error {
			kinds := pattern.Kinds()
			if len(names) > 0 {
				kinds = nil
			}
			for _, name := range names {
				t, err := pattern.Find(name)
				if err != nil {
					return exit.With(exit.Usage, err)
				}
				kinds = append(kinds, t)
			}
			w := output.Fit(c.OutOrStdout(), aboutColumn)
			for i, t := range kinds {
				if i > 0 {
					fmt.Fprintln(w)
				}
				writeKind(w, t, paint.Paint(output.ColouredResults(c, "auto")))
			}
			return nil
		},
	}
}

func kindNames() (names []string) {
	for _, t := range pattern.Kinds() {
		names = append(names, t.Name+"\t"+t.About)
	}
	return names
}

// aboutColumn is where the text on each pattern begins.
const aboutColumn = 21

// writeKind writes a kind, its patterns, and below each its keys.
func writeKind(w io.Writer, t *pattern.Table, p paint.Paint) {
	where := ""
	if t.Runs != pattern.Everywhere {
		where = fmt.Sprintf(", %s runs only", t.Runs)
	}
	fmt.Fprintf(w, "%s: %s (of %s%s)\n", p.Bold(t.Name), t.About, t.Scope, where)
	for _, one := range t.Patterns() {
		about := one.About
		if one.Runs != pattern.Everywhere {
			about += fmt.Sprintf(" (%s runs only)", one.Runs)
		}
		fmt.Fprintf(w, "  %-*s %s\n", aboutColumn-3, one.Name, about)
		for _, key := range one.Keys {
			fmt.Fprintln(w, p.Faint(fmt.Sprintf("    %-*s %s", aboutColumn-5, key.Name+"="+key.Default, key.About)))
		}
	}
}
