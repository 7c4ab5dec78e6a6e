package dht

import (
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

// reply answers a query.
func (m *member) reply(from netip.AddrPort, q *krpc.Message, now time.Time) {
	if !q.ReadOnly && m.table.asked(krpc.Node{ID: q.ID, Addr: from}, now) {
		m.ping(krpc.Node{ID: q.ID, Addr: from}, now)
	}
	r := krpc.Message{Kind: krpc.Reply, ID: m.table.self}
	switch q.Method {
	case krpc.Ping:
	case krpc.FindNode:
		m.nameNodes(&r, q)
	case krpc.GetPeers:
		m.nameNodes(&r, q)
		r.Token = m.tokens.token(from.Addr(), now)
		r.Values = m.stored.peers(q.Target, q.NoSeeds, now)
		if q.Scrape {
			r.Seeds, r.Peers = m.stored.filters(q.Target, now)
		}
	case krpc.AnnouncePeer:
		if !m.tokens.good(q.Token, from.Addr(), now) {
			m.refuse(from, q, krpc.ProtocolError, "Bad Token", now)
			return
		}
		port := q.Port
		if q.Implied {
			port = from.Port()
		}
		peer := netip.AddrPortFrom(from.Addr(), port)
		m.stored.announce(q.Target, peer, q.Seed, now)
		if s := m.searchOf(q.Target); s != nil && !(q.Seed && s.seed) {
			m.tell(s, []netip.AddrPort{peer}) // it need not wait for its next lookup
		}
	case krpc.Sample:
		m.nameNodes(&r, q)
		samples, life := m.stored.sample(now)
		r.Sampled, r.Samples = true, samples
		r.Stored, r.Interval = len(m.stored.torrents), int(life/time.Second)
	default:
		m.refuse(from, q, krpc.UnknownMethod, "Method Unknown", now)
		return
	}
	m.respond(from, q, &r, now)
}

// nameNodes names the nodes nearest to the target, of the families that are
// wanted (BEP 32): of the other one, those that its DHT has told us.
func (m *member) nameNodes(r, q *krpc.Message) {
	ours, others := krpc.N4, krpc.N6
	nodes, nodesOfOthers := &r.Nodes, &r.Nodes6
	if m.Family == messages.IPv6 {
		ours, others = others, ours
		nodes, nodesOfOthers = nodesOfOthers, nodes
	}
	if q.Want == 0 || q.Want&ours != 0 {
		*nodes = m.table.closest(q.Target, bucketSize, false)
	}
	if q.Want&others != 0 {
		*nodesOfOthers = closestOf(m.others, q.Target)
	}
}

// closestOf returns the nodes of a list that are nearest to the target.
func closestOf(list []messages.DHTContact, target krpc.ID) []krpc.Node {
	entries := make([]entry, len(list))
	for i, c := range list {
		entries[i].Node = krpc.Node{ID: c.ID, Addr: c.Addr}
	}
	near := nearest{target: target, nodes: make([]krpc.Node, 0, bucketSize)}
	near.add(entries)
	return near.nodes
}

func (m *member) refuse(to netip.AddrPort, q *krpc.Message, code int, text string, now time.Time) {
	m.respond(to, q, &krpc.Message{Kind: krpc.Error, Code: code, Text: text}, now)
}

// respond sends an answer, unless we have sent too much already.
func (m *member) respond(to netip.AddrPort, q, r *krpc.Message, now time.Time) {
	if m.bytes.wait(krpc.MaxSize, now) > 0 {
		return
	}
	r.Transaction, r.External = q.Transaction, to
	m.bytes.take(float64(m.send(to, r)), now)
}
