package lab

import (
	"runtime"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/sweepd"
)

func newMerge() *cobra.Command {
	var o trial
	o.workers = runtime.NumCPU() // for the runs of the page
	c := &cobra.Command{
		Use:   "merge JOURNAL...",
		Short: "Show what several sweeps of an experiment have found together",
		Long: `Show what the journals of sweeps have found together: those of shards, or of a
sweep that was interrupted. It is the same to the byte as what one sweep of all
seeds shows. The journals must be of the same experiment and the same build of
this program. Runs that stand in none of them are an error, and so are two
outcomes of one run that differ.`,
		Example: `  kouzui lab merge pickers-*of8.journal --html page.html`,
		Args:    flags.Arguments(1, maxJournals, "one journal or more"),
		RunE: func(c *cobra.Command, args []string) error {
			command.CollectAt(gcPercent)
			recorded, err := sweepd.ReadJournals(args)
			if err != nil {
				return mergeError(err)
			}
			e, err := o.checked(recorded.Experiment)
			if err != nil {
				return err
			}
			ctx, done := interrupt.Context()
			defer done()
			return mergeError(o.conduct(ctx, c, e, args, recorded))
		},
	}
	o.bind(c)
	return c
}

// maxJournals is how many journals there may be: a shard for each machine of a
// large computer.
const maxJournals = 10_000
