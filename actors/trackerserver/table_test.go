package trackerserver

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

var (
	start  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	public = netip.MustParseAddr("198.51.100.7")
	hash   = metainfo.Hash{1}
)

func from(id byte, left int64) announce.Request {
	return announce.Request{InfoHash: hash, PeerID: [20]byte{id}, Port: 1000 + uint16(id), Left: left, NumWant: -1}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// ports counts the peers of a reply by their ports, each of which the tests use
// for one peer.
func ports(r announce.Reply) map[uint16]int {
	got := map[uint16]int{}
	for _, p := range r.Peers {
		got[p.Addr.Port()]++
	}
	return got
}

func TestPeersComeAndGo(t *testing.T) {
	table, rnd, now := NewTable(Limits{Interval: time.Minute}), newRand(), start
	event := func(r announce.Request, e announce.Event) announce.Request { r.Event = e; return r }
	for i, step := range []struct {
		request           announce.Request
		after             time.Duration
		seeders, leechers int
		peers             map[uint16]int
	}{
		{event(from(1, 10), announce.Started), 0, 0, 1, map[uint16]int{}},
		{event(from(2, 10), announce.Started), 0, 0, 2, map[uint16]int{1001: 1}},
		{event(from(3, 0), announce.Started), 0, 1, 2, map[uint16]int{1001: 1, 1002: 1}},
		{from(1, 5), 100 * time.Second, 1, 2, map[uint16]int{1002: 1, 1003: 1}},
		{event(from(1, 0), announce.Completed), 0, 2, 1, map[uint16]int{1002: 1}}, // no seeds to a seed
		{event(from(1, 0), announce.Completed), 0, 2, 1, map[uint16]int{1002: 1}},
		{from(1, 0), 21 * time.Second, 1, 0, map[uint16]int{}}, // the others have expired
		{event(from(9, 0), announce.Stopped), 0, 1, 0, map[uint16]int{}},
		{from(4, 1), 0, 1, 1, map[uint16]int{1001: 1}},
		{event(from(1, 0), announce.Stopped), 0, 0, 1, map[uint16]int{}},
		{event(from(4, 1), announce.Stopped), 0, 0, 0, map[uint16]int{}},
	} {
		now = now.Add(step.after)
		table.Expire(now)
		r := table.Announce(step.request, public, now, rnd)
		if r.Failure != "" || r.Seeders != step.seeders || r.Leechers != step.leechers {
			t.Errorf("step %d: %+v", i, r)
		}
		if diff := gocmp.Diff(step.peers, ports(r)); diff != "" {
			t.Errorf("step %d: peers %s", i, diff)
		}
		if r.Interval != time.Minute || r.MinInterval != time.Minute/2 {
			t.Errorf("step %d: intervals %v, %v", i, r.Interval, r.MinInterval)
		}
	}
	if len(table.swarms) != 0 {
		t.Error("an empty swarm stays")
	}
}

func TestScrape(t *testing.T) {
	table, rnd := NewTable(Limits{}), newRand()
	done := from(1, 0)
	done.Event = announce.Completed
	for range 3 { // counts once
		table.Announce(done, public, start, rnd)
	}
	table.Announce(from(2, 1), public, start, rnd)
	want := map[metainfo.Hash]announce.Stats{hash: {Seeders: 1, Leechers: 1, Completed: 1}}
	for _, ask := range [][]metainfo.Hash{nil, {hash}, {hash, {9}}} {
		got, err := table.Scrape(ask)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for i := range maxScrape {
		other := from(1, 0)
		other.InfoHash = metainfo.Hash{2, byte(i)}
		table.Announce(other, public, start, rnd)
	}
	if _, err := table.Scrape(nil); err == nil {
		t.Error("a scrape lists all of too many torrents")
	}
}

func TestLimits(t *testing.T) {
	rnd := newRand()
	table := NewTable(Limits{Torrents: 1, Peers: 2, Only: map[metainfo.Hash]bool{hash: true, {2}: true}})
	other, unknown := from(1, 0), from(1, 0)
	other.InfoHash, unknown.InfoHash = metainfo.Hash{2}, metainfo.Hash{3}
	for id := byte(1); id <= 2; id++ {
		table.Announce(from(id, 1), public, start, rnd)
	}
	r := table.Announce(from(3, 1), public, start, rnd)
	if len(r.Peers) != 1 || r.Leechers != 2 || ports(r)[1002] != 1 {
		t.Errorf("a third peer gets %+v", r)
	}
	if r := table.Announce(other, public, start, rnd); r.Failure != "" || r.Seeders != 1 {
		t.Errorf("a second torrent gets %+v", r)
	}
	if r := table.Announce(unknown, public, start, rnd); r.Failure == "" {
		t.Error("a torrent that is not served is")
	}
	if len(table.swarms) != 1 {
		t.Errorf("%d swarms", len(table.swarms))
	}
}

func TestHowManyPeers(t *testing.T) {
	table, rnd := NewTable(Limits{}), newRand()
	given := map[uint16]int{}
	for i := range 400 {
		r := from(0, 1)
		r.PeerID, r.Port = [20]byte{byte(i), byte(i >> 8)}, 2000+uint16(i)
		table.Announce(r, host(i), start, rnd)
	}
	for want, n := range map[int]int{-1: 50, 0: 0, 1: 1, 199: 199, 200: 200, 1 << 30: 200} {
		r := from(0, 1)
		r.NumWant = want
		reply := table.Announce(r, host(0), start, rnd)
		if len(ports(reply)) != n {
			t.Errorf("who wants %d gets %d different peers, want %d", want, len(ports(reply)), n)
		}
	}
	for range 400 {
		for port, n := range ports(table.Announce(from(0, 1), host(0), start, rnd)) {
			given[port] += n
		}
	}
	// Of 399 peers beside the asking one, 400 replies draw 50 each.
	for port, n := range given {
		if n < 15 || n > 100 {
			t.Errorf("peer %d was given %d times of about 50", port, n)
		}
	}
	if len(given) != 399 {
		t.Errorf("%d peers were ever given, want 399", len(given))
	}
}

// Nobody is believed to have another address than the one that the tracker
// sees, unless the user says whom to believe.
func TestWhoseOwnAddressIsBelieved(t *testing.T) {
	own, own6 := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::5")
	limits := Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")}}
	for remote, trusted := range map[string]bool{
		"10.1.2.3": true, "fd00::1": true, "::ffff:10.0.0.1": true,
		"127.0.0.1": false, "192.168.0.1": false, "::1": false, "198.51.100.1": false, "2001:db8::1": false, "::ffff:198.51.100.1": false,
	} {
		addr := netip.MustParseAddr(remote)
		want, want6 := addr.Unmap(), addr.Unmap()
		if trusted {
			want, want6 = own, own6
		}
		if got := limits.address(announce.Request{IP: own, IPv6: own6}, addr); got != want {
			t.Errorf("from %s: %v, want %v", remote, got, want)
		}
		if got := limits.address(announce.Request{IPv6: own6}, addr); got != want6 {
			t.Errorf("from %s: %v, want %v", remote, got, want6)
		}
		if got := limits.address(announce.Request{IP: netip.IPv4Unspecified()}, addr); got != addr.Unmap() {
			t.Errorf("from %s: %v", remote, got)
		}
		if got := (&Limits{}).address(announce.Request{IP: own}, addr); got != addr.Unmap() {
			t.Errorf("from %s, by default: %v", remote, got)
		}
	}
}

// X-Forwarded-For counts as far as trusted proxies have written it.
func TestForWhomAProxyAsks(t *testing.T) {
	limits := Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"127.0.0.1", "203.0.113.5", "203.0.113.5"},
		{"127.0.0.1", "192.0.2.66, 203.0.113.5", "203.0.113.5"}, // the first one is the client's own word
		{"127.0.0.1", "192.0.2.66, 203.0.113.5,10.0.0.2", "203.0.113.5"},
		{"::ffff:127.0.0.1", "[2001:db8::5]:443", "2001:db8::5"},
		{"127.0.0.1", "203.0.113.5:77", "203.0.113.5"},
		{"127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"},
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "203.0.113.5, unknown", "127.0.0.1"},
		{"127.0.0.1", "10.0.0.7", "10.0.0.7"},
		{"198.51.100.7", "203.0.113.5", "198.51.100.7"},
		{"192.168.1.1", "203.0.113.5", "192.168.1.1"},
	} {
		if got := limits.source(netip.MustParseAddr(c.remote), c.forwarded); got.String() != c.want {
			t.Errorf("%s for %q: %v, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

// host is the n-th of many hosts.
func host(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{100, byte(n >> 16), byte(n >> 8), byte(n)})
}

// numbered is an announce of the n-th peer.
func numbered(n int) announce.Request {
	r := from(0, 1)
	r.Port = 2000
	binary.BigEndian.PutUint32(r.PeerID[:], uint32(n))
	return r
}

// 12,000 torrents that one host invents fill the table for nobody.
func TestInventedTorrentsMakeRoom(t *testing.T) {
	table, rnd, now := NewTable(Limits{}), newRand(), start
	say := func(torrent int, from netip.Addr) announce.Reply {
		r := numbered(1)
		binary.BigEndian.PutUint32(r.InfoHash[:], uint32(torrent))
		now = now.Add(time.Millisecond)
		return table.Announce(r, from, now, rnd)
	}
	say(1<<30, host(1)) // of two hosts, before the flood
	say(1<<30, host(2))
	say(1<<30+1, host(3)) // of one
	for i := range 12_000 {
		say(i, public)
	}
	if r := say(1<<30+2, host(4)); r.Failure != "" {
		t.Errorf("an honest torrent after the flood: %+v", r)
	}
	for i := range 12_000 {
		say(i, public)
	}
	for torrent, leechers := range map[int]int{1 << 30: 3, 1<<30 + 1: 2, 1<<30 + 2: 2} {
		if r := say(torrent, host(9)); r.Leechers != leechers {
			t.Errorf("torrent %x after the flood: %d leechers, want %d", torrent, r.Leechers, leechers)
		}
	}
	if n := len(table.swarms); n != DefaultLimits.Torrents {
		t.Errorf("%d torrents", n)
	}
}

// 5,600 ids that one host invents hide nobody.
func TestInventedPeersHideNobody(t *testing.T) {
	table, rnd := NewTable(Limits{}), newRand()
	honest := from(9, 0)
	table.Announce(honest, host(1), start, rnd)
	six := netip.MustParseAddr("2001:db8::1")
	for i := range 5_600 {
		at := public
		if i%2 == 0 { // of a /64 of IPv6, an address each
			b := six.As16()
			binary.BigEndian.PutUint32(b[12:], uint32(i))
			at = netip.AddrFrom16(b)
		}
		table.Announce(numbered(i), at, start.Add(time.Duration(i)), rnd)
	}
	for range 100 {
		reply := table.Announce(from(8, 1), host(2), start.Add(time.Hour), rnd)
		if ports(reply)[honest.Port] != 1 || len(reply.Peers) != 50 {
			t.Fatalf("the honest one is not among %d peers", len(reply.Peers))
		}
		if reply.Leechers != 2*DefaultLimits.HostPeers+1 {
			t.Fatalf("%d leechers", reply.Leechers)
		}
	}
}

// A full torrent lists a newcomer: who announced longest ago makes room.
func TestAFullTorrentTakesNewcomers(t *testing.T) {
	table, rnd := NewTable(Limits{Peers: 100}), newRand()
	for i := range 1000 {
		r := table.Announce(numbered(i), host(i), start.Add(time.Duration(i)), rnd)
		if r.Failure != "" || r.Leechers != min(i+1, 100) {
			t.Fatalf("peer %d: %+v", i, r)
		}
		if i%10 == 0 { // one stays, as it keeps announcing
			table.Announce(numbered(0), host(0), start.Add(time.Duration(i)), rnd)
		}
	}
	if s := table.swarms[hash].item; s.index[key{numbered(0).PeerID, host(0).As16()}] == nil {
		t.Error("who announced lately has made room")
	}
}

// All torrents together keep to a total, and the host with the most makes room.
func TestAllPeersAreBounded(t *testing.T) {
	table, rnd, now := NewTable(Limits{AllPeers: 1000}), newRand(), start
	say := func(i int, from netip.Addr) {
		r := numbered(i)
		r.InfoHash = metainfo.Hash{byte(i), byte(i >> 8)}
		now = now.Add(time.Millisecond)
		table.Announce(r, from, now, rnd)
	}
	for i := range 500 {
		say(i, host(i))
	}
	for i := range 5000 {
		say(10_000+i, public)
	}
	for i := 500; i < 600; i++ {
		say(i, host(i))
	}
	if table.peers.total != 1000 || table.peers.holders[public].count != 400 {
		t.Errorf("%d peers, %d of the host with the most", table.peers.total, table.peers.holders[public].count)
	}
	for i := range 600 {
		if h := table.peers.holders[host(i)]; h == nil || h.count != 1 {
			t.Errorf("host %d has made room", i)
		}
	}
}

// A peer counts once as having completed, whatever it does in between, and a
// host as a few peers, whatever ids it invents.
func TestCompletedCountsOnce(t *testing.T) {
	table, rnd := NewTable(Limits{}), newRand()
	say := func(id byte, from_ netip.Addr, e announce.Event) {
		r := from(id, 0)
		r.Event = e
		table.Announce(r, from_, start, rnd)
	}
	count := func(want int) {
		t.Helper()
		if got := table.swarms[hash].item.completed; got != want {
			t.Errorf("%d completed, want %d", got, want)
		}
	}
	say(200, host(1), announce.Started) // so that the torrent stays
	for range 50 {
		say(1, public, announce.Completed)
		say(1, public, announce.Stopped)
	}
	count(1)
	for id := range byte(50) {
		say(id, public, announce.Completed)
	}
	count(finishedOfHost)
	say(100, host(2), announce.Completed)
	count(finishedOfHost + 1)
}

// What is remembered of those who completed is bounded.
func TestFinishedIsBounded(t *testing.T) {
	var f finished
	for i := range 5 * remembered {
		if !f.count(metainfo.Hash{}, host(i), [20]byte{}) {
			t.Fatal("a new one does not count")
		}
	}
	if n := len(f.newer) + len(f.older); n > 2*remembered {
		t.Errorf("%d hosts", n)
	}
	if f.count(metainfo.Hash{}, host(5*remembered-1), [20]byte{}) {
		t.Error("the last one counts twice")
	}
}

// TestWhatAPeerCosts holds the memory of a peer to what the limit of all peers
// is made for.
func TestWhatAPeerCosts(t *testing.T) {
	const peers, most = 100_000, 400 // bytes
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := memory()
	table, rnd := NewTable(Limits{}), newRand()
	for i := range peers {
		r := numbered(i)
		r.NumWant = 0
		r.InfoHash = metainfo.Hash{byte(i / 1000)}
		table.Announce(r, host(i), start, rnd)
	}
	each := (memory() - before) / peers
	t.Logf("%d bytes a peer that is alone behind its address", each)
	if each > most || table.peers.total != peers {
		t.Errorf("%d bytes a peer, want %d at most, for %d peers", each, most, table.peers.total)
	}
	runtime.KeepAlive(table)
}

// Whatever is announced, counts agree with the list, no reply lists the asking
// peer or a peer twice, and a swarm keeps to its limit.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable(Limits{Interval: time.Minute, Torrents: 3, Peers: 5, HostPeers: 3, AllPeers: 8})
		rnd, now := newRand(), time.Unix(0, 0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			r := from(rapid.ByteRange(0, 7).Draw(t, "id"), rapid.Int64Range(0, 1).Draw(t, "left"))
			r.InfoHash[0] = rapid.ByteRange(0, 4).Draw(t, "torrent")
			r.Event = announce.Event(rapid.IntRange(0, 4).Draw(t, "event"))
			r.NumWant = rapid.IntRange(-1, 6).Draw(t, "numwant")
			if rapid.Bool().Draw(t, "expire") {
				table.Expire(now)
			}
			me := host(rapid.IntRange(0, 4).Draw(t, "host"))
			seen := map[netip.AddrPort]bool{netip.AddrPortFrom(me, r.Port): true}
			for _, p := range table.Announce(r, me, now, rnd).Peers {
				if seen[p.Addr] {
					t.Fatalf("peer %v was given again, or to itself", p.Addr)
				}
				seen[p.Addr] = true
			}
			if err := table.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (t *Table) check() error {
	if len(t.swarms) > t.limits.Torrents || t.founded.total != len(t.swarms) {
		return fmt.Errorf("%d torrents, %d of hosts", len(t.swarms), t.founded.total)
	}
	peers := 0
	for _, s := range t.swarms {
		peers += len(s.item.peers)
		if err := s.item.check(t.limits); err != nil {
			return err
		}
	}
	if peers != t.peers.total || peers > t.limits.AllPeers {
		return fmt.Errorf("%d peers in torrents, %d of hosts", peers, t.peers.total)
	}
	return cmp.Or(t.peers.check(), t.founded.check())
}

func (s *shares[T]) check() error {
	total := 0
	for i, h := range s.fullest {
		n := 0
		for e, stamp := h.oldest, int64(math.MinInt64); e != nil; e = e.newer {
			if n++; e.stamp <= stamp || e.holder != h {
				return errors.New("a list is out of order")
			}
			stamp = e.stamp
		}
		if n != int(h.count) || n == 0 || int(h.at) != i || s.holders[h.host] != h || s.fullest.Less(i, 0) {
			return fmt.Errorf("holder %d of %d is wrong", i, len(s.fullest))
		}
		total += n
	}
	if total != s.total || len(s.holders) != len(s.fullest) {
		return fmt.Errorf("%d held, %d counted", total, s.total)
	}
	return nil
}

func (s *swarm) check(l Limits) error {
	seeders, of := 0, map[*holder[peer]]int{}
	for i, p := range s.peers {
		if s.index[p.item.key] != p || int(p.item.at) != i {
			return fmt.Errorf("peer %d is indexed as %d", i, p.item.at)
		}
		if p.item.seed {
			seeders++
		}
		if of[p.holder]++; of[p.holder] > l.HostPeers {
			return errors.New("too many peers of a host")
		}
	}
	if len(s.index) != len(s.peers) || seeders != s.seeders || len(s.peers) == 0 || len(s.peers) > l.Peers {
		return fmt.Errorf("%d peers, %d indexed, %d seeds, %d counted", len(s.peers), len(s.index), seeders, s.seeders)
	}
	return nil
}

// Counts are of what is there now; only announces are never taken back.
func TestCounts(t *testing.T) {
	table, rnd := NewTable(Limits{Only: map[metainfo.Hash]bool{hash: true}}), newRand()
	unknown := from(9, 1)
	unknown.InfoHash = metainfo.Hash{2}
	leaving := from(2, 1)
	leaving.Event = announce.Stopped
	for _, r := range []announce.Request{from(1, 0), from(2, 1), from(2, 1), unknown} {
		table.Announce(r, public, start, rnd)
	}
	if got, want := table.Counts(), (Counts{Torrents: 1, Peers: 2, Seeds: 1, Announces: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	table.Announce(leaving, public, start, rnd)
	if got, want := table.Counts(), (Counts{Torrents: 1, Peers: 1, Seeds: 1, Announces: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
