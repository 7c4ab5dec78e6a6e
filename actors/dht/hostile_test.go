package dht

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// alone is a node that has asked the given one, and what it has sent.
func alone(t testing.TB, cfg Config) (*member, func() []messages.Datagram) {
	cfg.AtOnce, cfg.Nodes = true, []netip.AddrPort{host(1)}
	m := newMember(cfg, rand.New(rand.NewPCG(1, 1)))
	m.bound(host(0))
	return m, func() []messages.Datagram {
		m.proceed(start)
		return m.take().datagrams
	}
}

func parse(t testing.TB, d messages.Datagram) krpc.Message {
	t.Helper()
	m, err := krpc.Parse(d.Data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer is a reply to a query from a node with an id.
func answer(q krpc.Message, id byte, nodes ...krpc.Node) []byte {
	r := krpc.Message{Kind: krpc.Reply, Transaction: q.Transaction, ID: krpc.ID{id}, Nodes: nodes}
	return r.Append(nil)
}

func (m *member) known() int {
	n, _ := m.table.count(start)
	return n
}

func TestRepliesThatNobodyAskedForAreIgnored(t *testing.T) {
	m, sent := alone(t, Config{})
	out := sent()
	if len(out) != 1 || out[0].Addr != host(1) {
		t.Fatalf("%v is sent", out)
	}
	q := parse(t, out[0])
	m.received(host(2), answer(q, 2), start) // of another host
	m.received(netip.AddrPortFrom(host(1).Addr(), 1), answer(q, 2), start)
	other := q
	other.Transaction = []byte("aaaa")
	m.received(host(1), answer(other, 2), start)
	if m.known() != 0 {
		t.Fatal("it is believed")
	}
	m.received(host(1), answer(q, 2), start)
	m.received(host(1), answer(q, 3), start)
	if m.known() != 1 || m.table.find(krpc.Node{ID: krpc.ID{2}, Addr: host(1)}) == nil {
		t.Error("who was asked is not believed, or twice")
	}
}

func TestWhoHasAnotherIDThanWasToldIsDropped(t *testing.T) {
	m, sent := alone(t, Config{})
	m.received(host(1), answer(parse(t, sent()[0]), 2, krpc.Node{ID: krpc.ID{9}, Addr: host(3)}), start)
	out := sent()
	if len(out) != 1 || out[0].Addr != host(3) {
		t.Fatalf("%v is sent", out)
	}
	m.received(host(3), answer(parse(t, out[0]), 8, krpc.Node{ID: krpc.ID{7}, Addr: host(4)}), start)
	if m.known() != 1 {
		t.Error("it enters")
	}
	if out := sent(); len(out) != 0 {
		t.Errorf("what it told is asked: %v", out)
	}
}

func TestWhoAnswersNobodyDoesNotEnter(t *testing.T) {
	m, sent := alone(t, Config{})
	q := parse(t, sent()[0])
	r := krpc.Message{Kind: krpc.Reply, Transaction: q.Transaction, ID: krpc.ID{2}, ReadOnly: true}
	m.received(host(1), r.Append(nil), start)
	query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, Transaction: []byte("q"), ID: krpc.ID{3}, ReadOnly: true}
	m.received(host(2), query.Append(nil), start)
	if out := sent(); len(out) != 1 || out[0].Addr != host(2) || parse(t, out[0]).Kind != krpc.Reply {
		t.Errorf("%v is sent", out)
	}
	if m.known() != 0 {
		t.Error("a read-only node enters")
	}
}

func TestReadOnlyWeAnswerNobody(t *testing.T) {
	m, sent := alone(t, Config{ReadOnly: true})
	if q := parse(t, sent()[0]); !q.ReadOnly {
		t.Error("we do not say so")
	}
	query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, Transaction: []byte("q"), ID: krpc.ID{3}}
	m.received(host(2), query.Append(nil), start)
	if out := sent(); len(out) != 0 {
		t.Errorf("%v is sent", out)
	}
}

// ask sends a query from a host, and returns what it is answered.
func ask(t *testing.T, m *member, from netip.AddrPort, q krpc.Message) krpc.Message {
	t.Helper()
	q.Kind, q.Transaction, q.ID = krpc.Query, []byte("q"), krpc.ID{200, byte(from.Port())}
	m.received(from, q.Append(nil), start)
	for _, d := range m.take().datagrams {
		if r := parse(t, d); d.Addr == from && r.Kind != krpc.Query {
			if string(r.Transaction) != "q" {
				t.Errorf("the answer has transaction %q", r.Transaction)
			}
			return r
		}
	}
	return krpc.Message{}
}

func TestAnswers(t *testing.T) {
	m, _ := alone(t, Config{})
	hash := krpc.ID{5}
	a, b := host(10), host(11)
	token := ask(t, m, a, krpc.Message{Method: krpc.GetPeers, Target: hash}).Token
	announce := krpc.Message{Method: krpc.AnnouncePeer, Target: hash, Port: 4000, Token: token}
	if r := ask(t, m, b, announce); r.Kind != krpc.Error || r.Code != krpc.ProtocolError || len(m.stored.torrents) != 0 {
		t.Errorf("with another's token: %+v", r)
	}
	m.search(&messages.SearchPeers{InfoHash: metainfo.Hash(hash), Torrent: actor.NewPID("here", "torrent")}, start)
	if r := ask(t, m, a, announce); r.Kind != krpc.Reply {
		t.Errorf("an announce: %+v", r)
	}
	told := 0
	m.out.Flush(func(_ *actor.PID, what any) {
		if found, is := what.(*messages.PeersFound); is && found.Addrs[0].Addr.Addr() == a.Addr() {
			told++
		}
	})
	if told != 1 {
		t.Error("our torrent is not told of a peer that was announced to us")
	}
	r := ask(t, m, b, krpc.Message{Method: krpc.GetPeers, Target: hash, Scrape: true})
	if want := netip.AddrPortFrom(a.Addr(), 4000); len(r.Values) != 1 || r.Values[0] != want || r.Peers == nil || r.Seeds == nil || r.External != b {
		t.Errorf("get_peers: %+v", r)
	}
	announce.Implied, announce.Seed = true, true
	ask(t, m, a, announce)
	if r := ask(t, m, b, krpc.Message{Method: krpc.GetPeers, Target: hash, NoSeeds: true}); len(r.Values) != 1 {
		t.Errorf("without seeds: %+v", r)
	}
	if r := ask(t, m, b, krpc.Message{Method: krpc.Sample}); !r.Sampled || len(r.Samples) != 1 || r.Stored != 1 {
		t.Errorf("samples: %+v", r)
	}
	if r := ask(t, m, b, krpc.Message{Method: "vote"}); r.Code != krpc.UnknownMethod {
		t.Errorf("an unknown query: %+v", r)
	}
	m.received(b, []byte("d1:ade1:q4:ping1:t1:q1:y1:qe"), start)
	if out := m.take().datagrams; len(out) != 1 || parse(t, out[0]).Code != krpc.ProtocolError {
		t.Errorf("a query without an id: %v", out)
	}
	m.table.answered(krpc.Node{ID: krpc.ID{1}, Addr: host(20)}, 0, start)
	if r := ask(t, m, b, krpc.Message{Method: krpc.FindNode, Want: krpc.N6}); len(r.Nodes) != 0 {
		t.Error("nodes of a family that is not wanted")
	}
	if r := ask(t, m, b, krpc.Message{Method: krpc.FindNode, Want: krpc.N4}); len(r.Nodes) != 1 {
		t.Error("no nodes of the family that is wanted")
	}
}

func TestWeSendNoMoreThanWeMay(t *testing.T) {
	m, sent := alone(t, Config{})
	sent()
	bytes := 0
	for i := range 10_000 { // each of another host
		q := krpc.Message{Kind: krpc.Query, Method: krpc.GetPeers, Transaction: []byte("q"), ID: krpc.ID{1, byte(i >> 8), byte(i)}}
		m.received(host(100+i), q.Append(nil), start)
		for _, d := range m.take().datagrams {
			bytes += len(d.Data)
		}
	}
	if bytes > bytesBurst {
		t.Errorf("%d bytes at once", bytes)
	}
	if n := len(m.queries.list); n > newBurst || n > maxQueries {
		t.Errorf("%d strangers are asked at once", n)
	}
}

// In an outage what is known stays, and little is sent; afterwards a torrent
// finds its peers again.
func TestAfterAnOutage(t *testing.T) {
	u := village(t, 30)
	lost := u.delay
	m := u.order[20]
	hash := krpc.ID{1, 2, 3}
	u.want(u.order[0], hash, 4000)
	u.run(time.Minute)
	sent := 0
	u.delay = func(from, to netip.AddrPort) time.Duration {
		switch {
		case from == m.addr:
			sent++
			fallthrough
		case to == m.addr:
			return -1
		}
		return lost(from, to)
	}
	u.run(3 * time.Hour)
	if known := m.known(); known == 0 || sent > 3000 {
		t.Errorf("%d nodes are known, %d datagrams were sent", known, sent)
	}
	u.delay = lost
	u.run(15 * time.Minute)
	if _, good := m.table.count(u.now); good < 8 {
		t.Errorf("%d good nodes after the outage", good)
	}
	torrent := u.want(m, hash, 0)
	u.run(time.Minute)
	if len(u.peers[torrent]) == 0 {
		t.Error("it finds nobody")
	}
}

// A network of few nodes is at rest.
func TestAtRestLittleIsDone(t *testing.T) {
	u := village(t, 5)
	before, wakes := u.sent, u.wakes
	u.run(time.Hour)
	// Each sends 4 nodes a ping in 14 minutes, and looks for itself in 15.
	if sent := u.sent - before; sent > 5*60*8 {
		t.Errorf("%d datagrams and timers in an hour", sent)
	}
	if n := u.wakes - wakes; n > 5*60*3 {
		t.Errorf("%d timers in an hour", n)
	}
}

// Nodes that lie near to a hash, all at one address, do not keep a lookup from
// the peers.
func TestOneAddressWithManyIDsIsOneNode(t *testing.T) {
	u := village(t, 60)
	hash := krpc.ID{1, 2, 3}
	u.want(u.order[0], hash, 4000)
	u.run(time.Minute)
	liar := netip.MustParseAddrPort("90.1.1.1:1")
	near := func(i int) krpc.Node {
		id := hash
		id[19] = byte(i)
		return krpc.Node{ID: id, Addr: netip.AddrPortFrom(liar.Addr(), uint16(1+i))}
	}
	searcher := u.order[30]
	for _, m := range u.order { // all have been led to believe in the liar
		m.table.answered(near(1), 0, u.now)
	}
	asked := 0
	before := u.delay
	u.delay = func(from, to netip.AddrPort) time.Duration {
		if to.Addr() == liar.Addr() && from == searcher.addr {
			asked++
		}
		return before(from, to)
	}
	torrent := u.want(searcher, hash, 0)
	u.run(time.Minute)
	if len(u.peers[torrent]) == 0 || asked > 3 {
		t.Errorf("found %v, and the liar is asked %d times", u.peers[torrent], asked)
	}
}

// Whoever fits and names only nodes that do not is asked once more, for an id
// nearer to the target than its own, and announced to with the token of its
// first answer, whether it answers again or not.
func TestWhoNamesWhatDoesNotFitIsAskedAside(t *testing.T) {
	m, _ := alone(t, Config{})
	r := rand.New(rand.NewPCG(2, 2))
	hash := krpc.ID{5}
	node := krpc.Node{ID: newID(r, host(1).Addr()), Addr: host(1)}
	m.boot.begun = true
	m.table.answered(node, 0, start)
	m.search(&messages.SearchPeers{InfoHash: metainfo.Hash(hash), Torrent: actor.NewPID("here", "torrent"), Port: 4000}, start)
	m.proceed(start)
	q := parse(t, m.take().datagrams[0])
	reply := krpc.Message{Kind: krpc.Reply, Transaction: q.Transaction, ID: node.ID, Token: []byte("token")}
	reply.Nodes = []krpc.Node{{ID: krpc.ID{5, 19: 1}, Addr: host(2)}}
	m.received(host(1), reply.Append(nil), start)
	m.proceed(start)
	aside := 0
	for _, d := range m.take().datagrams {
		if q := parse(t, d); d.Addr == host(1) && q.Method == krpc.FindNode && shared(q.Target, hash) > shared(node.ID, hash) && q.Target != hash {
			aside++
		}
	}
	if aside != 1 {
		t.Fatalf("it is asked aside %d times", aside)
	}
	now := start.Add(2 * timeout)
	m.proceed(now)
	announced := 0
	for _, d := range m.take().datagrams {
		if q := parse(t, d); d.Addr == host(1) && q.Method == krpc.AnnouncePeer && string(q.Token) == "token" {
			announced++
		}
	}
	if announced != 1 {
		t.Errorf("it is announced to %d times", announced)
	}
}

// FuzzReceived: whatever comes, from whom we have asked or from others, is
// survived, and what is answered fits.
func FuzzReceived(f *testing.F) {
	f.Add([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), true)
	f.Add([]byte("d1:rd2:id20:abcdefghij01234567895:nodes26:mnopqrstuvwxyz123456axje.ue1:t4:TTTT1:y1:re"), true)
	f.Add([]byte("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"), false)
	f.Fuzz(func(t *testing.T, raw []byte, asked bool) {
		m, sent := alone(t, Config{})
		out := sent()
		copy(m.queries.list[0].transaction[:], "TTTT")
		from := host(2)
		if asked {
			from = out[0].Addr
		}
		m.received(from, raw, start)
		for _, d := range sent() {
			if len(d.Data) > krpc.MaxSize {
				t.Fatalf("%d bytes are sent", len(d.Data))
			}
		}
		if !asked && m.known() > 0 {
			t.Fatal("who was not asked has entered")
		}
	})
}
