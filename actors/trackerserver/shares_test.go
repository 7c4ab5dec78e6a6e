package trackerserver

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

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
