package trace

import (
	"github.com/spf13/cobra"

	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newBottleneck() *cobra.Command {
	return summing(&cobra.Command{
		Use:   "bottleneck FILE",
		Short: "Name what holds the run up",
		Long: `Name what holds a run up, and on which evidence: the limiter, the link, the
disk, the processor, one kind of actor, or nothing in this process. What counts
is how busy each was while payload moved. A real run is measured by a sample of
its messages; of a simulated one, only nodes with cores are.`,
		Example: `  kouzui trace bottleneck run.trace
  kouzui trace bottleneck run.trace --json | jq '.processes[].held_up_by'`,
	}, func(r *trace.Reader, actor string) (summary, error) { return traceview.FindBottleneck(r, actor) })
}
