// Package dht is the commands for people who study the DHT.
package dht

import (
	"context"
	"encoding/hex"
	"errors"
	"kouzui"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/dhtnodes"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/report"
)

const (
	// usualTimeout is the default of --timeout: an answer from the DHT takes
	// seconds, and half a minute where most nodes are gone.
	usualTimeout = time.Minute
	// otherFamily is how long IPv6 is waited for when IPv4 has answered, and the
	// other way round: many machines have both, and reach nobody over one.
	otherFamily = 3 * time.Second
	// closing is how long the end of the client may take.
	closing = time.Second

	schema = "kouzui-dht-1" // of lines of JSON
)

// New makes the command dht with its subcommands.
func New() *cobra.Command {
	c := &cobra.Command{
		Use:   "dht",
		Short: "Ask the DHT, for those who study it",
		Long: `Ask the DHT (BEP 5, 32), in which peers are found without a tracker: who the
peers of a torrent are, whether a node answers, and how a node of our own
stands. Nothing is announced.`,
		Example: `  kouzui dht get-peers 0123456789abcdef0123456789abcdef01234567
  kouzui dht ping 192.0.2.7:6881
  kouzui dht stats --for 2m`,
		Args: flags.NoSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newGetPeers(), newPing(), newStats())
	return c
}

// options are the flags of all of them.
type options struct {
	output  output.Flags
	listen  string
	source  flags.Source
	nodes   dhtnodes.Flag
	timeout time.Duration // 0: none
}

func (o *options) bind(c *cobra.Command) {
	c.ValidArgsFunction = cobra.NoFileCompletions
	flags.Group(c, "Network", func(f *pflag.FlagSet) {
		f.StringVar(&o.listen, "listen", "", "have datagrams leave from and come to the address `ADDR` of this machine (default: all addresses)")
		o.source.Bind(f, "everything to the address `ADDR` of this machine, look-ups of names included")
		f.Lookup("proxy").Hidden = true // it is of no use, but must not be passed over
		o.nodes.Bind(f)
	})
	o.output.Bind(c, true)
}

// bindTimeout adds --timeout, which is not for commands that take a time of
// their own.
func (o *options) bindTimeout(c *cobra.Command) {
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		flags.Duration(f, &o.timeout, "timeout", usualTimeout, "give up after `TIME` (0: never)")
	})
}

// node is a node of ours while the command runs.
type node struct {
	*command.Run
	client *kouzui.Client
}

// with runs do with a node of our own, whose DHT has AtOnce and ReadOnly of d.
func (o *options) with(c *cobra.Command, d kouzui.DHT, do func(context.Context, *node) error) error {
	nodes, err := o.nodes.Nodes()
	if err != nil {
		return err
	}
	host := strings.Trim(o.listen, "[]")
	if _, err := netip.ParseAddr(host); err != nil && host != "" {
		return exit.Usagef("", "--listen %q must be an address of this machine, without a port", o.listen)
	}
	if o.source.Proxied() {
		return exit.Usagef("", "the DHT does not go through a proxy, so there is nothing to do with --proxy")
	}
	if o.timeout < 0 {
		return exit.Usagef("", "--timeout cannot be negative")
	}
	return command.Do(c, &o.output, func(r *command.Run) error {
		ctx, cancel := context.WithCancelCause(r.Context)
		defer cancel(nil)
		if o.timeout > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeoutCause(ctx, o.timeout, exit.ErrTimeout)
			defer stop()
		}
		_, bound, err := o.source.Open(ctx, r.Warn)
		if err != nil {
			return err
		}
		at := host
		if at == "" && bound.IsValid() {
			at = bound.String()
		}
		begin, keeper := dhtnodes.Begin(nodes, at, r.Warn)
		begin.AtOnce, begin.ReadOnly = d.AtOnce, d.ReadOnly
		client, err := kouzui.Open(kouzui.Config{
			Listen: net.JoinHostPort(host, "none"), Bind: bound, Interface: o.source.Device, Log: r.Log, DHT: begin,
		})
		if err != nil {
			return err
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			watch(client, cancel, keeper)
		}()
		err = do(ctx, &node{Run: r, client: client})
		keeper.Ask(client)
		ending, stop := context.WithTimeout(context.Background(), closing)
		defer stop()
		if late := client.Close(ending); late != nil {
			r.Log.Debug().Err(late).Msg("not all actors stopped in time")
		}
		<-over
		keeper.Close()
		return err
	})
}

// watch keeps what the DHT reports, until the client is closed. If no socket
// can be bound, it ends the command.
func watch(client *kouzui.Client, cancel context.CancelCauseFunc, keeper *dhtnodes.Keeper) {
	var failed [2]bool
	for e := range client.Events(context.Background()) {
		switch e := e.(type) {
		case kouzui.DHTReported:
			keeper.Report(&e.DHTReport, time.Now())
		case kouzui.SocketFailed:
			failed[familyOf(e.Addr)] = true
			if (failed[kouzui.IPv4] || !client.HasDHT(kouzui.IPv4)) && (failed[kouzui.IPv6] || !client.HasDHT(kouzui.IPv6)) {
				cancel(exit.Errorf(exit.Network, "datagrams cannot leave from %v: %w", e.Addr, e.Err))
			}
		}
	}
}

func familyOf(addr netip.AddrPort) int {
	if addr.Addr().Is4() {
		return kouzui.IPv4
	}
	return kouzui.IPv6
}

// familyNames are those of the address families.
var familyNames = [...]string{kouzui.IPv4: "IPv4", kouzui.IPv6: "IPv6"}

// each asks the DHT of each address family, and takes the answers as they come,
// until all have answered, one has and the other does not follow soon, or ctx
// ends. The error is why there is no answer at all, or that an interrupt has
// ended ctx.
func each[T any](ctx context.Context, n *node, ask func(context.Context, int) (T, error), take func(T)) error {
	type answer struct {
		value T
		err   error
	}
	whole := ctx
	ctx, cancel := context.WithCancel(whole)
	defer cancel()
	answers := make(chan answer, 2)
	asked := 0
	for _, family := range []int{kouzui.IPv4, kouzui.IPv6} {
		if n.client.HasDHT(family) {
			asked++
			go func() {
				value, err := ask(ctx, family)
				answers <- answer{value, err}
			}()
		}
	}
	err := kouzui.ErrNoDHT
	for taken := 0; asked > 0; asked-- {
		a := <-answers
		if a.err != nil {
			if taken == 0 {
				err = why(ctx, a.err)
			}
			continue
		}
		take(a.value)
		if taken++; taken == 1 {
			err = nil
			time.AfterFunc(otherFamily, cancel)
		}
	}
	if errors.Is(whole.Err(), context.Canceled) {
		return load.Why(whole)
	}
	return err
}

// why is err, or why ctx has ended if that is what it says.
func why(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return load.Why(ctx)
}

// idText is an id as people write it.
func idText(id [20]byte) string { return hex.EncodeToString(id[:]) }

// addrText is an address; empty: it is not known.
func addrText(addr netip.AddrPort) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// writeJSON writes a line, if the results are JSON.
func (n *node) writeJSON(line any) error {
	if n.Lines == nil {
		return nil
	}
	return report.Write(n.Stdout, line)
}

// head is how each line of JSON begins.
type head struct {
	Schema string `json:"schema"`
	Type   string `json:"type"`
}
