package trace

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newBottleneck() *cobra.Command {
	var (
		asJSON bool
		actor  string
		colour *string
	)
	c := &cobra.Command{
		Use:   "bottleneck FILE",
		Short: "Name what holds the run up",
		Long: `Name what holds a run up, and on which evidence: the limiter, the link, the
disk, the processor, one kind of actor, or nothing in this process. What counts
is how busy each was while payload moved. A real run is measured by a sample of
its messages; of a simulated one, only nodes with cores are.`,
		Example: `  kouzui trace bottleneck run.trace
  kouzui trace bottleneck run.trace --json | jq '.processes[].held_up_by'`,
		Args: flags.Arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			b, err := traceview.FindBottleneck(f.Reader, actor)
			if endErr := f.end(); endErr != nil {
				return endErr
			}
			if err != nil {
				return exit.Errorf(exit.Other, "%s: %w", args[0], err)
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(b)
			}
			return b.Write(c.OutOrStdout(), paint(c, *colour))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	bindActor(c, &actor)
	colour = flags.Colour(c)
	return c
}
