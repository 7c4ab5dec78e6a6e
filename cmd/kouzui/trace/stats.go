package trace

import (
	"github.com/spf13/cobra"

	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newStats() *cobra.Command {
	return summing(&cobra.Command{
		Use:   "stats FILE",
		Short: "Sum up failures, restarts and mailboxes by kind of actor",
		Example: `  kouzui trace stats run.trace
  kouzui trace stats run.trace --json | jq .total.mean_time_to_repair_us`,
	}, func(r *trace.Reader, actor string) (summary, error) { return traceview.Count(r, actor) })
}
