package transfer

import (
	"errors"
	"fmt"
	"kouzui"

	"github.com/spf13/pflag"

	"kouzui/actors/runtime/observe"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/messages"
)

// observeFlags ask for a page that shows the session, and for metrics.
type observeFlags struct {
	addr   string
	remote bool
}

func (o *observeFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&o.addr, "observe", "", "serve a page with the supervision tree, failures and metrics at `HOST:PORT` (port 0: any free port)")
	f.BoolVar(&o.remote, "observe-remote", false, "let other machines reach that page, without encryption")
}

// observer shows a session; nil shows nothing.
type observer struct {
	*observe.Server
	out *output.Output
}

// open binds the address, if there is one, and tells the user where to look.
func (o *observeFlags) open(out *output.Output) (*observer, error) {
	if o.addr == "" {
		return nil, nil
	}
	if err := flags.HostPort("observe", o.addr); err != nil {
		return nil, err
	}
	s, err := observe.New(observe.Config{Addr: o.addr, Remote: o.remote, Version: kouzui.Version, Log: out.Log})
	switch {
	case errors.Is(err, observe.ErrRemote):
		return nil, exit.Usagef("--observe-remote allows it.", "--observe %w", err)
	case err != nil:
		return nil, exit.With(exit.Network, err)
	}
	if o.remote {
		out.Warn("--observe-remote: other machines can reach the page, and nothing is encrypted: who can read along on the way sees the token, and whoever has the token sees everything and can stop actors")
	}
	// The address is shown even with --quiet: its token cannot be guessed.
	fmt.Fprintf(out.Stderr, "Observe this run at %s\n", s.URL())
	return &observer{s, out}, nil
}

// attach makes the client of config tell the observer what its actors do.
func (o *observer) attach(config kouzui.Config) kouzui.Config {
	if o != nil {
		config.Trace = append(config.Trace, o.Server)
		config.Measurable = true
	}
	return config
}

// event tells the observer what the client has told.
func (o *observer) event(e kouzui.Event) {
	if o == nil {
		return
	}
	switch m := e.(type) {
	case kouzui.Progress:
		o.Notify(&m.Status)
	case kouzui.Completed:
		o.Notify(&m.Status)
	case kouzui.Blocked:
		o.Notify(&messages.AddressesBlocked{Inbound: m.Inbound, Count: m.Count})
	case kouzui.SendingMeasured:
		o.Notify(&messages.SendingMeasured{Chosen: m.Chosen, Sendfile: m.Sendfile, Copied: m.Copied, Mapped: m.Mapped})
	case kouzui.Ended:
		if m.Err == nil || errors.Is(m.Err, kouzui.ErrStopped) {
			o.Notify(&m.Status)
		} else {
			o.Notify(&messages.TorrentFailed{InfoHash: m.Status.InfoHash, Err: m.Err, Last: m.Status})
		}
	}
}

// watch opens the page.
func (o *observer) watch(client *kouzui.Client) {
	if o != nil {
		o.Watch(client.Tree())
	}
}

func (o *observer) close() {
	if o == nil {
		return
	}
	if err := o.Close(); err != nil {
		o.out.Log.Debug().Err(err).Msg("the server of --observe did not close")
	}
}
