package peers

import (
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/extended"
)

// Peer exchange (BEP 11): a peer that wants to is told who is connected to us,
// and then who has come and who has gone. Only those are told of whose
// handshake we have seen and whose listening port we know.

const (
	// tellEvery is the least time between two messages to a peer (BEP 11).
	tellEvery = time.Minute
	// tellRound is how often is looked, at most, whether somebody is to be told
	// something: the first message comes so soon.
	tellRound = 2 * time.Second
	// maxTold is how many peers a message says have come, and have gone (BEP 11).
	maxTold = 50
	// maxChanges is how many arrivals and departures are remembered. A peer that
	// has not been told of older ones begins anew.
	maxChanges = 4096
	// maxHeard is how many addresses are taken of one peer: they may be invented.
	maxHeard = 200
)

// exchange is the arrivals and departures that peers are told of.
type exchange struct {
	changes []change
	first   int       // the number of changes[0]
	due     time.Time // when the next round is; the zero time: none is
}

type change struct {
	contact extended.Contact
	left    bool
}

// exchanged is what concerns peer exchange of one peer.
type exchanged struct {
	contact extended.Contact // by which others are told of it; the zero value: they are not
	wants   bool             // it wants to be told of others
	told    int              // the number of the first change that it has not been told
	due     time.Time        // not to be told before; the zero time: it was never told
	heard   int              // how many addresses were taken of it
}

func (x *exchange) add(c change) {
	if len(x.changes) >= maxChanges {
		x.drop(maxChanges / 2)
	}
	x.changes = append(x.changes, c)
}

func (x *exchange) drop(n int) { x.changes, x.first = slices.Delete(x.changes, 0, n), x.first+n }

func (x *exchange) end() int { return x.first + len(x.changes) }

// since sums up the changes from a number on, as far as they fit in a message,
// and returns the number of the next. Nobody is in both lists: who has come and
// gone, or gone and come, is in neither.
func (x *exchange) since(number int, tells func(netip.AddrPort) bool) (m messages.TellPeers, next int) {
	for next = number; next < x.end(); next++ {
		c := x.changes[next-x.first]
		addr := c.contact.Addr
		if !tells(addr) {
			continue
		}
		added := slices.IndexFunc(m.Added, func(a extended.Contact) bool { return a.Addr == addr })
		dropped := slices.Index(m.Dropped, addr)
		switch {
		case c.left && added >= 0:
			m.Added = slices.Delete(m.Added, added, added+1)
		case !c.left && dropped >= 0:
			m.Dropped = slices.Delete(m.Dropped, dropped, dropped+1)
		case c.left && dropped < 0:
			if len(m.Dropped) == maxTold {
				return m, next
			}
			m.Dropped = append(m.Dropped, addr)
		case !c.left && added < 0:
			if len(m.Added) == maxTold {
				return m, next
			}
			m.Added = append(m.Added, c.contact)
		}
	}
	return m, next
}

// exchanges tells whether peers may be told of each other.
func (k *connections) exchanges() bool { return k.publicity != nil && k.publicity.Exchange }

// introduced takes what a peer says of itself.
func (k *connections) introduced(m *messages.PeerIntroduced) {
	s := k.slots.of(m.Key)
	if s == nil || !s.ready {
		return
	}
	if m.Port != 0 && s.Inbound {
		s.listens = netip.AddrPortFrom(s.remote.Addr(), m.Port)
	}
	s.seed = m.Seed
	if m.YourIP.IsValid() && !s.voted {
		s.voted = true
		k.out.add(tellSession{&messages.AddressReported{Voter: s.remote, Addr: m.YourIP}})
	}
	k.arrived(s)
	if s.exchange.wants = m.Exchange; s.exchange.wants {
		k.tellSoon()
	}
}

// arrived notes that others may be told of a peer.
func (k *connections) arrived(s *slot) {
	if s.exchange.contact.Addr.IsValid() || !announce.CanBeDialled(s.listens) {
		return
	}
	c := extended.Contact{Addr: s.listens}
	if s.seed {
		c.Flags |= extended.IsSeed
	}
	if s.encrypted != messages.EncryptedNothing {
		c.Flags |= extended.PrefersEncryption
	}
	if !s.Inbound {
		c.Flags |= extended.WasDialled
	}
	s.exchange.contact = c
	if k.exchanges() {
		k.exchange.add(change{contact: c})
		k.tellSoon()
	}
}

// departed notes that a peer is gone, if others were told of it.
func (k *connections) departed(s *slot) {
	if c := s.exchange.contact; c.Addr.IsValid() && k.exchanges() {
		k.exchange.add(change{contact: c, left: true})
		k.tellSoon()
	}
	s.exchange = exchanged{}
}

// tellSoon has a round come soon.
func (k *connections) tellSoon() {
	if soon := k.now.Add(tellRound); k.exchanges() && (k.exchange.due.IsZero() || k.exchange.due.After(soon)) {
		k.tellAt(soon)
	}
}

func (k *connections) tellAt(due time.Time) {
	k.exchange.due = due
	k.out.add(tellAfter{due.Sub(k.now)})
}

// tellPeers tells each peer that wants it what is news to that peer. After the
// first message each has a moment of its own in the minute, so that not all are
// told at once when somebody has come.
func (k *connections) tellPeers() {
	x := &k.exchange
	x.due = time.Time{}
	if !k.exchanges() {
		return
	}
	oldest, next := x.end(), time.Time{}
	for _, s := range k.slots.all {
		e := &s.exchange
		if !s.ready || !e.wants {
			continue
		}
		if e.told < x.end() || e.due.IsZero() {
			if e.skip(k.now); !e.due.After(k.now) {
				k.tell(s)
			} else if next.IsZero() || e.due.Before(next) {
				next = e.due
			}
		}
		oldest = min(oldest, e.told)
	}
	x.drop(max(0, oldest-x.first))
	if !next.IsZero() {
		k.tellAt(k.now.Add(max(next.Sub(k.now), tellRound)))
	}
}

// skip puts off what is due to the next minute if the moment has passed. A
// round may come tellRound late.
func (e *exchanged) skip(now time.Time) {
	if late := now.Sub(e.due) - tellRound; late > 0 && !e.due.IsZero() {
		e.due = e.due.Add((late + tellEvery - 1).Truncate(tellEvery))
	}
}

func (k *connections) tell(s *slot) {
	x, e := &k.exchange, &s.exchange
	tells := func(addr netip.AddrPort) bool {
		return addr != e.contact.Addr && reachOf(addr.Addr()) <= reachOf(s.remote.Addr())
	}
	var m messages.TellPeers
	first := e.due.IsZero()
	if first || e.told < x.first {
		m.Added, e.told = k.present(tells), x.end()
	} else {
		m, e.told = x.since(e.told, tells)
	}
	if len(m.Added)+len(m.Dropped) == 0 {
		return
	}
	e.due = k.now.Add(tellEvery)
	if first {
		e.due = e.due.Add(time.Duration(k.rnd.Int64N(int64(tellEvery))))
	}
	k.out.add(tell{s.Key, &m})
}

// present are the peers that came last.
func (k *connections) present(tells func(netip.AddrPort) bool) (found []extended.Contact) {
	for _, s := range slices.Backward(k.slots.all) {
		if c := s.exchange.contact; c.Addr.IsValid() && tells(c.Addr) {
			if found = append(found, c); len(found) == maxTold {
				break
			}
		}
	}
	return found
}

// heard makes candidates of addresses that a peer has told. They may be
// invented, so that few are taken of one peer and one of each host, and none
// that lies closer to us than the peer: inside our network, or in this machine.
func (k *connections) heard(m *messages.PeersHeard) {
	s := k.slots.of(m.Key)
	if s == nil || !s.ready || !k.exchanges() {
		return
	}
	var found []messages.PeerAddr
	for _, c := range m.Added {
		if s.exchange.heard >= maxHeard {
			break
		}
		host := messages.HostOf(c.Addr.Addr())
		switch {
		case reachOf(c.Addr.Addr()) > reachOf(s.remote.Addr()):
		case !host.IsLoopback() && (k.candidates.hosts[host] > 0 || len(k.slots.atHost[host]) > 0):
		case k.candidates.all[c.Addr] != nil || k.connectedTo(c.Addr):
		default:
			s.exchange.heard++
			found = append(found, messages.PeerAddr{
				Addr: c.Addr, Source: messages.Source{Kind: messages.SourcePEX}, Encrypts: c.Flags&extended.PrefersEncryption != 0,
			})
		}
	}
	if len(found) > 0 {
		k.addCandidates(found)
	}
}

// connectedTo tells whether a peer that came in listens at an address.
func (k *connections) connectedTo(addr netip.AddrPort) bool {
	return slices.ContainsFunc(k.slots.atHost[messages.HostOf(addr.Addr())], func(s *slot) bool { return s.listens == addr })
}

// reach is from where an address can be reached.
type reach int

const (
	fromAnywhere reach = iota
	fromNetwork        // private, or of the link
	fromMachine
)

func reachOf(a netip.Addr) reach {
	switch a = a.Unmap(); {
	case a.IsLoopback():
		return fromMachine
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return fromNetwork
	}
	return fromAnywhere
}
