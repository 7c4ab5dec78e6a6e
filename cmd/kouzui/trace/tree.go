package trace

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newTree() *cobra.Command {
	var (
		at     string
		actor  string
		all    bool
		colour *string
	)
	c := &cobra.Command{
		Use:   "tree FILE",
		Short: "Show the tree of actors at a time of the run",
		Long: `Show the actors that run at --at, or at the end of the file: the state of each,
how often it was restarted, how long it was down, and its last failure. If no
actor runs any more, all actors that did run are shown.`,
		Example: `  kouzui trace tree run.trace
  kouzui trace tree run.trace --at 1m30s
  kouzui trace tree swarm.trace --actor 'peer-003*'`,
		Args: flags.Arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			tree := traceview.Tree{Header: f.Header, At: f.Header.StartedAt, All: all, Paint: paint(c, *colour), Width: output.Width(c.OutOrStdout())}
			replay := trace.Replay{Keep: true}
			until := time.Time{}
			if at != "" {
				if until, err = traceview.Moment(at, f.Header.StartedAt); err != nil {
					return exit.Usagef("", "--at %w", err)
				}
				tree.At = until
			}
			for e := range f.Events() {
				if at != "" && e.Time.After(until) {
					break
				}
				if at == "" {
					tree.At = e.Time
				}
				replay.Apply(e)
			}
			if err := f.end(); err != nil {
				return err
			}
			tree.Lives = slices.DeleteFunc(replay.Lives(), func(l trace.Life) bool { return !traceview.Match(actor, l.Path) })
			return tree.Write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&at, "at", "", "a `TIME` since the start, such as 12s, or a date and time (default the end of the file)")
	c.Flags().BoolVar(&all, "all", false, "show the actors that have stopped as well")
	bindActor(c, &actor)
	colour = flags.Colour(c)
	return c
}
