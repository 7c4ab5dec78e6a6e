package lab

import (
	"net/netip"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/krpc"
)

// overheard is what the DHT of one process says and hears at its sockets. It is
// held against the rules of BEP 5 that protect others: only nodes that have
// answered are told and remembered, and only peers that have announced
// themselves with a token of their own. What is said of a time is that at which
// something came, which is before it is handled, so that a process that hangs
// is not blamed.
type overheard struct {
	run      *run
	name     string // of the host
	asked    map[exchange]struct{}
	answered map[krpc.Node]struct{}
	answers  map[netip.AddrPort]struct{} // addresses of those that have answered
	tokens   map[given]time.Duration     // when each was told last
	waiting  [2]map[exchange]question    // questions of others, those of the last minute and of the one before
	turned   time.Duration               // when they last took turns
	stored   map[krpc.ID]map[netip.AddrPort]time.Duration
	peers    int // in stored
	// queried is called with what is asked of others; nil: nobody wants to know.
	queried func(*krpc.Message)
}

// exchange is a query and what answers it.
type exchange struct {
	with        netip.AddrPort
	transaction string
}

// given is a token, and to whom it was given.
type given struct {
	to    netip.Addr
	token string
}

// question is a query of another node to which rules apply.
type question struct {
	method string
	target krpc.ID
	good   bool // of an announce: its token was given to this address, lately
}

// What a node of the DHT remembers and tells at most, and for how long.
const (
	mostNodes       = 128 + 64 + 32 + 16 + 156*8
	mostTorrents    = 2000
	mostOfOneHost   = 5
	mostPeersTold   = 100
	longestToken    = 10 * time.Minute
	longestAnnounce = 45 * time.Minute
	// unanswered is how long a question of others is kept at least.
	unanswered = time.Minute
)

// overhear listens to the DHT of a process that is about to start.
func (r *run) overhear(name string, w *world.World) *overheard {
	o := &overheard{
		run: r, name: name, asked: map[exchange]struct{}{}, answered: map[krpc.Node]struct{}{}, answers: map[netip.AddrPort]struct{}{},
		tokens: map[given]time.Duration{}, stored: map[krpc.ID]map[netip.AddrPort]time.Duration{},
	}
	for i := range o.waiting {
		o.waiting[i] = map[exchange]question{}
	}
	w.Packets = overheardPackets{w.Packets, o}
	return o
}

type overheardPackets struct {
	world.Packets
	by *overheard
}

type overheardSocket struct {
	world.PacketSocket
	by *overheard
}

// Bind implements world.Packets.
func (p overheardPackets) Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (world.PacketSocket, error) {
	socket, err := p.Packets.Bind(addr, func(batch []messages.Datagram) {
		for _, d := range batch {
			p.by.pass(d, false)
		}
		receive(batch)
	}, failed)
	if err != nil {
		return nil, err
	}
	return overheardSocket{socket, p.by}, nil
}

// Send implements world.PacketSocket.
func (s overheardSocket) Send(batch []messages.Datagram) (lost int, err error) {
	for _, d := range batch {
		s.by.pass(d, true)
	}
	return s.PacketSocket.Send(batch)
}

func (o *overheard) blame(format string, args ...any) { o.run.blameHost(o.name, format, args...) }

// pass takes a datagram that leaves or has come.
func (o *overheard) pass(d messages.Datagram, leaves bool) {
	m, err := krpc.Parse(d.Data)
	if err != nil {
		return // it is a tracker's, or refused
	}
	now := o.run.sim.Elapsed()
	if now-o.turned >= unanswered {
		o.turned = now
		o.waiting[1], o.waiting[0] = o.waiting[0], map[exchange]question{}
	}
	if t := o.run.options.tamper; t != nil && t.krpc != nil {
		t.krpc(o, &m, leaves, &now)
	}
	with := exchange{d.Addr, string(m.Transaction)}
	switch {
	case leaves && m.Kind == krpc.Query:
		o.asks(with, &m)
	case leaves && m.Kind == krpc.Reply:
		o.replies(with, &m, now)
	case m.Kind == krpc.Query:
		o.hears(with, &m, now)
	case m.Kind == krpc.Reply:
		if _, is := o.asked[with]; is {
			delete(o.asked, with)
			o.answered[krpc.Node{ID: m.ID, Addr: d.Addr}] = struct{}{}
			o.answers[d.Addr] = struct{}{}
		}
	}
}

// asks takes a query that leaves.
func (o *overheard) asks(with exchange, q *krpc.Message) {
	o.asked[with] = struct{}{}
	if of := o.run.content.torrent; of.Private && q.Target == krpc.ID(of.InfoHash) && q.Method != krpc.FindNode {
		o.blame("it sends %s for a private torrent", q.Method)
	}
	if o.queried != nil {
		o.queried(q)
	}
}

// hears takes a query that has come.
func (o *overheard) hears(with exchange, q *krpc.Message, now time.Duration) {
	asks := question{method: q.Method, target: q.Target}
	switch q.Method {
	case krpc.GetPeers:
	case krpc.AnnouncePeer:
		if at, is := o.tokens[given{with.with.Addr(), string(q.Token)}]; is && now-at <= longestToken {
			asks.good = true
			port := q.Port
			if q.Implied {
				port = with.with.Port()
			}
			o.announced(q.Target, netip.AddrPortFrom(with.with.Addr(), port), now)
		}
	default:
		return
	}
	o.waiting[0][with] = asks
}

func (o *overheard) announced(hash krpc.ID, peer netip.AddrPort, now time.Duration) {
	of := o.stored[hash]
	if of == nil {
		of = map[netip.AddrPort]time.Duration{}
		o.stored[hash] = of
	}
	if _, is := of[peer]; !is {
		o.peers++
	}
	of[peer] = now
}

// question takes back what another has asked.
func (o *overheard) question(with exchange) (question, bool) {
	for _, list := range o.waiting {
		if q, is := list[with]; is {
			delete(list, with)
			return q, true
		}
	}
	return question{}, false
}

// replies takes a reply that leaves.
func (o *overheard) replies(with exchange, r *krpc.Message, now time.Duration) {
	for _, node := range r.Nodes {
		if _, is := o.answered[node]; !is {
			o.blame("it tells of a node %v at %v, which has never answered", node.ID, node.Addr)
		}
	}
	if r.Token != nil {
		o.tokens[given{with.with.Addr(), string(r.Token)}] = now
	}
	q, known := o.question(with)
	if known && q.method == krpc.AnnouncePeer && !q.good {
		o.blame("it takes an announce of %v with a token that %v was not given in the last %v", with.with, with.with.Addr(), longestToken)
	}
	if len(r.Values) > mostPeersTold {
		o.blame("it tells %d peers at once", len(r.Values))
	}
	hosts := map[netip.Addr]int{}
	for _, peer := range r.Values {
		if at, is := o.stored[q.target][peer]; known && (!is || now-at > longestAnnounce) {
			o.blame("it tells of a peer at %v, which has not announced itself in the last %v", peer, longestAnnounce)
		}
		if hosts[peer.Addr()]++; hosts[peer.Addr()] > mostOfOneHost {
			o.blame("it tells of more than %d peers at %v", mostOfOneHost, peer.Addr())
		}
	}
}

// report takes what the DHT says of itself.
func (o *overheard) report(m *messages.DHTReport) {
	if m.Family != messages.IPv4 {
		return
	}
	if m.Known > min(mostNodes, len(o.answered)) {
		o.blame("it knows %d nodes, of which %d have ever answered", m.Known, len(o.answered))
	}
	if m.Torrents > min(mostTorrents, len(o.stored)) || m.Peers > o.peers {
		o.blame("it keeps %d torrents with %d peers, and %d with %d were announced", m.Torrents, m.Peers, len(o.stored), o.peers)
	}
	for _, node := range m.Nodes {
		if _, is := o.answers[node]; !is {
			o.blame("it remembers a node at %v, which has never answered", node)
		}
	}
}
