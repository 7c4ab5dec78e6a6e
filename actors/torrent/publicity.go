package torrent

import (
	"net/netip"
	"net/url"
	"strings"

	"kouzui/messages"
)

// publicity is the one rule about what strangers may be told of the torrent.
//
// While the metainfo is not known, nobody can say whether the torrent is
// private (BEP 27). It is taken for public, as other clients do: the DHT and
// peer exchange are how the peers of a magnet link are found, and a private
// torrent has no magnet links, for none of its peers may send the metadata.
// When the metainfo comes and says otherwise, all is withdrawn.
func (s *state) publicity() *messages.SetPublicity {
	known := s.torrent != nil
	if known && s.torrent.Private {
		return &messages.SetPublicity{}
	}
	return &messages.SetPublicity{
		Exchange: !s.goals.options.NoPEX,
		Metadata: known,
		DHT:      s.inDHT(),
	}
}

// inDHT tells whether a torrent that is not private may be looked for in the
// DHT.
func (s *state) inDHT() bool {
	switch o := &s.goals.options; o.DHT {
	case messages.DHTOn:
		return true
	case messages.DHTOff:
		return false
	default:
		return !allAtLoopback(s.given, o.Peers)
	}
}

// allAtLoopback tells whether the trackers and peers of a swarm show that the
// swarm lives on this machine alone: there are some, and all are at loopback
// addresses. A torrent that names nobody can be found in the DHT only, so it
// was made for the DHT.
func allAtLoopback(trackers [][]string, peers []netip.AddrPort) bool {
	there := len(peers) > 0
	for _, peer := range peers {
		if !atLoopback(peer.Addr()) {
			return false
		}
	}
	for _, tier := range trackers {
		for _, tracker := range tier {
			there = true
			if !hostAtLoopback(tracker) {
				return false
			}
		}
	}
	return there
}

// hostAtLoopback tells whether the host of a URL is this machine, by its text:
// nothing is looked up to answer that. "localhost" and the names below it are
// this machine's (RFC 6761).
func hostAtLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && atLoopback(addr)
}

// atLoopback takes the unspecified address for loopback, since who dials that
// reaches this machine.
func atLoopback(a netip.Addr) bool { return a.Unmap().IsLoopback() || a.IsUnspecified() }
