package dht

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/wire/krpc"
)

// A token is good for the address that it was made for, for five to ten
// minutes.
func TestTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tokens := newTokens(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		a, b := host(1).Addr(), host(2).Addr()
		now := start.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "at")) * time.Second)
		token := tokens.token(a, now)
		if tokens.good(token, b, now) || tokens.good(nil, a, now) || !tokens.good(token, a, now) {
			t.Fatal("it is not that of its address")
		}
		age := time.Duration(rapid.IntRange(0, 2000).Draw(t, "age")) * time.Second
		if rapid.Bool().Draw(t, "used between") {
			tokens.token(b, now.Add(age*time.Duration(rapid.IntRange(1, 9).Draw(t, "tenths"))/10))
		}
		switch good := tokens.good(token, a, now.Add(age)); {
		case good && age >= 2*tokenLife:
			t.Fatalf("good after %v", age)
		case !good && age < tokenLife:
			t.Fatalf("bad after %v", age)
		}
	})
}

func TestWhatIsStoredIsBounded(t *testing.T) {
	s := stored{rand: rand.New(rand.NewPCG(1, 1))}
	hash := krpc.ID{1}
	for i := range 2 * maxPeers {
		s.announce(hash, host(i), i%2 == 0, start)
	}
	if n := len(s.torrents[hash]); n != maxPeers {
		t.Errorf("%d peers", n)
	}
	if n := len(s.peers(hash, false, start)); n != replyPeers {
		t.Errorf("%d in a reply", n)
	}
	for i := range 2 * maxTorrents {
		s.announce(krpc.ID{2, byte(i >> 8), byte(i)}, host(i), false, start.Add(time.Duration(i)))
	}
	if n := len(s.torrents); n != maxTorrents {
		t.Errorf("%d torrents", n)
	}
	if len(s.torrents[hash]) != maxPeers {
		t.Error("invented torrents have pushed out one with many peers")
	}
	for i := range 100 {
		s.announce(hash, netip.AddrPortFrom(host(7).Addr(), uint16(i+1)), false, start)
	}
	of := 0
	for _, p := range s.torrents[hash] {
		if p.addr.Addr() == host(7).Addr() {
			of++
		}
	}
	if of > hostPeers {
		t.Errorf("%d of one host", of)
	}
	sum := 0
	for _, list := range s.torrents {
		sum += len(list)
	}
	if sum != s.count {
		t.Errorf("%d peers are counted, there are %d", s.count, sum)
	}
	s.sweep(start.Add(2 * peerLife))
	if len(s.torrents) != 0 || s.count != 0 {
		t.Errorf("%d torrents and %d peers are left after their time", len(s.torrents), s.count)
	}
}

func TestPeersOfATorrent(t *testing.T) {
	s := stored{rand: rand.New(rand.NewPCG(1, 1))}
	hash := krpc.ID{1}
	s.announce(hash, host(1), true, start)
	s.announce(hash, host(2), false, start.Add(time.Minute))
	s.announce(hash, host(1), true, start.Add(2*time.Minute))
	if got := fmt.Sprint(s.peers(hash, false, start)); got != fmt.Sprint([]netip.AddrPort{host(2), host(1)}) {
		t.Errorf("peers %s", got)
	}
	if got := s.peers(hash, true, start); len(got) != 1 || got[0] != host(2) {
		t.Errorf("without seeds %v", got)
	}
	seeds, others := s.filters(hash, start)
	if seeds.Count() < 0.5 || seeds.Count() > 1.5 || others.Count() < 0.5 || others.Count() > 1.5 {
		t.Errorf("%v seeds, %v others", seeds.Count(), others.Count())
	}
	if got := s.peers(hash, false, start.Add(peerLife+time.Minute)); len(got) != 1 || got[0] != host(1) {
		t.Errorf("after its time %v", got)
	}
	if seeds, _ := s.filters(krpc.ID{2}, start); seeds != nil {
		t.Error("filters of an unknown torrent")
	}
	if got, life := s.sample(start); len(got) != 1 || got[0] != hash || life != sampleLife {
		t.Errorf("samples %v for %v", got, life)
	}
	s.announce(krpc.ID{2}, host(1), true, start)
	if got, life := s.sample(start.Add(time.Minute)); len(got) != 1 || life != sampleLife-time.Minute {
		t.Errorf("samples %v for %v", got, life)
	}
	if got, _ := s.sample(start.Add(sampleLife)); len(got) != 2 {
		t.Errorf("samples %v", got)
	}
}

// TestIDsFitAddresses: the vectors of BEP 42.
func TestIDsFitAddresses(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		ip   string
		last byte
		want string
	}{
		{"124.31.75.21", 1, "5fbfb8"}, {"21.75.31.124", 86, "5a3ce8"}, {"65.23.51.170", 22, "a5d430"},
		{"84.124.73.14", 65, "1b0320"}, {"43.213.53.83", 90, "e56f68"},
	} {
		ip := netip.MustParseAddr(c.ip)
		var id krpc.ID
		b, _ := hex.DecodeString(c.want)
		copy(id[:], b)
		id[19] = c.last
		if !idFits(id, ip) {
			t.Errorf("%s does not fit %s", c.want, c.ip)
		}
		id[2] ^= 8
		if idFits(id, ip) {
			t.Errorf("another fits %s", c.ip)
		}
		if id := newID(r, ip); !idFits(id, ip) {
			t.Errorf("a new one %v does not fit %s", id, c.ip)
		}
	}
	if ip := netip.MustParseAddr("2001:db8::1"); !idFits(newID(r, ip), ip) {
		t.Error("a new one does not fit an address of IPv6")
	}
	if !idFits(krpc.ID{}, netip.MustParseAddr("127.0.0.1")) {
		t.Error("not every id fits a local address")
	}
}

func TestAllowance(t *testing.T) {
	a := allowance{rate: 10, burst: 20}
	for i := range 20 {
		if w := a.wait(1, start); w != 0 {
			t.Fatalf("the %d-th waits %v", i, w)
		}
		a.take(1, start)
	}
	if w := a.wait(1, start); w != 100*time.Millisecond {
		t.Errorf("then one waits %v", w)
	}
	if w := a.wait(5, start.Add(time.Second)); w != 0 {
		t.Errorf("after a second five wait %v", w)
	}
}

func TestFloods(t *testing.T) {
	var f floods
	a := host(1)
	for i := range floodMessages {
		if f.flooded(a, start.Add(time.Duration(i))) {
			t.Fatalf("message %d is not read", i+1)
		}
	}
	if !f.flooded(a, start.Add(time.Second)) || !f.ignored(netip.AddrPortFrom(a.Addr(), 1), start.Add(floodPause)) {
		t.Error("a flood is read, or one from another port of the host")
	}
	if f.ignored(a, start.Add(time.Second+floodPause)) || f.flooded(a, start.Add(time.Second+floodPause)) {
		t.Error("it is not read after the pause")
	}
	for i := range 10 * floodMessages { // slowly
		if f.flooded(host(2), start.Add(time.Duration(i)*time.Second)) {
			t.Fatal("what comes slowly is not read")
		}
	}
	later := start.Add(time.Hour)
	for range floodMessages + 1 {
		f.flooded(a, later)
	}
	for i := range 1000 {
		f.flooded(host(100+i), later.Add(time.Duration(i)))
	}
	if len(f.senders) > floodSenders || !f.ignored(a, later.Add(time.Second)) {
		t.Errorf("%d senders are counted, or a flood is forgotten", len(f.senders))
	}
}
