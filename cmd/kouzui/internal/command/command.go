// Package command sets up what a command works with while it runs.
package command

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/output"
)

// Run is one run of a command.
type Run struct {
	*output.Output
	Command *cobra.Command
	Stdin   io.Reader
	Stop    *interrupt.Signals
	Context context.Context // the first interrupt cancels it
}

// Do opens the output of c, listens to signals, and calls do.
func Do(c *cobra.Command, flags *output.Flags, do func(*Run) error) error {
	out, err := flags.Open(c)
	if err != nil {
		return err
	}
	defer out.Close()
	stop := interrupt.Listen()
	defer stop.Close()
	ctx, cancel := stop.Context()
	defer cancel()
	return do(&Run{Output: out, Command: c, Stdin: c.InOrStdin(), Stop: stop, Context: ctx})
}

// CollectAt sets when garbage is collected (see debug.SetGCPercent), unless the
// user has set GOGC.
func CollectAt(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
