package trace

import (
	"errors"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newDiff() *cobra.Command {
	var (
		times  bool
		colour *string
	)
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Find the first event in which two runs differ",
		Long: `Compare two traces event by event, and show the first event that differs. The
name and the start of the runs are not compared. Times, durations and the
lengths of mailboxes are compared with --times only. The exit code is 0 if the
runs are the same, and 32 if they differ.`,
		Example: `  kouzui trace diff monday.trace tuesday.trace
  kouzui trace diff --times seed7.trace again.trace`,
		Args: flags.Arguments(2, 2, "two trace files"),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == "-" && args[1] == "-" {
				return exit.Usagef("", "only one of the traces can be stdin")
			}
			a, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer a.close()
			b, err := openTrace(c, args[1])
			if err != nil {
				return err
			}
			defer b.close()
			d := traceview.Diff{A: a.Reader, B: b.Reader, Names: [2]string(args), Times: times}
			if err := d.Run(); err != nil {
				return err
			}
			if err := errors.Join(a.end(), b.end()); err != nil {
				return err
			}
			if err := d.Write(sentences(c, traceview.DiffIndent), paint(c, *colour)); err != nil {
				return err
			}
			if !d.Same() {
				return exit.Errorf(exit.Mismatch, "the runs differ after %s", units.Count(d.Common, "equal event"))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&times, "times", false, "compare times, durations and the lengths of mailboxes as well")
	colour = flags.Colour(c)
	return c
}
