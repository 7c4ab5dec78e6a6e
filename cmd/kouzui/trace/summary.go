package trace

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/traceview"
)

// summary is what a whole trace comes to.
type summary interface {
	Write(w io.Writer, p traceview.Paint, width int) error
}

// summing makes c a command that sums a trace up.
func summing(c *cobra.Command, sum func(r *trace.Reader, actor string) (summary, error)) *cobra.Command {
	var (
		asJSON bool
		actor  string
	)
	colour := flags.Colour(c)
	c.Args = flags.Arguments(1, 1, "one trace file")
	c.RunE = func(c *cobra.Command, args []string) error {
		f, err := openTrace(c, args[0])
		if err != nil {
			return err
		}
		defer f.close()
		s, err := sum(f.Reader, actor)
		if bad := f.end(); bad != nil {
			return bad
		}
		if err != nil {
			return exit.Errorf(exit.Other, "%s: %w", args[0], err)
		}
		if asJSON {
			return json.NewEncoder(c.OutOrStdout()).Encode(s)
		}
		return s.Write(c.OutOrStdout(), paint(c, *colour), output.Width(c.OutOrStdout()))
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	bindActor(c, &actor)
	return c
}
