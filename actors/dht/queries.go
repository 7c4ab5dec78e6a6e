package dht

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
)

const (
	// shortTimeout is after how long a query is late: a lookup then asks another
	// node beside.
	shortTimeout = time.Second
	// patience is after how long a lookup no longer waits for an answer, if others
	// have answered it: round trips over the internet take less. If the slowest
	// answer took more than half of it, it is twice what that took. Without it,
	// where nodes are few and some are gone, each lookup would take 15 s.
	patience = 2 * time.Second
	// timeout is after how long a node is taken not to answer.
	timeout = 15 * time.Second
	// maxQueries is how many queries may be under way.
	maxQueries = 256
)

// query is one that is under way.
type query struct {
	transaction [4]byte
	to          krpc.Node // its ID is the zero value where it is not known
	method      string
	lookup      *lookup // nil: it is none of a lookup's
	probe       *probe  // nil: it is none
	sent        time.Time
	late        bool // shortTimeout is over
	silent      bool // its lookup does not wait for it any more
}

// givenUp is when its lookup stops to wait for it; the zero value: it does not.
func (q *query) givenUp() (at time.Time) {
	if q.silent || q.lookup == nil || q.lookup.patience == 0 {
		return at
	}
	return q.sent.Add(q.lookup.patience)
}

// queries are those under way, oldest first.
type queries struct{ list []query }

// take removes and returns the query that a message of this address answers:
// only who was asked knows the transaction id.
func (q *queries) take(transaction []byte, from netip.AddrPort) (query, bool) {
	for i := range q.list {
		if this := &q.list[i]; this.to.Addr == from && string(this.transaction[:]) == string(transaction) {
			taken := *this
			q.list = slices.Delete(q.list, i, i+1)
			return taken, true
		}
	}
	return query{}, false
}

// waiting tells whether an answer from this address is waited for.
func (q *queries) waiting(from netip.AddrPort) bool {
	return slices.ContainsFunc(q.list, func(q query) bool { return q.to.Addr == from })
}

// asking tells whether a query to the node is under way. One that was sent to
// its address when its id was not known does not count, unless the id is not
// known yet: it may have been sent before the node was there.
func (q *queries) asking(node krpc.Node) bool {
	return slices.ContainsFunc(q.list, func(q query) bool {
		return q.to.Addr == node.Addr && (q.to.ID != krpc.ID{} || node.ID == krpc.ID{})
	})
}

// next is when a query becomes late or fails; the zero value: none does.
func (q *queries) next() (at time.Time) {
	if len(q.list) == 0 {
		return at
	}
	at = q.list[0].sent.Add(timeout)
	for i := range q.list {
		this := &q.list[i]
		if !this.late {
			return earlier(at, this.sent.Add(shortTimeout))
		}
		at = earlier(at, this.givenUp())
	}
	return at
}

// ask sends a query and remembers it. It returns false if too much has been
// sent already, or too many strangers were asked: the query has to wait until
// m.blocked.
func (m *member) ask(to krpc.Node, l *lookup, msg krpc.Message, now time.Time) bool {
	// Who is told of a torrent has just answered, and is no stranger.
	if msg.Method != krpc.AnnouncePeer && !m.mayAsk(to, now) {
		return false
	}
	q := query{to: to, method: msg.Method, lookup: l, sent: now}
	binary.BigEndian.PutUint32(q.transaction[:], m.rand.Uint32())
	msg.Kind, msg.Transaction, msg.ID, msg.ReadOnly = krpc.Query, q.transaction[:], m.table.self, m.ReadOnly
	m.queries.list = append(m.queries.list, q)
	m.bytes.take(float64(m.send(to.Addr, &msg)), now)
	return true
}

func (m *member) mayAsk(to krpc.Node, now time.Time) bool {
	if len(m.queries.list) >= maxQueries {
		return false // time-outs wake us
	}
	stranger := m.table.at(to.Addr) == nil
	wait := m.bytes.wait(queryBytes, now)
	if stranger {
		wait = max(wait, m.strangers.wait(1, now))
	}
	if wait > 0 {
		m.blocked = earlier(m.blocked, now.Add(wait))
		return false
	}
	if stranger {
		m.strangers.take(1, now)
	}
	return true
}

// queryBytes is more than a query of ours needs.
const queryBytes = 200

func (m *member) ping(node krpc.Node, now time.Time) bool {
	return m.queries.asking(node) || m.ask(node, nil, krpc.Message{Method: krpc.Ping}, now)
}

// expire deals with the queries that were not answered in time.
func (m *member) expire(now time.Time) {
	for len(m.queries.list) > 0 && now.Sub(m.queries.list[0].sent) >= timeout {
		q := m.queries.list[0]
		m.queries.list = slices.Delete(m.queries.list, 0, 1)
		m.table.failed(q.to)
		if q.lookup != nil {
			q.lookup.fail(q.to, q.late)
		}
		if q.probe != nil {
			m.probed(q, nil, now)
		}
	}
	for i := range m.queries.list {
		q := &m.queries.list[i]
		if now.Sub(q.sent) < shortTimeout {
			break
		}
		if at := q.givenUp(); !at.IsZero() && !at.After(now) {
			q.silent = true
			q.lookup.giveUp(q.to)
		}
		if q.late {
			continue
		}
		q.late = true
		if q.lookup != nil {
			q.lookup.tardy(q.to)
			if m.table.alive() == 0 {
				q.lookup.repeat(q.to)
			}
		}
	}
}

// answered takes a reply or an error that answers a query.
func (m *member) answered(q query, r *krpc.Message, now time.Time) {
	node := krpc.Node{ID: r.ID, Addr: q.to.Addr}
	if r.External.IsValid() {
		m.seenAs(q.to.Addr, r.External, now)
	}
	if q.probe != nil {
		m.probed(q, r, now)
	}
	switch {
	case r.Kind == krpc.Error:
		if q.lookup != nil {
			q.lookup.fail(q.to, q.late)
		}
		return
	case node.ID == krpc.ID{}, node.ID == m.table.self, q.to.ID != krpc.ID{} && q.to.ID != node.ID:
		// It is ourselves, or not the node that we were told: whoever changes ids
		// is not believed.
		m.table.remove(q.to)
		if q.lookup != nil {
			q.lookup.fail(q.to, q.late)
		}
		return
	}
	if !r.ReadOnly {
		m.table.answered(node, now.Sub(q.sent), now)
	}
	if l := q.lookup; l != nil && !l.ended {
		l.patience = max(l.patience, patience, 2*now.Sub(q.sent))
		m.learn(l, q, node, r)
	}
}

// learn takes for a lookup what a node has told.
func (m *member) learn(l *lookup, q query, node krpc.Node, r *krpc.Message) {
	if !l.answer(q.to, node, r.Token, q.late) {
		return
	}
	told, others := r.Nodes, r.Nodes6
	if m.Family == messages.IPv6 {
		told, others = others, told
	}
	told = told[:min(len(told), 2*bucketSize)]
	fit := 0
	for _, n := range told {
		if kindOf(n) == fitting {
			fit++
		}
		if messages.MayTell(node.Addr.Addr(), n.Addr.Addr()) && n.ID != (krpc.ID{}) && n.ID != m.table.self && !m.isUs(n.Addr) {
			l.add(n)
		}
	}
	for _, n := range others[:min(len(others), 2*bucketSize)] {
		if s := m.sibling(); s != nil && !messages.IsLocal(n.Addr.Addr()) && messages.MayTell(n.Addr.Addr(), n.Addr.Addr()) {
			m.out.Send(s, &messages.AddNode{Addr: n.Addr})
		}
	}
	if q.method != krpc.GetPeers {
		return
	}
	if l.inquiry != nil {
		l.inquiry.heard(r)
	}
	switch {
	case len(told) == 0 && len(r.Values) > 0:
		l.askAgain(node, unnamed)
	case kindOf(node) == fitting && 2*fit < len(told):
		l.askAgain(node, aside)
	}
	var peers []netip.AddrPort
	for _, p := range r.Values {
		if messages.MayTell(node.Addr.Addr(), p.Addr()) && !(l.search != nil && p.Port() == l.search.port && m.isHere(p.Addr())) {
			peers = append(peers, p)
		}
	}
	m.found(l, peers)
}

// sibling is the DHT of the other address family, nil if there is none.
func (m *member) sibling() address {
	return m.Refs.DHT[1-m.Family]
}
