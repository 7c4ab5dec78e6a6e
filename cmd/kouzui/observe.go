package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/runtime/observe"
)

// observeFlags ask for a page that shows the run, and for metrics.
type observeFlags struct {
	addr   string
	remote bool
}

func (o *observeFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.addr, "observe", "", "show the supervision tree, failures and metrics to a browser at `HOST:PORT` (port 0: any)")
	f.BoolVar(&o.remote, "observe-remote", false, "let --observe listen where other machines can reach it, unencrypted")
}

// observer shows a session; nil shows nothing.
type observer struct {
	*observe.Server
	out *output
}

// open binds the address, if there is one, and tells the user where to look.
func (o *observeFlags) open(out *output) (*observer, error) {
	if o.addr == "" {
		return nil, nil
	}
	s, err := observe.New(observe.Config{Addr: o.addr, Remote: o.remote, Version: actors.Version, Log: out.log})
	var noAddr *net.AddrError
	switch {
	case errors.Is(err, observe.ErrRemote):
		return nil, usagef("--observe-remote allows it.", "--observe %w", err)
	case errors.As(err, &noAddr):
		return nil, usagef("It is given as HOST:PORT, such as localhost:6880.", "--observe: %w", err)
	case err != nil:
		return nil, fail(exitNetwork, err)
	}
	// Also when only errors are shown: nobody can guess it.
	fmt.Fprintf(out.stderr, "Observe this run at %s\n", s.URL())
	return &observer{s, out}, nil
}

// attach has the observer told what happens in a client that is to be started.
func (o *observer) attach(options actors.Options) actors.Options {
	if o == nil {
		return options
	}
	options.Sinks = append(options.Sinks, o.Server)
	next := options.Notify
	options.Notify = func(event any) {
		o.Notify(event)
		next(event)
	}
	return options
}

// watch opens the page.
func (o *observer) watch(client *actors.Client) {
	if o != nil {
		o.Watch(client.Tree())
	}
}

func (o *observer) close() {
	if o == nil {
		return
	}
	if err := o.Close(); err != nil {
		o.out.log.Debug().Err(err).Msg("the observer did not end well")
	}
}
