package session

import (
	"net/netip"
	"net/url"
	"slices"

	"kouzui/messages"
)

const (
	// maxVotes is how many votes on our address are kept of a family: the latest.
	maxVotes = 16
	// enoughVotes is how many of them must agree on an address for us to believe
	// it; more than half of all that are kept.
	enoughVotes = 4
	// trackerVotes is how many of those that are kept may be of trackers. Whoever
	// makes a torrent names its trackers, any number of them: they must not
	// decide, nor with one network more.
	trackerVotes = enoughVotes - 2
)

// election is what others say of our address: nodes of the DHT (BEP 42),
// trackers (BEP 24) and peers (BEP 10). Each network has one vote, its last.
type election struct {
	votes [2][]vote // by family, oldest first
	ours  [2]netip.Addr
}

type vote struct {
	voter voter
	addr  netip.Addr
}

// voter is whose vote it is: a network, or a tracker by its host's name, of
// which the address is not known.
type voter struct {
	network netip.AddrPort // as networkOf has it
	tracker string
}

// networkOf is the part of the network that has one vote: a /24 of IPv4, a /48
// of IPv6; each port by itself where addresses are local, as tests and NATs
// have many hosts there.
func networkOf(a netip.AddrPort) netip.AddrPort {
	if messages.IsLocal(a.Addr()) {
		return a
	}
	bits := 48
	if a.Addr().Is4() {
		bits = 24
	}
	network, _ := a.Addr().Prefix(bits)
	return netip.AddrPortFrom(network.Addr(), 0)
}

// host counts the vote of a host, and tells whether we believe in another
// address since.
func (e *election) host(from netip.AddrPort, addr netip.Addr) (changed bool) {
	from, addr = netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port()), addr.Unmap().WithZone("")
	if !messages.MayTell(from.Addr(), addr) {
		return false
	}
	return e.count(vote{voter{network: networkOf(from)}, addr})
}

// tracker counts the vote of a tracker. One that is named by a name is taken
// for a host of the public network.
func (e *election) tracker(host string, addr netip.Addr) (changed bool) {
	addr = addr.Unmap().WithZone("")
	teller := netip.AddrFrom4([4]byte{1, 1, 1, 1})
	if addr.Is6() {
		teller = netip.AddrFrom16([16]byte{0x20})
	}
	if at, err := netip.ParseAddr(host); err == nil {
		teller = at.Unmap().WithZone("")
	}
	if !messages.MayTell(teller, addr) {
		return false
	}
	return e.count(vote{voter{tracker: host}, addr})
}

func (e *election) count(v vote) (changed bool) {
	family := messages.Family(v.addr)
	votes := slices.DeleteFunc(e.votes[family], func(old vote) bool { return old.voter == v.voter })
	oldest, trackers := -1, 0
	for i, old := range votes {
		if old.voter.tracker == "" {
			continue
		}
		if trackers++; oldest < 0 {
			oldest = i
		}
	}
	switch {
	case v.voter.tracker != "" && trackers == trackerVotes:
		votes = slices.Delete(votes, oldest, oldest+1)
	case len(votes) == maxVotes:
		votes = slices.Delete(votes, 0, 1)
	}
	votes = append(votes, v)
	e.votes[family] = votes
	agreed := 0
	for _, other := range votes {
		if other.addr == v.addr {
			agreed++
		}
	}
	if agreed < enoughVotes || 2*agreed <= len(votes) || e.ours[family] == v.addr {
		return false
	}
	e.ours[family] = v.addr
	return true
}

// addressReported counts what a node or a peer says of our address.
func (r *registry) addressReported(m *messages.AddressReported) {
	if r.election.host(m.Voter, m.Addr) {
		r.addressChanged(m.Addr)
	}
}

// announced counts what a tracker says of our address.
func (r *registry) announced(m *messages.TorrentAnnounced) {
	if m.Replied != nil && m.Replied.External.IsValid() {
		if at, err := url.Parse(m.Replied.URL); err == nil && at.Hostname() != "" && r.election.tracker(at.Hostname(), m.Replied.External) {
			r.addressChanged(m.Replied.External)
		}
	}
	r.notify(m)
}

// addressChanged tells those for whom it matters that we believe in another
// address. Trackers see for themselves.
func (r *registry) addressChanged(addr netip.Addr) {
	changed := &messages.SetOurAddress{Addr: r.election.ours[messages.Family(addr)]}
	if dht := r.refs.DHT[messages.Family(addr)]; dht != nil {
		r.out.Send(dht, changed)
	}
	r.tellTorrents(changed)
}

// tellAddresses tells an actor that has just started.
func (r *registry) tellAddresses(to address) {
	for _, addr := range r.election.ours {
		if addr.IsValid() {
			r.out.Send(to, &messages.SetOurAddress{Addr: addr})
		}
	}
}
