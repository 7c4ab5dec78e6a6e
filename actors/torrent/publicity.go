package torrent

import (
	"net/netip"
	"net/url"
	"slices"
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
	private := known && s.torrent.Private
	return &messages.SetPublicity{
		Exchange: !private && !s.goals.options.NoPEX,
		Metadata: !private && known,
		DHT:      InDHT(&s.goals.options, private, s.given),
	}
}

// InDHT tells whether a torrent with these trackers is looked for in the DHT,
// and announced there. Peers of its magnet link count, whether or not they may
// be tried: where they are says for whom the link was made.
func InDHT(o *messages.TorrentOptions, private bool, trackers [][]string) bool {
	switch {
	case private || o.DHT == messages.DHTOff:
		return false
	case o.DHT == messages.DHTOn:
		return true
	default:
		return !allAtLoopback(trackers, slices.Concat(o.Peers, o.LinkPeers), o.LinkHosts)
	}
}

// Abroad tells whether anybody on another machine may hear of us by a torrent
// with these options and trackers: it names somebody there, or is looked for in
// the DHT.
func Abroad(o *messages.TorrentOptions, private bool, trackers [][]string) bool {
	if InDHT(o, private, trackers) {
		return true
	}
	named := len(o.Peers)+len(o.LinkPeers)+len(o.LinkHosts)+len(slices.Concat(trackers...)) > 0
	return named && !allAtLoopback(trackers, slices.Concat(o.Peers, o.LinkPeers), o.LinkHosts)
}

// allAtLoopback tells whether the trackers and peers of a swarm show that the
// swarm lives on this machine alone: there are some, and all are at loopback
// addresses. A torrent that names nobody can be found in the DHT only, so it
// was made for the DHT.
func allAtLoopback(trackers [][]string, peers []netip.AddrPort, hosts []string) bool {
	for _, peer := range peers {
		if !atLoopback(peer.Addr()) {
			return false
		}
	}
	for _, host := range hosts {
		if !hostAtLoopback(host) {
			return false
		}
	}
	urls := slices.Concat(trackers...)
	for _, tracker := range urls {
		if u, err := url.Parse(tracker); err != nil || !hostAtLoopback(u.Hostname()) {
			return false
		}
	}
	return len(peers)+len(hosts)+len(urls) > 0
}

// hostAtLoopback tells whether a host is this machine, by its text: nothing is
// looked up to answer that. "localhost" and the names below it are this
// machine's (RFC 6761).
func hostAtLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && atLoopback(addr)
}

// atLoopback takes the unspecified address for loopback, since who dials that
// reaches this machine.
func atLoopback(a netip.Addr) bool { return a.Unmap().IsLoopback() || a.IsUnspecified() }
