package dht

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// inquiry is a question of the program who the peers of a torrent are. It takes
// one lookup, with which nothing is announced.
type inquiry struct {
	hash     krpc.ID
	reply    func(messages.DHTPeers)
	begun    bool
	answered int          // nodes that have answered
	seeds    *krpc.Filter // united (BEP 33); nil: no node has told
	others   *krpc.Filter
}

// probe is a question of the program whether a node answers.
type probe struct {
	addr  netip.AddrPort
	reply func(messages.DHTNode)
	asked bool
}

// inquire takes a question for peers. Asked again, it is still one question.
func (m *member) inquire(q *messages.QueryDHTPeers) {
	for _, i := range m.inquiries {
		if i.hash == krpc.ID(q.InfoHash) {
			i.reply = q.Reply
			return
		}
	}
	m.inquiries = append(m.inquiries, &inquiry{hash: krpc.ID(q.InfoHash), reply: q.Reply})
}

// startInquiries begins the lookups of questions, once we know the nodes near
// to us: before, they would end with few.
func (m *member) startInquiries(now time.Time) {
	if m.boot.lookup != nil || m.table.alive() == 0 {
		return
	}
	for _, i := range m.inquiries {
		if !i.begun && len(m.lookups) < maxLookups {
			i.begun = true
			l := m.look(i.hash, nil, now)
			l.inquiry = i
			l.told(m.stored.peers(i.hash, false, now))
		}
	}
}

// heard takes what a node has told for a question beside nodes and peers.
func (i *inquiry) heard(r *krpc.Message) {
	i.answered++
	unite := func(all **krpc.Filter, one *krpc.Filter) {
		if one == nil {
			return
		}
		if *all == nil {
			*all = new(krpc.Filter)
		}
		(*all).Union(one)
	}
	unite(&i.seeds, r.Seeds)
	unite(&i.others, r.Peers)
}

// inquired answers a question with what its lookup has found.
func (m *member) inquired(l *lookup) {
	i := l.inquiry
	m.inquiries = slices.DeleteFunc(m.inquiries, func(other *inquiry) bool { return other == i })
	found := messages.DHTPeers{
		Family: m.Family, InfoHash: metainfo.Hash(i.hash), Answered: i.answered,
		Seeds: estimate(i.seeds), Leechers: estimate(i.others),
	}
	for addr := range l.peers {
		found.Peers = append(found.Peers, addr)
	}
	slices.SortFunc(found.Peers, netip.AddrPort.Compare)
	near := l.nearest()
	for _, c := range near[:min(len(near), bucketSize)] {
		found.Nearest = append(found.Nearest, messages.DHTContact{ID: c.ID, Addr: c.Addr})
	}
	reply := i.reply
	m.effects.replies = append(m.effects.replies, func() { reply(found) })
}

// estimate is how many addresses a filter counts; -1: there is none.
func estimate(f *krpc.Filter) int {
	switch {
	case f == nil:
		return -1
	case *f == krpc.Filter{}:
		return 0
	}
	return int(f.Count() + 0.5)
}

// probe takes a question whether a node answers.
func (m *member) probe(q *messages.QueryDHTNode) {
	if p := m.probeOf(q.Addr); p != nil {
		p.reply = q.Reply
		return
	}
	m.probes = append(m.probes, &probe{addr: q.Addr, reply: q.Reply})
}

func (m *member) probeOf(addr netip.AddrPort) *probe {
	for _, p := range m.probes {
		if p.addr == addr {
			return p
		}
	}
	return nil
}

func (m *member) startProbes(now time.Time) {
	for _, p := range m.probes {
		if !p.asked && m.ask(krpc.Node{Addr: p.addr}, nil, krpc.Message{Method: krpc.Ping}, now) {
			p.asked = true
			m.queries.list[len(m.queries.list)-1].probe = p // the one that ask has added
		}
	}
}

// probed answers a question with what the node has said; nil: nothing.
func (m *member) probed(q query, r *krpc.Message, now time.Time) {
	p := q.probe
	m.probes = slices.DeleteFunc(m.probes, func(other *probe) bool { return other == p })
	n := messages.DHTNode{Addr: p.addr, Took: now.Sub(q.sent)}
	switch {
	case r == nil:
		n.Failure = fmt.Sprintf("it has not answered within %v", timeout)
	case r.Kind == krpc.Error:
		n.Failure = fmt.Sprintf("it answers with the error %d: %s", r.Code, r.Text)
	default:
		n.ID, n.Version, n.External = r.ID, string(r.Version), r.External
	}
	reply := p.reply
	m.effects.replies = append(m.effects.replies, func() { reply(n) })
}

// status is how we stand, with our table.
func (m *member) status(now time.Time) messages.DHTStatus {
	s := messages.DHTStatus{DHTReport: m.reportOf(m.standing(now), now), Addr: m.addr}
	for i := range m.table.buckets {
		b := &m.table.buckets[i]
		count := messages.DHTBucket{Known: len(b.entries), Room: width(i), Spares: len(b.spares)}
		for e := range b.entries {
			if b.entries[e].good(now) {
				count.Good++
			}
		}
		s.Buckets = append(s.Buckets, count)
	}
	return s
}
