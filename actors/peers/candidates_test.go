package peers

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/extended"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func addrOf(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(n >> 8), byte(n)}), 6881)
}

func TestTheUsersOwnPeersComeFirst(t *testing.T) {
	c := newCandidates(DefaultMax, messages.AllowEncryption)
	for i := range 50 {
		c.add(messages.PeerAddr{Addr: addrOf(i)})
	}
	own := addrOf(7)
	c.add(messages.PeerAddr{Addr: own, Source: messages.Manual})
	if best, _ := c.next(start, seeded()); best.addr != own {
		t.Errorf("picked %v", best.addr)
	}
}

func TestAFailureWaitsLongerEachTime(t *testing.T) {
	c := newCandidates(DefaultMax, messages.AllowEncryption)
	c.add(messages.PeerAddr{Addr: addrOf(1)})
	now, last := start, time.Duration(0)
	for range 12 {
		c.dialled(addrOf(1), now)
		if best, due := c.next(now, seeded()); best != nil || !due.IsZero() {
			t.Fatal("a busy address is offered")
		}
		c.gone(addrOf(1), messages.GoneDial, now, seeded())
		best, due := c.next(now, seeded())
		wait := due.Sub(now)
		if best != nil || wait < 4*time.Second || wait > 5*time.Minute || wait < last*7/10 {
			t.Fatalf("after %v: %v", last, wait)
		}
		now, last = due, wait
	}
	c.dialled(addrOf(1), now)
	c.gone(addrOf(1), messages.GoneClosed, now.Add(2*goodConnection), seeded())
	if _, due := c.next(now.Add(2*goodConnection), seeded()); due.Sub(now.Add(2*goodConnection)) > 5*time.Second {
		t.Error("a long connection does not clear the record")
	}
}

// When more pieces are wanted, candidates that we had no use for are dialled at
// once, and no others.
func TestWhatIsWantedAnewMayBeWithThoseWhoWereUseless(t *testing.T) {
	c := newCandidates(DefaultMax, messages.AllowEncryption)
	for i, why := range []messages.GoneReason{messages.GoneUseless, messages.GoneDial} {
		c.add(messages.PeerAddr{Addr: addrOf(i)})
		c.dialled(addrOf(i), start)
		c.gone(addrOf(i), why, start, seeded())
	}
	if best, _ := c.next(start, seeded()); best != nil {
		t.Fatalf("%v is offered at once", best.addr)
	}
	c.retryUseless()
	if best, _ := c.next(start, seeded()); best == nil || best.addr != addrOf(0) {
		t.Fatalf("%v is offered", best)
	}
	c.dialled(addrOf(0), start)
	if best, _ := c.next(start, seeded()); best != nil {
		t.Errorf("%v is offered as well", best.addr)
	}
}

func TestOurselvesAndTheBannedAreNotOffered(t *testing.T) {
	c := newCandidates(DefaultMax, messages.AllowEncryption)
	c.add(messages.PeerAddr{Addr: addrOf(1)})
	c.add(messages.PeerAddr{Addr: addrOf(2)})
	c.gone(addrOf(1), messages.GoneSelf, start, seeded())
	c.gone(addrOf(2), messages.GoneBanned, start, seeded())
	if best, due := c.next(start.Add(time.Hour), seeded()); best != nil || !due.IsZero() {
		t.Errorf("offers %v", best)
	}
}

// However many addresses come, few are kept, and among them those that the user
// gave.
func TestCandidatesAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rnd := newCandidates(DefaultMax, messages.AllowEncryption), seeded()
		own := addrOf(0)
		c.add(messages.PeerAddr{Addr: own, Source: messages.Manual})
		n := 1
		for range rapid.IntRange(1, 30).Draw(t, "rounds") {
			for range rapid.IntRange(1, 200).Draw(t, "new") {
				c.add(messages.PeerAddr{Addr: addrOf(n)})
				n++
			}
			if best, _ := c.next(start, rnd); best != nil && rapid.Bool().Draw(t, "fails") {
				c.dialled(best.addr, start)
				c.gone(best.addr, messages.GoneDial, start, rnd)
			}
			if len(c.all) > maxCandidates {
				t.Fatalf("%d kept", len(c.all))
			}
			if c.all[own] == nil {
				t.Fatal("the user's own is forgotten")
			}
		}
	})
}

// Where there may be thousands of connections, more addresses than that are
// kept.
func TestCandidatesForManyConnections(t *testing.T) {
	c := newCandidates(1500, messages.AllowEncryption)
	for n := range 3100 {
		c.add(messages.PeerAddr{Addr: addrOf(1 + n)})
	}
	if len(c.all) != 3000 {
		t.Errorf("%d kept", len(c.all))
	}
}

func addrFrom(source messages.Source, network byte, n int) messages.PeerAddr {
	return messages.PeerAddr{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, network, byte(n >> 8), byte(n)}), 6881), Source: source}
}

// A source that gives thousands of dead addresses takes no more than every
// other dial from a source that gives few, and displaces none of its addresses.
func TestNoSourceCrowdsOutAnother(t *testing.T) {
	for _, tt := range []struct{ flood, honest messages.Source }{
		{messages.TrackerTier(0), messages.TrackerTier(1)},
		{messages.TrackerTier(1), messages.TrackerTier(0)},
		{messages.Source{Kind: messages.SourcePEX}, messages.TrackerTier(0)},
		{messages.TrackerTier(0), messages.Source{Kind: messages.SourceDHT}},
	} {
		t.Run(tt.flood.String()+" floods "+tt.honest.String(), func(t *testing.T) {
			c, rnd := newCandidates(0, messages.AllowEncryption), seeded()
			for i := range 3 * maxCandidates {
				c.add(addrFrom(tt.flood, 0, i))
			}
			for i := range 100 {
				c.add(addrFrom(tt.honest, 1, i))
			}
			if len(c.all) != maxCandidates {
				t.Fatalf("%d are kept", len(c.all))
			}
			last := messages.Source{Kind: messages.SourceResume}
			for i := range 200 {
				best, _ := c.next(start, rnd)
				if best.source.Source == last {
					t.Fatalf("dial %d is of %v again", i, last)
				}
				last = best.source.Source
				c.dialled(best.addr, start)
				if last == tt.flood {
					c.gone(best.addr, messages.GoneDial, start, rnd)
				}
			}
			dialled := 0
			for _, x := range c.all {
				if x.busy && x.source.Source == tt.honest {
					dialled++
				}
			}
			if dialled != 100 {
				t.Errorf("%d of the 100 are dialled", dialled)
			}
		})
	}
}

// Addresses that the user gave are always kept, and do not keep out those of
// other sources.
func TestManualAddressesNeitherYieldNorCrowdOut(t *testing.T) {
	c := newCandidates(0, messages.AllowEncryption)
	for i := range maxCandidates {
		c.add(addrFrom(messages.TrackerTier(0), 0, i))
	}
	for i := range maxCandidates - 10 {
		c.add(addrFrom(messages.Manual, 1, i))
	}
	c.add(addrFrom(messages.TrackerTier(1), 2, 0))
	counts := map[messages.Source]int{}
	for _, x := range c.list {
		counts[x.source.Source]++
	}
	want := map[messages.Source]int{messages.Manual: maxCandidates - 10, messages.TrackerTier(0): 9, messages.TrackerTier(1): 1}
	if !maps.Equal(counts, want) {
		t.Errorf("%v are kept, want %v", counts, want)
	}
}

func TestNoHostIsDialledAtAllItsPorts(t *testing.T) {
	c := newCandidates(0, messages.AllowEncryption)
	victim := netip.MustParseAddr("192.0.2.1")
	for port := range uint16(1000) {
		c.add(messages.PeerAddr{Addr: netip.AddrPortFrom(victim, port+1)})
	}
	if len(c.all) != maxAtHost {
		t.Errorf("%d ports of one host are kept", len(c.all))
	}
	own := netip.AddrPortFrom(victim, 2000)
	c.add(messages.PeerAddr{Addr: own, Source: messages.Manual})
	if c.all[own] == nil {
		t.Error("the user's own is not kept")
	}
	for addr := range c.all {
		c.forget(addr)
	}
	if len(c.hosts) != 0 {
		t.Errorf("%v", c.hosts)
	}
}

// A peer that was connected once is dialled every minute, however long it is
// away.
func TestWhoLeftIsFoundAgainWithinAMinute(t *testing.T) {
	c, now := newCandidates(0, messages.AllowEncryption), start
	c.add(messages.PeerAddr{Addr: addrOf(1)})
	c.connected(addrOf(1))
	for range 100 {
		c.dialled(addrOf(1), now)
		c.gone(addrOf(1), messages.GoneDial, now, seeded())
		_, due := c.next(now, seeded())
		if wait := due.Sub(now); wait > time.Minute || wait < 4*time.Second {
			t.Fatalf("after %v", wait)
		}
		now = due
	}
}

// When not all can be connected, the one of the highest priority (BEP 40) is
// dialled first, but not before one that has failed less.
func TestPriorityDecidesAmongEqualsIfNotAllFit(t *testing.T) {
	ours := netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		room  int
		known bool
		want  bool
	}{
		"not all fit":              {9, true, true},
		"all fit":                  {10, true, false},
		"our address is not known": {9, false, false},
	} {
		all, rnd := newCandidates(DefaultMax, messages.AllowEncryption), seeded()
		all.room = c.room
		if c.known {
			all.ours[0] = ours
		}
		var first netip.AddrPort
		var highest uint32
		for i := range 11 {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), 6881)
			all.add(messages.PeerAddr{Addr: addr})
			if i == 10 {
				all.all[addr].failures = 1 // it has turned out to be worse
				all.all[addr].busy = c.room == 10
			} else if p := extended.Priority(netip.AddrPortFrom(ours, 0), addr); p > highest {
				first, highest = addr, p
			}
		}
		always := true
		for range 20 {
			best, _ := all.next(start, rnd)
			always = always && best.addr == first
		}
		if always != c.want {
			t.Errorf("%s: the first by priority is always dialled: %v", name, always)
		}
	}
}
