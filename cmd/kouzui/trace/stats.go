package trace

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newStats() *cobra.Command {
	var (
		asJSON bool
		actor  string
		colour *string
	)
	c := &cobra.Command{
		Use:   "stats FILE",
		Short: "Sum up failures, restarts and mailboxes by kind of actor",
		Example: `  kouzui trace stats run.trace
  kouzui trace stats run.trace --json | jq .total.mean_time_to_repair_us`,
		Args: flags.Arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			s, _ := traceview.Count(f.Reader, actor)
			if err := f.end(); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(s)
			}
			return s.Write(c.OutOrStdout(), paint(c, *colour), output.Width(c.OutOrStdout()))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	bindActor(c, &actor)
	colour = flags.Colour(c)
	return c
}
