package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/trackerserver"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

func newTracker() *cobra.Command {
	var (
		o        outputFlags
		listen   string
		interval time.Duration
		only     []string
		trace    string
	)
	c := &cobra.Command{
		Use:   "tracker",
		Short: "Run an HTTP tracker",
		Long: `Run an HTTP tracker (BEP 3, 7, 23, 48) until interrupted. It keeps everything in
memory and serves every torrent, or those of --only. Its announce URL is written
to stdout.`,
		Example: `  kouzui tracker --listen 127.0.0.1:6969
  kouzui tracker --listen :6969 --interval 5m --only album.torrent`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(listen); err != nil {
				return usagef("", "--listen %q is not HOST:PORT", listen)
			}
			if interval < 2*time.Second {
				return usagef("", "--interval must be at least 2s")
			}
			limits := trackerserver.DefaultLimits
			limits.Interval = interval
			return runTracker(c, &o, listen, limits, only, trace)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:6969", "`HOST:PORT` to serve at (port 0: any)")
	c.Flags().DurationVar(&interval, "interval", trackerserver.DefaultLimits.Interval, "between two announces of a peer")
	c.Flags().StringArrayVar(&only, "only", nil, "serve this `TORRENT` and others given so, and no more (repeatable)")
	c.Flags().StringVar(&trace, "trace", "", "write the supervision trace to `FILE`")
	o.bind(c)
	return c
}

func runTracker(c *cobra.Command, o *outputFlags, listen string, limits trackerserver.Limits, only []string, trace string) error {
	out, err := o.open(c)
	if err != nil {
		return err
	}
	defer out.close()
	stop := listenToSignals()
	defer stop.close()
	ctx, cancel := stop.context()
	defer cancel()
	torrents, err := loadAll(ctx, only, c.InOrStdin(), out.warn)
	if err != nil {
		return err
	}
	for _, t := range torrents {
		if limits.Only == nil {
			limits.Only = map[metainfo.Hash]bool{}
		}
		limits.Only[t.InfoHash] = true
	}
	sinks, err := openSinks(c, trace, out)
	if err != nil {
		return err
	}
	defer sinks.close(out)
	failed := make(chan error, 1)
	tracker, err := startTracker(realWorld(buffer.NewPool(0), 0), out.log, sinks.list, listen, limits, failed)
	if err != nil {
		return fail(exitNetwork, err)
	}
	defer tracker.close()
	out.result("%s", tracker.url)
	select {
	case err = <-failed:
		return fail(exitNetwork, err)
	case <-stop.first:
		return nil
	}
}

// realWorld is one with so many connections with peers at most; 0: no limit.
func realWorld(pool *buffer.Pool, connections int) *world.World {
	return real.New(real.Options{Pool: pool, Version: actors.Version, Connections: connections})
}

// servedTracker is a tracker in a supervision tree of its own.
type servedTracker struct {
	url   string
	tree  *supervise.Tree
	pid   *actor.PID
	front world.Listener
}

// startTracker serves at listen; failed gets the error that ends serving.
func startTracker(w *world.World, log zerolog.Logger, sinks []event.Sink, listen string, limits trackerserver.Limits, failed chan<- error) (*servedTracker, error) {
	s := &servedTracker{tree: supervise.New(supervise.Config{
		System: supervise.NewSystem(log), Clock: w.Clock, Chance: w.Chance, Sinks: sinks,
	})}
	config := trackerserver.Config{World: w, Limits: limits}
	props := s.tree.Props("trackerserver", func() actor.Actor { return trackerserver.New(config) })
	forever := supervise.DefaultBackoff
	forever.WhenSpent = supervise.Forever
	var err error
	if s.pid, err = s.tree.Spawn("tracker", props, forever); err == nil {
		s.front, err = trackerserver.Serve(w.Web, listen, s.tree.System.Root, s.pid, func(err error) { failed <- err })
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("cannot serve at %s: %w", listen, err)
	}
	s.url = fmt.Sprintf("http://%s/announce", s.front.Addr())
	return s, nil
}

func (s *servedTracker) close() {
	if s.front != nil {
		s.front.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	if s.pid != nil {
		s.tree.Shutdown(ctx, s.pid) // what does not end now ends with the process
	}
}
