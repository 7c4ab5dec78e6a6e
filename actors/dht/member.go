package dht

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

// leastStay is how long we keep an id at least, whatever others say of our
// address: with another id we have other neighbours.
const leastStay = 10 * time.Minute

// version is how we name our client to nodes: two letters and two bytes.
var version = []byte("KZ\x00\x01")

// member is the core: one node of the DHT of one address family.
type member struct {
	Config
	rand  *rand.Rand
	addr  netip.AddrPort // of our socket; the zero value: not bound yet
	table *table

	queries   queries
	lookups   []*lookup // under way, oldest first
	blocked   time.Time // when more may be sent; zero: nothing waits for that
	strangers allowance // nodes that we do not know
	bytes     allowance // that we send
	floods    floods

	tokens tokens
	stored stored

	ours  netip.AddrPort // our address as others see it, and the port if nodes tell; the zero value: not known
	votes ballot

	others []messages.DHTContact // nodes of the other address family

	searches []*search // in the order in which they came
	boot     bootstrap

	inquiries []*inquiry // in the order in which they came
	probes    []*probe

	lookedUp int       // lookups that have ended
	moved    time.Time // when we took our id

	reported standing  // that was told last
	reportAt time.Time // when the next one may be
	pause    time.Duration

	out     messages.Outbox
	effects effects
}

// effects is what the shell has to do, beside sending what is in the outbox.
type effects struct {
	datagrams []messages.Datagram
	resolve   []string // hosts and ports of which addresses are to be looked up
	replies   []func() // to questions of the program
}

func newMember(cfg Config, r *rand.Rand) *member {
	id := cfg.ID
	if id == (krpc.ID{}) {
		id = newID(r, netip.Addr{})
	}
	return &member{
		Config: cfg, rand: r, table: newTable(id),
		strangers: allowance{rate: newAddresses, burst: newBurst},
		bytes:     allowance{rate: bytesOut, burst: bytesBurst},
		votes:     ballot{allowance: allowance{rate: 1 / votePause.Seconds(), burst: votesNow}},
		tokens:    newTokens(r), stored: stored{rand: r},
	}
}

func (m *member) take() effects {
	done := m.effects
	m.effects = effects{}
	return done
}

// bound takes the address of our socket.
func (m *member) bound(addr netip.AddrPort) { m.addr = addr }

// send hands a message to the shell, and returns its length.
func (m *member) send(to netip.AddrPort, msg *krpc.Message) int {
	var buffer [krpc.MaxSize]byte
	msg.Version = version
	raw := bytes.Clone(msg.Append(buffer[:0]))
	m.effects.datagrams = append(m.effects.datagrams, messages.Datagram{Addr: to, Data: raw})
	return len(raw)
}

// received takes a datagram.
func (m *member) received(from netip.AddrPort, raw []byte, now time.Time) {
	if from.Port() == 0 || messages.Family(from.Addr()) != m.Family || m.floods.ignored(from, now) {
		return
	}
	if len(raw) > krpc.MaxFrame && !m.queries.waiting(from) {
		return // we have asked nothing of which this can be the answer
	}
	msg, err := krpc.Parse(raw)
	if err == nil && msg.Kind != krpc.Query {
		if q, ok := m.queries.take(msg.Transaction, from); ok {
			m.answered(q, &msg, now)
			return
		}
	}
	switch {
	case m.floods.flooded(from, now), msg.Kind != krpc.Query, msg.Transaction == nil, m.ReadOnly:
	case err != nil:
		m.refuse(from, &msg, krpc.ProtocolError, "Protocol Error", now)
	default:
		m.reply(from, &msg, now)
	}
}

// proceed does all that is due. The shell calls it after everything else.
func (m *member) proceed(now time.Time) {
	if !m.addr.IsValid() {
		return
	}
	m.blocked = time.Time{}
	m.expire(now)
	if !m.boot.begun && (m.AtOnce || len(m.searches) > 0 || len(m.inquiries) > 0) {
		m.boot.begun, m.boot.since = true, now
		m.begin(now)
	}
	m.maintain(now)
	m.startProbes(now)
	m.startInquiries(now)
	m.startSearches(now)
	for i := 0; i < len(m.lookups); i++ {
		m.advance(m.lookups[i], now)
	}
	ended := false
	for _, l := range m.lookups {
		if l.ended {
			ended = true
			m.finish(l, now)
		}
	}
	if ended {
		kept := m.lookups[:0]
		for _, l := range m.lookups {
			if !l.ended {
				kept = append(kept, l)
			}
		}
		clear(m.lookups[len(kept):])
		m.lookups = kept
		m.startInquiries(now)
		m.startSearches(now)
		for _, l := range m.lookups {
			m.advance(l, now)
		}
	}
	m.report(now)
}

// advance asks as many nodes as a lookup may.
func (m *member) advance(l *lookup, now time.Time) {
	for !l.ended {
		node, ok := l.next()
		if !ok {
			return
		}
		msg := krpc.Message{Method: krpc.FindNode, Target: l.target}
		if l.search != nil {
			msg.Method, msg.NoSeeds = krpc.GetPeers, l.search.seed
		}
		if l.inquiry != nil {
			msg.Method, msg.Scrape = krpc.GetPeers, true
		}
		if c := l.find(node); c != nil && c.again != never {
			msg = krpc.Message{Method: krpc.FindNode, Target: l.target}
			if c.again == aside {
				msg.Target = m.idLike(l.target, shared(c.ID, l.target)+1)
			}
		}
		if l == m.boot.lookup && m.sibling() != nil {
			msg.Want = krpc.N4 | krpc.N6
		}
		if !m.ask(node, l, msg, now) {
			return
		}
		l.ask(node)
	}
}

// finish takes the result of a lookup.
func (m *member) finish(l *lookup, now time.Time) {
	m.lookedUp++
	switch {
	case l.search != nil:
		m.searched(l, now)
	case l.inquiry != nil:
		m.inquired(l)
	case l == m.boot.lookup:
		m.bootstrapped(now)
	}
}

// next is when there is something to do, if nothing comes before.
func (m *member) next(now time.Time) time.Time {
	if !m.addr.IsValid() {
		return time.Time{}
	}
	at := earlier(m.queries.next(), m.boot.namesAt)
	if m.boot.lookup == nil {
		at = earlier(at, m.boot.next)
	}
	at = earlier(at, m.blocked)
	if m.standing(now) != m.reported {
		at = earlier(at, m.reportAt)
	}
	if len(m.lookups) < maxLookups {
		at = earlier(at, m.nextSearch())
	}
	return at
}

// earlier is the earlier of two times, of which the zero value is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// isHere tells whether an address is ours, as far as we know.
func (m *member) isHere(a netip.Addr) bool { return a == m.ours.Addr() || a == m.addr.Addr() }

// isUs tells whether a node at an address would be ourselves.
func (m *member) isUs(a netip.AddrPort) bool { return a.Port() == m.addr.Port() && m.isHere(a.Addr()) }

// move takes another id if ours does not fit our address (BEP 42). The nodes
// stay.
func (m *member) move(now time.Time) {
	ours := m.ours.Addr()
	if !ours.IsValid() || idFits(m.table.self, ours) || now.Sub(m.moved) < leastStay {
		return
	}
	m.moved = now
	m.table.move(newID(m.rand, ours))
	if m.boot.begun {
		m.boot.next = now
	}
}
