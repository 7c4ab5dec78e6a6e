package trace

import (
	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/traceview"
)

func newExport() *cobra.Command {
	var (
		chrome bool
		to     string
	)
	c := &cobra.Command{
		Use:   "export --chrome FILE",
		Short: "Convert a trace for Perfetto and chrome://tracing",
		Long: `Write a trace in the Trace Event Format, for https://ui.perfetto.dev and
chrome://tracing. Each actor is a track and each of its incarnations a slice;
arrows lead from failures to restarts; the lengths of mailboxes are counters.`,
		Example: `  kouzui trace export --chrome run.trace -o run.json`,
		Args:    flags.Arguments(1, 1, "one trace file"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if !chrome {
				return exit.Usagef("Usage: "+c.UseLine(), "export needs a format: --chrome")
			}
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			out := c.OutOrStdout()
			var file *outfile.File
			if to != "-" {
				file, err = outfile.Replace(to, outfile.Export)
				if err != nil {
					return err
				}
				defer file.Discard()
				out = file
			}
			if err := traceview.Chrome(out, f.Reader); err != nil && f.Err() == nil {
				return err
			}
			if file != nil {
				if err := file.Commit(); err != nil {
					return err
				}
			}
			return f.end()
		},
	}
	c.Flags().BoolVar(&chrome, "chrome", false, "write the Trace Event Format")
	c.Flags().StringVarP(&to, "output", "o", "-", "write to `FILE` (- is stdout)")
	return c
}
