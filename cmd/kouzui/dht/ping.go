package dht

import (
	"cmp"
	"context"
	"fmt"
	"kouzui"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/dhtnodes"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/wire/metainfo"
)

func newPing() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "ping HOST:PORT",
		Short: "Ask whether a node of the DHT answers",
		Long: `Ask whether a node of the DHT answers at HOST:PORT (ping), once at each address
of the host: its id, its program, the time to its answer, and our address as the
node sees it. Nobody else is asked. If none answers within 15 s, the exit code
is 6.`,
		Example: `  kouzui dht ping 192.0.2.7:6881
  kouzui dht ping '[2001:db8::7]:6881' --json`,
		Args: flags.Arguments(1, 1, "the address of one node"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := dhtnodes.Check(args[0]); err != nil {
				return exit.Usagef("", "%w", err)
			}
			return o.with(c, kouzui.DHT{ReadOnly: true}, func(ctx context.Context, n *node) error { return o.ping(ctx, n, args[0]) })
		},
	}
	o.bindTimeout(c)
	o.bind(c)
	return c
}

// answerLine is what came of the ping to one address.
type answerLine struct {
	head
	Addr     string  `json:"addr"`
	ID       string  `json:"id,omitempty"`
	Client   string  `json:"client,omitempty"`
	External string  `json:"external,omitempty"`
	Seconds  float64 `json:"seconds"`
	Failure  string  `json:"failure,omitempty"`
}

func (o *options) ping(ctx context.Context, n *node, at string) error {
	host, number, _ := net.SplitHostPort(at) // Check has found no fault
	port, _ := strconv.ParseUint(number, 10, 16)
	source, _, err := o.source.Open(ctx, func(string) {}) // the warnings have been told
	if err != nil {
		return err
	}
	ips, err := source.Resolver().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return why(ctx, err)
	}
	type outcome struct {
		of  kouzui.DHTNode
		err error
	}
	asked := 0
	outcomes := make(chan outcome, len(ips))
	for _, ip := range ips {
		addr := netip.AddrPortFrom(ip.Unmap(), uint16(port))
		if n.client.HasDHT(familyOf(addr)) {
			asked++
			go func() {
				of, err := n.client.PingDHT(ctx, addr)
				outcomes <- outcome{of, err}
			}()
		}
	}
	if asked == 0 {
		return exit.Errorf(exit.Network, "%s has no address of the family of --listen or --bind", at)
	}
	answered := false
	failure := ""
	for range asked {
		got := <-outcomes
		if got.err != nil {
			if err = why(ctx, got.err); answered {
				err = nil
			}
			break
		}
		answered = answered || got.of.Failure == ""
		failure = cmp.Or(failure, got.of.Failure)
		if err := n.tellAnswer(&got.of); err != nil {
			return err
		}
	}
	if err == nil && !answered {
		err = exit.Errorf(exit.Network, "no node of the DHT at %s: %s", at, failure)
	}
	return err
}

func (n *node) tellAnswer(of *kouzui.DHTNode) error {
	line := answerLine{head: head{schema, "answer"}, Addr: of.Addr.String(), Seconds: of.Took.Seconds(), Failure: of.Failure, External: addrText(of.External)}
	if of.Failure == "" {
		line.ID, line.Client = idText(of.ID), clientText(of.Version)
		text := fmt.Sprintf("%s  id %s  %.1f ms", line.Addr, line.ID, 1000*line.Seconds)
		if line.Client != "" {
			text += "  client " + line.Client
		}
		if line.External != "" {
			text += "  we are " + line.External
		}
		n.Result("%s", text)
	}
	return n.writeJSON(line)
}

// clientText is the name that a node gives its program, fit to show: two
// letters, and two bytes of a version in hexadecimal. Others have chosen it.
func clientText(version string) string {
	if len(version) == 4 && !strings.ContainsFunc(version[:2], func(r rune) bool { return r < '!' || r > '~' }) {
		return fmt.Sprintf("%s %x", version[:2], version[2:])
	}
	return metainfo.Clean(version, 20)
}
