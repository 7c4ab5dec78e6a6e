package trace

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newWhy() *cobra.Command {
	var colour *string
	c := &cobra.Command{
		Use:   "why FILE SEQ",
		Short: "Show what led to an event, the first cause first",
		Example: `  kouzui trace tail run.trace --kind failed,restarted
  kouzui trace why run.trace 117`,
		Args: flags.Arguments(2, 2, "a trace file and the number of an event"),
		RunE: func(c *cobra.Command, args []string) error {
			seq, err := eventNumber(args[1])
			if err != nil {
				return err
			}
			path, remove, err := spooled(c, args[0])
			if err != nil {
				return err
			}
			defer remove()
			return why(c, args[0], path, seq, paint(c, *colour))
		},
	}
	colour = flags.Colour(c)
	return c
}

// eventNumber reads the number of an event, as lines of events show it or
// without the sign.
func eventNumber(text string) (uint64, error) {
	seq, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil || seq == 0 {
		return 0, exit.Usagef("", "%q must be the number of an event", text)
	}
	return seq, nil
}

// why reads the trace twice. Causes lead from an event back to earlier ones,
// and a file is read forwards: the first reading finds the chain, the second
// shows it.
func why(c *cobra.Command, name, path string, seq uint64, p traceview.Paint) error {
	f, err := openTraceAs(c, name, path)
	if err != nil {
		return err
	}
	chain, err := traceview.Causes(f.Reader, seq)
	f.close()
	if err != nil {
		return exit.Errorf(exit.Other, "%s: %w", name, err)
	}
	again, err := openTraceAs(c, name, path)
	if err != nil {
		return err
	}
	defer again.close()
	return p.WriteChain(sentences(c, 0), again.Reader, chain)
}
