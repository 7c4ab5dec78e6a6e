package transfer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/wire/blocklist"
)

// usualPorts is the default of --listen-port: first the ports that people
// forward in their routers, then any free one.
const usualPorts = "6881-6889,0"

// noPorts is the --listen-port with which nobody can connect.
const noPorts = "none"

// ports is --listen-port without spaces around commas and dashes.
func (o *options) ports() string { return strings.Join(strings.Fields(o.port), "") }

// listen is the address for kouzui.Config.
func (o *options) listen() (string, error) {
	ports := o.ports()
	for part := range strings.SplitSeq(ports, ",") {
		if ports == noPorts {
			break
		}
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.ParseUint(from, 10, 16)
		last := first
		if err == nil && isRange {
			last, err = strconv.ParseUint(to, 10, 16)
		}
		if err != nil || last < first || isRange && first == 0 {
			return "", exit.Usagef("", "--listen-port %q must be a port, a range of ports, a list of these, or none", o.port)
		}
	}
	host, port, err := net.SplitHostPort(o.host)
	if _, badPort := strconv.ParseUint(port, 10, 16); err == nil && badPort == nil {
		return "", exit.Usagef(fmt.Sprintf("Try `--listen %s --listen-port %s`.", host, port), "--listen %q must be a host without a port", o.host)
	}
	return net.JoinHostPort(strings.Trim(o.host, "[]"), ports), nil
}

// place is the host of --listen, or else the address to which all is bound; ""
// if there is neither.
func (o *options) place(bound netip.Addr) string {
	if o.host == "" && bound.IsValid() {
		return bound.String()
	}
	return strings.Trim(o.host, "[]")
}

// waitsForPeers tells whether the user means to wait for peers that connect to
// us: at a port that others can be told, or for a time of the user's choice,
// which may be for ever.
func (o *options) waitsForPeers(c *cobra.Command) bool {
	return c.Flag("stall-timeout").Changed || o.port != usualPorts && o.ports() != noPorts && o.port != "0"
}

// warnUnbound says that a --listen alone does not bind connections that go out,
// which a user who means to hide an address must know.
func (o *options) warnUnbound(warn func(string)) {
	host, err := netip.ParseAddr(strings.Trim(o.host, "[]"))
	if err == nil && !host.IsUnspecified() && host != netip.AddrFrom4([4]byte{127, 0, 0, 1}) && host != netip.IPv6Loopback() {
		warn(fmt.Sprintf("--listen %s binds only datagrams and the connections that come in; --bind %s binds what goes out as well", o.host, o.host))
	}
}

// keepInside turns off what cannot go through the proxy, and says so.
func (o *options) keepInside(c *cobra.Command, warn func(string)) {
	off := "trackers over UDP, the DHT and the mapping of ports"
	if o.host == "" && !c.Flag("listen-port").Changed {
		o.port = noPorts
		off += " are off, and nobody can connect to us (--listen-port lets peers connect past the proxy)"
	} else {
		off += " are off; peers can connect past the proxy, at --listen and --listen-port"
	}
	o.dht.TurnOff()
	warn("all goes through the proxy: " + off)
}

// named is a peer of --peer, before its name is looked up.
type named struct {
	host string
	port uint16
}

// namedPeers reads --peer. Spaces and commas separate several in one value, as
// variables of the environment have them.
func (o *options) namedPeers() (peers []named, err error) {
	for _, value := range o.peers {
		texts := strings.FieldsFunc(value, flags.Separates)
		if len(texts) == 0 {
			texts = []string{value}
		}
		for _, text := range texts {
			host, number, err := net.SplitHostPort(text)
			port, bad := strconv.ParseUint(number, 10, 16)
			if err != nil || bad != nil || port == 0 || host == "" {
				return nil, exit.Usagef("", "--peer %q must be HOST:PORT", text)
			}
			peers = append(peers, named{host, uint16(port)})
		}
	}
	return peers, nil
}

// resolvePeers are the addresses of --peer.
func (o *options) resolvePeers(ctx context.Context, source *real.Source) (addrs []netip.AddrPort, err error) {
	peers, _ := o.namedPeers() // validate has found no fault
	for _, peer := range peers {
		if _, err := netip.ParseAddr(peer.host); err != nil && o.source.Proxied() {
			return nil, exit.Usagef("", "--peer %q must be an address: with --proxy, no name is looked up", net.JoinHostPort(peer.host, strconv.Itoa(int(peer.port))))
		}
		ips, err := source.Resolver().LookupNetIP(ctx, "ip", peer.host)
		if err != nil {
			return nil, fmt.Errorf("--peer %s: %w", net.JoinHostPort(peer.host, strconv.Itoa(int(peer.port))), err)
		}
		for _, ip := range ips {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), peer.port))
		}
	}
	return addrs, nil
}

// loadBlocklist reads the user's list, if there is one. A list that cannot be
// read is an error, because the user relies on it.
func loadBlocklist(ctx context.Context, path string, out *output.Output) (*blocklist.List, error) {
	if path == "" {
		return nil, nil
	}
	var report blocklist.Report
	list, err := load.Within(ctx, func() (list *blocklist.List, err error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if list, report, err = blocklist.Read(f); err != nil {
			return nil, exit.Usagef("", "--blocklist %s: %w", path, err)
		}
		return list, nil
	})
	if err != nil {
		return nil, err
	}
	if text := report.Warning(); text != "" {
		out.Warn(fmt.Sprintf("%s: %s", path, text))
	}
	out.Log.Info().Int("entries", report.Entries).Int("ranges", list.Len()).Msg("blocklist loaded")
	return list, nil
}
