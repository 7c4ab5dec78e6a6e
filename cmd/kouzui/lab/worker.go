package lab

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/remote"
	"kouzui/actors/sweep/worker"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/sweepd"
)

// usualPatience is how long a worker waits for a sweep that does not answer: it
// may be started before the sweep, and outlives a restart of the sweep.
const usualPatience = 10 * time.Minute

// working is what the flags of worker say.
type working struct {
	tlsDir   string
	listen   string
	patience time.Duration
	trace    string
}

func newWorker() *cobra.Command {
	var o working
	c := &cobra.Command{
		Use:   "worker HOST:PORT",
		Short: "Play runs of a sweep on another machine",
		Long: `Join the sweep at HOST:PORT and play runs of its experiment, one at a time,
until none is left. Start as many workers as the machine has cores. A worker
needs the file worker.pem of the sweep's certificates, and the very same
program.

The sweep connects to the worker, too: at the address from which the worker
reaches the sweep and any port, or at --listen. While the sweep does not answer,
the worker tries again. With the first interrupt it gives its run back.`,
		Example: `  kouzui lab worker 192.0.2.1:7700 --tls-dir lab-tls
  for core in $(seq "$(nproc)"); do
    kouzui lab worker 192.0.2.1:7700 --tls-dir lab-tls &
  done; wait`,
		Args: flags.Arguments(1, 1, "the HOST:PORT of a sweep"),
		RunE: o.run,
	}
	flags.Group(c, "Network", func(f *pflag.FlagSet) {
		f.StringVar(&o.tlsDir, "tls-dir", "", "`FOLDER` with worker.pem (- is standard input: how a sweep starts its own)")
		f.StringVar(&o.listen, "listen", "", "be reached by the sweep at `HOST:PORT`")
		flags.Duration(f, &o.patience, "patience", usualPatience, "end when no sweep has answered for `TIME`")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.trace, "trace", "", "write the supervision trace of the worker to `FILE`")
	})
	return c
}

func (o *working) run(c *cobra.Command, args []string) error {
	command.CollectAt(gcPercent)
	if _, _, err := net.SplitHostPort(args[0]); err != nil {
		return exit.Usagef("", "%q must be the HOST:PORT of a sweep, such as 192.0.2.1:7700", args[0])
	}
	config := sweepd.WorkConfig{Sweep: args[0], Listen: o.listen, Patience: o.patience}
	switch o.tlsDir {
	case "":
		return exit.Usagef("Copy worker.pem from the folder that kouzui lab certificates has made.", "a worker needs --tls-dir")
	case sweepd.FromParent:
		if err := sweepd.Inherit(&config, c.InOrStdin()); err != nil {
			return exit.With(exit.Usage, err)
		}
	default:
		var err error
		if config.Identity, err = readIdentity(o.tlsDir, remote.Worker); err != nil {
			return err
		}
	}
	trace, err := openTrace(c, o.trace, "worker of "+args[0])
	if err != nil {
		return err
	}
	defer trace.close()
	config.Sinks = trace.sinks
	ctx, done := interrupt.Context()
	defer done()
	return workError(sweepd.Work(ctx, config))
}

// workError gives the errors of a worker their exit codes.
func workError(err error) error {
	switch {
	case errors.Is(err, remote.ErrAddress):
		return exit.With(exit.Usage, err)
	case errors.Is(err, context.Canceled):
		return exit.ErrInterrupted
	case errors.Is(err, worker.ErrNoSweep), errors.Is(err, remote.ErrStranger):
		return exit.With(exit.Network, err)
	}
	return err
}
