package trackerserver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
	"kouzui/wire/udptracker"
)

var (
	one = netip.MustParseAddrPort("198.51.100.1:5001")
	two = netip.MustParseAddrPort("198.51.100.2:5002")
	six = netip.MustParseAddrPort("[2001:db8::6]:5006")
)

// udpClient is whoever asks a table over UDP.
type udpClient struct {
	t     testing.TB
	table *Table
	key   Key
	now   time.Time
}

func (c *udpClient) ask(from netip.AddrPort, packet []byte) udptracker.Answer {
	c.t.Helper()
	answer, err := udptracker.ParseAnswer(c.table.answerUDP(packet, from, &c.key, c.now, newRand()))
	if err != nil || answer.Transaction != 7 {
		c.t.Fatalf("%+v, %v", answer, err)
	}
	return answer
}

func (c *udpClient) connect(from netip.AddrPort) uint64 {
	c.t.Helper()
	id, err := udptracker.ParseConnected(c.ask(from, udptracker.AppendConnect(nil, 7)).Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (c *udpClient) announce(at netip.AddrPort, r announce.Request) announce.Reply {
	c.t.Helper()
	answer := c.ask(at, udptracker.AppendAnnounce(nil, c.connect(at), 7, r, "/announce"))
	reply, err := udptracker.ParseReply(answer.Body, at.Addr().Is6())
	if answer.Action != udptracker.Announce || err != nil {
		c.t.Fatalf("%+v, %v", answer, err)
	}
	return reply
}

func listed(r announce.Reply) map[string]bool {
	all := map[string]bool{}
	for _, p := range r.Peers {
		all[p.Addr.String()] = true
	}
	return all
}

// Peers are told of peers of their own family: an answer has no room for
// others.
func TestAnnounceAndScrapeOverUDP(t *testing.T) {
	c := &udpClient{t: t, table: NewTable(Limits{}), now: start}
	c.announce(one, from(1, 0))
	c.announce(six, from(6, 1))
	reply := c.announce(two, from(2, 1))
	if diff := cmp.Diff(map[string]bool{"198.51.100.1:1001": true}, listed(reply)); diff != "" {
		t.Error(diff)
	}
	if reply.Seeders != 1 || reply.Leechers != 2 || reply.Interval != DefaultLimits.Interval {
		t.Errorf("%+v", reply)
	}
	if diff := cmp.Diff(map[string]bool{}, listed(c.announce(six, from(6, 1)))); diff != "" {
		t.Error(diff)
	}
	answer := c.ask(one, udptracker.AppendScrape(nil, c.connect(one), 7, []metainfo.Hash{{99}, hash}))
	if diff := cmp.Diff([]announce.Stats{{}, {Seeders: 1, Leechers: 2}}, udptracker.ParseScrape(answer.Body, 2)); diff != "" || answer.Action != udptracker.Scrape {
		t.Error(answer, diff)
	}
	c.table.limits.Only = map[metainfo.Hash]bool{}
	answer = c.ask(one, udptracker.AppendAnnounce(nil, c.connect(one), 7, from(1, 0), ""))
	if answer.Action != udptracker.Failed || udptracker.ParseFailed(answer.Body) != "this torrent is not served here" {
		t.Errorf("%+v", answer)
	}
}

// A connection ID holds for its address, for two to three minutes.
func TestConnectionIDsBelongToTheirAddresses(t *testing.T) {
	c := &udpClient{t: t, table: NewTable(Limits{}), now: start}
	id := c.connect(one)
	refused := func(from netip.AddrPort) bool {
		t.Helper()
		answer := c.ask(from, udptracker.AppendAnnounce(nil, id, 7, from1(), ""))
		return answer.Action == udptracker.Failed
	}
	if refused(one) || refused(netip.AddrPortFrom(one.Addr(), 9)) {
		t.Error("an address is refused with its own ID")
	}
	if !refused(two) {
		t.Error("another address is taken")
	}
	if c.now = start.Add(2 * time.Minute); refused(one) {
		t.Error("after two minutes it is refused")
	}
	if c.now = start.Add(3 * time.Minute); !refused(one) {
		t.Error("after three minutes it is taken")
	}
	if c.now, c.key = start, (Key{1}); !refused(one) {
		t.Error("an ID of another key is taken")
	}
	if c.table.Counts().Peers != 1 {
		t.Error("who was refused is listed")
	}
}

func from1() announce.Request { return from(1, 1) }

// Whoever has not shown that packets reach him there gets no more bytes than he
// has sent: his address may be somebody else's.
func TestNoAnswerIsLongerThanItsRequest(t *testing.T) {
	table := NewTable(Limits{})
	for n := range byte(100) {
		table.Announce(from(n, 0), netip.AddrFrom4([4]byte{203, 0, 113, n}), start, newRand())
	}
	rapid.Check(t, func(t *rapid.T) {
		tail := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "tail")
		id, transaction := rapid.Uint64().Draw(t, "id"), rapid.Uint32().Draw(t, "transaction")
		packet := rapid.SampledFrom([][]byte{
			nil, udptracker.AppendConnect(nil, transaction), udptracker.AppendAnnounce(nil, id, transaction, from1(), "/x"),
			udptracker.AppendScrape(nil, id, transaction, []metainfo.Hash{hash}), udptracker.AppendScrape(nil, id, transaction, nil),
		}).Draw(t, "packet")
		packet = append(packet[:rapid.IntRange(0, len(packet)).Draw(t, "cut")], tail...)
		if answer := table.answerUDP(packet, one, &Key{}, start, newRand()); len(answer) > len(packet) {
			t.Fatalf("%d bytes are answered with %d", len(packet), len(answer))
		}
	})
	if n := table.Counts().Peers; n != 100 {
		t.Errorf("%d peers are listed", n)
	}
}

func TestWhoseOwnAddressIsBelievedOverUDP(t *testing.T) {
	for trusted, want := range map[string]string{"198.51.100.1/32": "192.0.2.9:1001", "192.0.2.0/24": "198.51.100.1:1001"} {
		c := &udpClient{t: t, table: NewTable(Limits{Trusted: []netip.Prefix{netip.MustParsePrefix(trusted)}}), now: start}
		r := from(1, 0)
		r.IP = netip.MustParseAddr("192.0.2.9")
		c.announce(one, r)
		if diff := cmp.Diff(map[string]bool{want: true}, listed(c.announce(two, from(2, 1)))); diff != "" {
			t.Error(diff)
		}
	}
}

// Connection IDs outlive the actor, and a batch that breaks it is given back.
func TestACrashLeavesTheSocketAtWork(t *testing.T) {
	w := fake.New(1)
	root, pid := spawn(t, w.World(), Limits{})
	front, err := ServeUDP(w.World().Packets, netip.MustParseAddrPort("0.0.0.0:6969"), root, pid, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	socket := w.Packets.AwaitSocket()
	ask := func(packet []byte) []byte {
		socket.Arrive(messages.Datagram{Addr: one, Data: []byte("noise")}, messages.Datagram{Addr: one, Data: packet})
		socket.AwaitDone()
		sent := socket.AwaitSent()
		if len(sent) != 1 || sent[0].Addr != one {
			t.Fatalf("%+v", sent)
		}
		return sent[0].Data
	}
	id, _ := udptracker.ParseConnected(ask(udptracker.AppendConnect(nil, 7))[8:])
	root.Send(pid, &QueryCounts{Reply: func(Counts) { panic("broken on purpose") }})
	if a, err := udptracker.ParseAnswer(ask(udptracker.AppendAnnounce(nil, id, 7, from1(), ""))); err != nil || a.Action != udptracker.Announce {
		t.Errorf("%+v, %v", a, err)
	}
}

// BenchmarkAnswerUDP is a regular announce in a swarm of 1,000 peers.
func BenchmarkAnswerUDP(b *testing.B) {
	c := &udpClient{t: b, table: NewTable(Limits{HostPeers: 1000}), now: start}
	rnd := newRand()
	for n := range 1000 {
		r := from(byte(n), 1)
		r.PeerID[1], r.Port = byte(n>>8), 6881
		c.table.Announce(r, netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), start, rnd)
	}
	packet := udptracker.AppendAnnounce(nil, c.connect(one), 7, from1(), "/announce")
	b.ReportAllocs()
	for b.Loop() {
		if answer := c.table.answerUDP(packet, one, &c.key, start, rnd); len(answer) < 200 {
			b.Fatal(len(answer))
		}
	}
}
