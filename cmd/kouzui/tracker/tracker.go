// Package tracker is the command that runs a tracker.
package tracker

import (
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/trackerserver"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/trackerd"
	"kouzui/wire/metainfo"
)

type trackerFlags struct {
	output   output.Flags
	listen   string
	interval time.Duration
	only     []string
	trace    string
}

// New makes the command tracker.
func New() *cobra.Command {
	var o trackerFlags
	c := &cobra.Command{
		Use:   "tracker",
		Short: "Run an HTTP tracker",
		Long: `Run an HTTP tracker (BEP 3, 7, 23, 48) until an interrupt. The tracker keeps all
peers in memory, and serves every torrent, or only those of --only. Its announce
URL is written to stdout.`,
		Example: `  kouzui tracker --listen 127.0.0.1:6969
  kouzui tracker --listen :6969 --interval 5m --only album.torrent`,
		Args: flags.Arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(o.listen); err != nil {
				return exit.Usagef("", "--listen %q must be HOST:PORT", o.listen)
			}
			if o.interval < 2*time.Second {
				return exit.Usagef("", "--interval must be at least 2s")
			}
			return command.Do(c, &o.output, o.run)
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.StringVar(&o.listen, "listen", "127.0.0.1:6969", "`HOST:PORT` to serve at (port 0: any free port)")
		flags.Duration(f, &o.interval, "interval", trackerserver.DefaultLimits.Interval, "`TIME` between two announces of a peer")
		f.StringArrayVar(&o.only, "only", nil, "serve this `TORRENT` only (repeatable)")
	})
	o.output.Bind(c, false)
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.trace, "trace", "", "write the supervision trace to `FILE` (- is stdout)")
	})
	return c
}

func (o *trackerFlags) run(r *command.Run) error {
	limits := trackerserver.DefaultLimits
	limits.Interval = o.interval
	torrents, err := load.All(r.Context, o.only, r.Stdin, r.Warn)
	if err != nil {
		return err
	}
	for _, t := range torrents {
		if limits.Only == nil {
			limits.Only = map[metainfo.Hash]bool{}
		}
		limits.Only[t.InfoHash] = true
	}
	trace, err := r.OpenTrace(r.Command, o.trace)
	if err != nil {
		return err
	}
	defer trace.Close()
	tracker, err := trackerd.Start(r.Log, trace.Sinks, o.listen, limits)
	if err != nil {
		return exit.With(exit.Network, err)
	}
	defer tracker.Close()
	r.Result("%s", tracker.URL)
	if err := r.Stdout.Err(); err != nil && !exit.BrokenPipe(err) {
		return err
	}
	select {
	case err = <-tracker.Failed:
		return exit.With(exit.Network, err)
	case <-r.Stop.First:
		return nil
	}
}
