package trackerserver

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

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

// Two tables with one history draw the same peers, also after half of these
// have expired.
func TestExpiryLeavesTheSameOrder(t *testing.T) {
	play := func() []announce.Peer {
		table, rnd := NewTable(Limits{Interval: time.Minute}), newRand()
		for round := range 2 {
			for id := range byte(40) {
				if round == 0 || id%2 == 0 {
					host := netip.AddrFrom4([4]byte{198, 51, 100, id})
					table.Announce(from(id, 1), host, start.Add(time.Duration(round)*90*time.Second), rnd)
				}
			}
		}
		table.Expire(start.Add(150 * time.Second))
		return table.Announce(from(99, 1), public, start.Add(150*time.Second), rnd).Peers
	}
	first := play()
	if len(first) != 20 {
		t.Fatalf("%d peers", len(first))
	}
	if diff := gocmp.Diff(first, play(), gocmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}
