// Package tracker is the command that runs a tracker.
package tracker

import (
	"net/netip"
	"strings"
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
	source   flags.Source
	output   output.Flags
	listen   string
	interval time.Duration
	only     []string
	trusted  []string
	trace    string
}

// New makes the command tracker.
func New() *cobra.Command {
	var o trackerFlags
	c := &cobra.Command{
		Use:   "tracker",
		Short: "Run a tracker",
		Long: `Run a tracker (BEP 3, 7, 15, 23, 48) until an interrupt. The tracker keeps all
peers in memory, and serves every torrent, or only those of --only. Its announce
URL is written to stdout. At the same address and port it answers UDP as well:
udp://HOST:PORT/announce.

Peers are listed at the address that they announce from. With --trust-ip, those
who announce from a network may name another address of their own, and a reverse
proxy there may say by X-Forwarded-For for whom it asks. A proxy that is trusted
must append to that header: otherwise anybody behind it may name any address.`,
		Example: `  kouzui tracker --listen 127.0.0.1:6969
  kouzui tracker --listen :6969 --interval 5m --only album.torrent
  kouzui tracker --trust-ip 127.0.0.1   # behind a proxy on this machine`,
		Args: flags.Arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.HostPort("listen", o.listen); err != nil {
				return err
			}
			if o.interval < 2*time.Second {
				return exit.Usagef("", "--interval must be at least 2s")
			}
			trusted, err := networks(o.trusted)
			if err != nil {
				return err
			}
			return command.Do(c, &o.output, func(r *command.Run) error { return o.run(r, trusted) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.StringVar(&o.listen, "listen", "127.0.0.1:6969", "`HOST:PORT` to serve at (port 0: any free port)")
		flags.Duration(f, &o.interval, "interval", trackerserver.DefaultLimits.Interval, "`TIME` between two announces of a peer")
		f.StringArrayVar(&o.only, "only", nil, "serve this `TORRENT` only (repeatable)")
		f.StringArrayVar(&o.trusted, "trust-ip", nil, "believe peers and reverse proxies in the network `CIDR` when they name an address (repeatable)")
	})
	flags.Group(c, "Network", o.source.BindFetch)
	o.output.Bind(c, false)
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.trace, "trace", "", "write the supervision trace to `FILE` (- is stdout)")
	})
	return c
}

// networks reads what --trust-ip gives: lists of networks or single addresses.
func networks(given []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range strings.FieldsFunc(strings.Join(given, ","), flags.Separates) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, noAddr := netip.ParseAddr(text)
			if noAddr != nil || addr.Zone() != "" {
				return nil, exit.Usagef("", "--trust-ip %q must be a network, such as 10.0.0.0/8, or an address", text)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, exit.Usagef("", "--trust-ip %q must be written as IPv4", text)
		}
		list = append(list, network.Masked())
	}
	if len(given) > 0 && len(list) == 0 {
		return nil, exit.Usagef("", "--trust-ip %q names no network", given[0])
	}
	return list, nil
}

func (o *trackerFlags) run(r *command.Run, trusted []netip.Prefix) error {
	limits := trackerserver.DefaultLimits
	limits.Interval, limits.Trusted = o.interval, trusted
	source, _, err := o.source.Open(r.Context, r.Warn)
	if err != nil {
		return err
	}
	torrents, err := load.All(r.Context, source, o.only, r.Stdin, r.Warn)
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
	command.ReleaseStartPages()
	r.Result("%s", tracker.URL)
	if err := r.Stdout.Err(); err != nil && !exit.BrokenPipe(err) {
		return err
	}
	return watch(r, tracker)
}
