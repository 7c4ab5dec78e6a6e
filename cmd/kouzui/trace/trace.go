// Package trace is the commands that read supervision traces.
package trace

import (
	"io"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/traceview"
)

// New makes the command trace with its subcommands.
func New() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Look into a supervision trace",
		Long: `Look into a file that --trace has written: the tree of actors at any time of the
run, the causes of an event, how often actors failed and how long they were
down, and the first difference of two runs. FILE is a path, or - for stdin. A
last line that a crash has cut short is ignored with a warning.`,
		Example: `  kouzui download debian.torrent --trace run.trace
  kouzui trace tree run.trace --at 12s
  kouzui trace stats run.trace`,
		Args: flags.NoSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTree(), newTail(), newWhy(), newStats(), newBottleneck(), newWhatIf(), newDiff(), newExport())
	return c
}

// bindActor adds --actor, a pattern for traceview.Match.
func bindActor(c *cobra.Command, pattern *string) {
	c.Flags().StringVar(pattern, "actor", "*", "only actors whose path matches this `PATTERN`; * matches any text")
}

// paint colours stdout if --color says so.
func paint(c *cobra.Command, colour string) traceview.Paint {
	return traceview.Paint(output.ColouredResults(c, colour))
}

// sentences is stdout for lines of traceview.Paint.Line, which stand behind
// indent more cells.
func sentences(c *cobra.Command, indent int) io.Writer {
	return output.Fit(c.OutOrStdout(), indent+traceview.SentenceColumn)
}

// kinds are the kinds of events that a trace file may have.
var kinds = []event.Kind{
	event.Spawned, event.Started, event.Failed, event.Directive, event.Restarting, event.Restarted,
	event.Escalated, event.Stopping, event.Stopped, event.DeadLetter, event.Mailbox, event.Fault,
	event.Dropped, event.Note, event.Worked,
}
