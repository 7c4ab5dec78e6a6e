package dht

import (
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

const (
	// namesAfter is how long saved nodes have to answer before the names of
	// bootstrap nodes are looked up: those are few, and serve everybody.
	namesAfter = 2 * time.Second
	// leastPause is how long after a lookup that has found nobody the next one
	// begins, mostPause how long it may become: the pause doubles each time.
	leastPause = 5 * time.Second
	mostPause  = 10 * time.Minute
	// upkeep is how often we see what the table needs.
	upkeep = time.Minute
	// pings is how many nodes are asked then whether they are still there.
	pings = 16
	// maxContacts is how many addresses wait to be asked who is there.
	maxContacts = 128
	// reportSoon is the pause after our first report: at the beginning people wait
	// to see nodes. Each pause is twice as long as the one before, up to
	// reportEvery.
	reportSoon  = 250 * time.Millisecond
	reportEvery = 5 * time.Second
	// reportNodes is how many nodes we report. The DHT of the other family is told
	// sharedNodes, to name them to those who want nodes of both.
	reportNodes = 100
	sharedNodes = 32
)

// bootstrap is how we get to know nodes, and keep knowing some.
type bootstrap struct {
	begun    bool             // we look for nodes
	since    time.Time        // when that began
	contacts []netip.AddrPort // to be asked
	next     time.Time        // when the table is looked after, or the next try begins
	namesAt  time.Time        // when names are to be looked up; zero: they are not
	pause    time.Duration
	lookup   *lookup // for our own id, while it is under way; nil: it is not
}

// begin looks for nodes near to us: this is how we get to know the DHT and the
// DHT gets to know us.
func (m *member) begin(now time.Time) {
	m.boot.contacts = append(m.boot.contacts, m.Nodes[:min(len(m.Nodes), maxContacts)]...)
	m.boot.next = time.Time{}
	if len(m.Bootstrap) > 0 {
		m.boot.namesAt = now
		if len(m.boot.contacts) > 0 || m.table.alive() > 0 {
			m.boot.namesAt = now.Add(namesAfter)
		}
	}
	m.lookForUs(now)
}

func (m *member) lookForUs(now time.Time) {
	l := m.look(m.table.self, nil, now)
	l.contacts, m.boot.contacts = m.boot.contacts, nil
	m.boot.lookup = l
}

// addContact takes an address at which a node may answer.
func (m *member) addContact(addr netip.AddrPort) {
	if addr.Port() == 0 || messages.Family(addr.Addr()) != m.Family || m.isUs(addr) || m.table.at(addr) != nil || slices.Contains(m.boot.contacts, addr) {
		return
	}
	if l := m.boot.lookup; l != nil && len(l.contacts) < maxContacts {
		if !slices.Contains(l.contacts, addr) && !m.queries.asking(krpc.Node{Addr: addr}) {
			l.contacts = append(l.contacts, addr)
		}
	} else if len(m.boot.contacts) < maxContacts {
		m.boot.contacts = append(m.boot.contacts, addr)
	}
}

// named takes addresses of a bootstrap node. If the lookup for our own id has
// ended before they were known, and found few, it is done again with them.
func (m *member) named(addrs []netip.AddrPort, now time.Time) {
	for _, a := range addrs {
		m.addContact(a)
	}
	if m.boot.lookup == nil && len(m.boot.contacts) > 0 && m.table.alive() < bucketSize {
		m.lookForUs(now)
	}
}

// bootstrapped is told when the lookup for our own id has ended. If nobody has
// answered, we try again; if we have another id since, we look for that.
func (m *member) bootstrapped(now time.Time) {
	moved := m.boot.lookup.target != m.table.self
	m.boot.lookup = nil
	if moved {
		m.lookForUs(now)
		return
	}
	if m.table.alive() > 0 {
		m.boot.pause = 0
		m.boot.next = now.Add(m.vary(upkeep))
		return
	}
	m.boot.pause = min(max(2*m.boot.pause, leastPause), mostPause)
	m.boot.next = now.Add(m.vary(m.boot.pause))
}

// vary is up to a quarter more than d, so that not all do the same at a time.
func (m *member) vary(d time.Duration) time.Duration {
	return d + time.Duration(m.rand.Int64N(int64(d/4)))
}

// maintain looks after the table: nodes that are about to be no longer good are
// asked, buckets with room in which nobody was looked for lately are looked up.
func (m *member) maintain(now time.Time) {
	b := &m.boot
	if !b.begun {
		return
	}
	if !b.namesAt.IsZero() && !b.namesAt.After(now) {
		b.namesAt = time.Time{}
		if m.table.alive() < bucketSize {
			m.effects.resolve = m.Bootstrap
		}
	}
	if b.lookup == nil && m.table.alive() == 0 && len(b.contacts) > 0 {
		m.lookForUs(now)
	}
	if b.lookup == nil {
		for len(b.contacts) > 0 && m.ping(krpc.Node{Addr: b.contacts[0]}, now) {
			b.contacts = b.contacts[1:]
		}
	}
	if b.next.IsZero() || b.next.After(now) || b.lookup != nil {
		return
	}
	if m.table.alive() == 0 {
		m.begin(now)
		return
	}
	b.next = now.Add(m.vary(upkeep))
	m.move(now)
	for _, node := range m.table.stale(now.Add(upkeep-lifetime), pings) {
		m.ping(node, now)
	}
	last := len(m.table.buckets) - 1
	for i := range m.table.buckets {
		bucket := &m.table.buckets[i]
		if len(m.lookups) < maxLookups && now.Sub(bucket.looked) >= lifetime && (i == last || len(bucket.entries) < width(i)) {
			if i == last {
				m.lookForUs(now)
			} else {
				m.look(m.idIn(i), nil, now)
			}
		}
	}
}

// idIn draws an id that belongs into a bucket other than the last.
func (m *member) idIn(bucket int) krpc.ID {
	id := m.idLike(m.table.self, bucket+1)
	id[bucket/8] ^= 0x80 >> (bucket % 8)
	return id
}

// idLike draws an id that shares so many leading bits with another, or more.
func (m *member) idLike(other krpc.ID, bits int) krpc.ID {
	id := newID(m.rand, netip.Addr{})
	for bit := range min(bits, 8*len(id)) {
		mask := byte(0x80) >> (bit % 8)
		id[bit/8] = id[bit/8]&^mask | other[bit/8]&mask
	}
	return id
}

// report tells how we stand, if that has changed.
func (m *member) report(now time.Time) {
	if m.reportAt.After(now) {
		return
	}
	s := m.standing(now)
	if s == m.reported {
		return
	}
	m.pause = min(max(2*m.pause, reportSoon), reportEvery)
	m.reported, m.reportAt = s, now.Add(m.pause)
	r := m.reportOf(s, now)
	m.out.Send(m.Refs.Session, &r)
	if s := m.sibling(); s != nil {
		m.out.Send(s, m.share(now))
	}
}

// share lists nodes for the DHT of the other address family. Those of a private
// network are nobody's there.
func (m *member) share(now time.Time) *messages.NodesListed {
	list := &messages.NodesListed{}
	for _, node := range m.table.best(now, sharedNodes) {
		if !messages.IsLocal(node.Addr.Addr()) {
			list.Nodes = append(list.Nodes, messages.DHTContact{ID: node.ID, Addr: node.Addr})
		}
	}
	return list
}

func (m *member) reportOf(s standing, now time.Time) messages.DHTReport {
	best := m.table.best(now, reportNodes)
	addrs := make([]netip.AddrPort, len(best))
	for i := range best {
		addrs[i] = best[i].Addr
	}
	return messages.DHTReport{
		Family: m.Family, Known: s.known, Good: s.good, Torrents: s.torrents, Peers: s.peers, Lookups: s.lookups,
		ID: s.id, External: s.external, Nodes: addrs,
	}
}

// standing is how we stand.
type standing struct {
	known, good, torrents, peers, lookups int

	id       krpc.ID
	external netip.AddrPort
}

func (m *member) standing(now time.Time) standing {
	known, good := m.table.count(now)
	return standing{known, good, len(m.stored.torrents), m.stored.count, m.lookedUp, m.table.self, m.ours}
}
