package peers

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/extended"
)

// introducing is the core of a torrent whose peers may be told of each other.
type introducing struct {
	*connections
	next messages.PeerKey
	told map[messages.PeerKey][]*messages.TellPeers
	due  time.Time // of the next round; the zero time: none is
}

func newIntroducing() *introducing {
	i := &introducing{told: map[messages.PeerKey][]*messages.TellPeers{}}
	i.connections = newConnections(Config{Max: 1000, NextKey: func() messages.PeerKey { i.next++; return i.next }}, seeded(), start)
	i.now = start
	i.setPublicity(&messages.SetPublicity{Exchange: true})
	i.look()
	return i
}

// look does what the shell would do.
func (i *introducing) look() {
	for _, e := range i.out.take() {
		switch e := e.(type) {
		case tell:
			if m, is := e.message.(*messages.TellPeers); is {
				i.told[e.key] = append(i.told[e.key], m)
			}
		case tellAfter:
			i.due = i.now.Add(e.wait)
		}
	}
}

// pass lets time pass.
func (i *introducing) pass(d time.Duration) {
	for until := i.now.Add(d); ; {
		if i.due.IsZero() || i.due.After(until) {
			i.now = until
			return
		}
		i.now, i.due = i.due, time.Time{}
		i.tellPeers()
		i.look()
	}
}

// join connects a peer. One that came in says later where it listens.
func (i *introducing) join(at netip.AddrPort, inbound bool) messages.PeerKey {
	var adopt *messages.AdoptLink
	if inbound {
		adopt = &messages.AdoptLink{}
	}
	i.open(at, messages.Source{}, adopt)
	key := i.next
	i.ready(&messages.PeerReady{Key: key, ID: [20]byte{byte(key), byte(key >> 8)}, Addr: at, Inbound: inbound})
	i.look()
	return key
}

func (i *introducing) introduce(key messages.PeerKey, port uint16, wants bool) {
	i.introduced(&messages.PeerIntroduced{Key: key, Port: port, Exchange: wants})
	i.look()
}

func (i *introducing) leaves(key messages.PeerKey) {
	i.gone(&messages.PeerGone{Key: key, Reason: messages.GoneClosed})
	i.ended(key)
	i.look()
}

func (i *introducing) last(key messages.PeerKey) (added, dropped []netip.AddrPort) {
	all := i.told[key]
	if len(all) == 0 {
		return nil, nil
	}
	m := all[len(all)-1]
	for _, c := range m.Added {
		added = append(added, c.Addr)
	}
	return added, m.Dropped
}

// Peers are told soon of who is there, and a minute or two later of who has
// come and gone: of those whose port is known, and not of themselves.
func TestPeersAreToldOfEachOther(t *testing.T) {
	i := newIntroducing()
	a := i.join(addrOf(1), false)
	b := i.join(netip.AddrPortFrom(addrOf(2).Addr(), 50000), true)
	c := i.join(netip.AddrPortFrom(addrOf(3).Addr(), 50000), true)
	i.introduce(a, 0, true)
	i.introduce(b, 6881, true)
	i.introduce(c, 0, true) // which does not say where it listens
	i.pass(tellRound)
	for key, want := range map[messages.PeerKey][]netip.AddrPort{a: {addrOf(2)}, b: {addrOf(1)}, c: {addrOf(2), addrOf(1)}} {
		if added, dropped := i.last(key); !slices.Equal(added, want) || dropped != nil {
			t.Errorf("peer %d is told of %v, %v", key, added, dropped)
		}
	}
	if flags := i.told[b][0].Added[0].Flags; flags != extended.WasDialled {
		t.Errorf("flags %d", flags)
	}
	i.leaves(b)
	d := i.join(addrOf(4), false)
	e := i.join(addrOf(5), false)
	i.leaves(e) // it was never told of
	i.pass(tellEvery - 2*tellRound)
	if len(i.told[a]) != 1 {
		t.Error("a peer is told twice within a minute")
	}
	i.pass(tellEvery + 2*tellRound)
	if added, dropped := i.last(a); !slices.Equal(added, []netip.AddrPort{addrOf(4)}) || !slices.Equal(dropped, []netip.AddrPort{addrOf(2)}) {
		t.Errorf("then it is told of %v, %v", added, dropped)
	}
	if i.told[d] != nil {
		t.Error("a peer is told that does not want it")
	}
	i.pass(time.Hour)
	if len(i.told[a]) != 2 || !i.due.IsZero() {
		t.Error("peers are told of nothing")
	}
}

// TestPeersAreToldInMomentsOfTheirOwn: peers that came together are told of one
// who comes later over the whole of a minute, whether anybody came in the hour
// before or not, and none of them twice in a minute.
func TestPeersAreToldInMomentsOfTheirOwn(t *testing.T) {
	i := newIntroducing()
	const many = 100
	var keys []messages.PeerKey
	for n := range many {
		keys = append(keys, i.join(addrOf(1+n), false))
		i.introduce(keys[n], 0, true)
	}
	i.pass(2 * tellEvery)
	at, before := map[messages.PeerKey]time.Time{}, map[messages.PeerKey]int{}
	for n, quiet := range []time.Duration{0, 0, time.Hour, 0} {
		i.pass(quiet)
		for _, key := range keys {
			before[key] = len(i.told[key])
		}
		i.join(addrOf(200+n), false)
		parts := map[time.Duration]int{}
		for passed := time.Duration(0); passed < tellEvery+2*tellRound; passed += tellRound {
			i.pass(tellRound)
			for _, key := range keys {
				if len(i.told[key]) == before[key] {
					continue
				}
				if since, is := at[key]; is && i.now.Sub(since) < tellEvery-tellRound {
					t.Errorf("a peer is told after %v", i.now.Sub(since))
				}
				at[key], before[key] = i.now, len(i.told[key])
				parts[passed]++
			}
		}
		told := 0
		for part, count := range parts {
			if told += count; count > many/5 {
				t.Errorf("%d of %d peers are told at once, after %v", count, many, part)
			}
		}
		if told != many {
			t.Errorf("%d of %d peers are told in a minute", told, many)
		}
	}
}

func TestNothingIsToldOfWhatIsNotPublic(t *testing.T) {
	i := newIntroducing()
	a := i.join(addrOf(1), false)
	i.introduce(a, 0, true)
	i.setPublicity(&messages.SetPublicity{})
	i.join(addrOf(2), false)
	i.heard(&messages.PeersHeard{Key: a, Added: []extended.Contact{{Addr: addrOf(3)}}})
	i.pass(time.Hour)
	if len(i.told) > 0 || len(i.candidates.list) > 0 {
		t.Errorf("told %v, candidates %v", i.told, i.candidates.list)
	}
}

// Whatever comes and goes, each peer that adds up what it is told knows in the
// end just who is there; no message is too long, too early, or says of an
// address that it has come and gone.
func TestWhatIsToldAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := newIntroducing()
		watcher := i.join(netip.MustParseAddrPort("127.9.9.9:1"), true)
		i.introduce(watcher, 0, true)
		here := map[netip.AddrPort]messages.PeerKey{}
		many := rapid.IntRange(1, 150).Draw(t, "many")
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			at := addrOf(rapid.IntRange(1, many).Draw(t, "who"))
			if key, is := here[at]; is {
				i.leaves(key)
				delete(here, at)
			} else {
				here[at] = i.join(at, false)
			}
			i.pass(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
		}
		i.pass(10 * tellEvery)
		known := map[netip.AddrPort]bool{}
		for n, m := range i.told[watcher] {
			if len(m.Added) > maxTold || len(m.Dropped) > maxTold {
				t.Fatalf("message %d has %d and %d peers", n, len(m.Added), len(m.Dropped))
			}
			for _, c := range m.Added {
				if slices.Contains(m.Dropped, c.Addr) {
					t.Fatalf("message %d says that %v has come and gone", n, c.Addr)
				}
				known[c.Addr] = true
			}
			for _, addr := range m.Dropped {
				delete(known, addr)
			}
		}
		for at := range here {
			if !known[at] && len(here) <= maxTold {
				t.Errorf("%v is not known", at)
			}
		}
		for at := range known {
			if _, is := here[at]; !is {
				t.Errorf("%v is taken for connected", at)
			}
		}
	})
}

func TestChangesAreBounded(t *testing.T) {
	i := newIntroducing()
	for range 2 * maxChanges {
		i.leaves(i.join(addrOf(1), false))
	}
	if n := len(i.exchange.changes); n > maxChanges {
		t.Errorf("%d changes are remembered", n)
	}
}

// Of addresses that a peer tells, those are taken that may be true.
func TestAddressesThatPeersTellAreBounded(t *testing.T) {
	contacts := func(addrs ...string) (all []extended.Contact) {
		for _, a := range addrs {
			all = append(all, extended.Contact{Addr: netip.MustParseAddrPort(a)})
		}
		return all
	}
	for name, test := range map[string]struct {
		teller string
		told   []extended.Contact
		want   int
	}{
		"public":                          {"203.1.1.1:1", contacts("203.1.1.2:1", "203.1.1.3:1", "[2001:db8::1]:1"), 3},
		"one port a host":                 {"203.1.1.1:1", contacts("203.1.1.2:1"), 1},
		"the teller's own host":           {"203.1.1.1:1", contacts("203.1.1.1:2"), 0},
		"inside, from outside":            {"203.1.1.1:1", contacts("192.168.1.1:1", "10.0.0.1:1", "127.0.0.1:1", "[::1]:1"), 0},
		"inside, from inside":             {"192.168.1.7:1", contacts("192.168.1.1:1", "203.1.1.2:1", "127.0.0.1:1"), 2},
		"this machine, from this machine": {"127.0.0.1:1", contacts("127.0.0.1:2", "127.0.0.1:3", "192.168.1.1:1", "203.1.1.2:1"), 4},
	} {
		i := newIntroducing()
		a := i.join(netip.MustParseAddrPort(test.teller), false)
		i.heard(&messages.PeersHeard{Key: a, Added: test.told})
		i.heard(&messages.PeersHeard{Key: a, Added: test.told}) // again, or at another port
		for n := range test.told {
			if addr := test.told[n].Addr; !addr.Addr().IsLoopback() {
				test.told[n].Addr = netip.AddrPortFrom(addr.Addr(), addr.Port()+1)
			}
		}
		i.heard(&messages.PeersHeard{Key: a, Added: test.told})
		if got := len(i.candidates.list); got != test.want {
			t.Errorf("%s: %d addresses are taken, want %d", name, got, test.want)
		}
	}
	i := newIntroducing()
	a := i.join(netip.MustParseAddrPort("203.1.1.1:1"), false)
	for n := range 2 * maxHeard {
		i.heard(&messages.PeersHeard{Key: a, Added: contacts(fmt.Sprintf("203.2.%d.%d:1", n/200, n%200))})
	}
	if got := len(i.candidates.list); got != maxHeard {
		t.Errorf("%d addresses of one peer are taken", got)
	}
}

// The actor carries all of that.
func TestPeersIntroduceEachOther(t *testing.T) {
	s := newScene(t, 100)
	s.Tell(&messages.SetPublicity{Exchange: true})
	s.find(2)
	s.Tell(&messages.SetDialing{Dial: true})
	a, b := <-s.born, <-s.born
	s.ready(a, 1)
	s.ready(b, 2)
	s.Tell(&messages.PeerIntroduced{Key: a.Key, Exchange: true})
	s.Settle()
	s.World.Clock.Advance(tellRound)
	if m := stage.Await[*messages.TellPeers](s.children); len(m.Added) != 1 || m.Added[0].Addr != b.Addr {
		t.Errorf("%+v", m)
	}
	s.Tell(&messages.PeersHeard{Key: b.Key, Added: []extended.Contact{{Addr: addrOf(9)}}})
	if c := <-s.born; c.Addr != addrOf(9) || c.Source != (messages.Source{Kind: messages.SourcePEX}) {
		t.Errorf("%+v", c)
	}
}

// TestAPeerVotesOnce: the first word of a connection on our address is passed
// on, whatever the peer says later; what session makes of it decides.
func TestAPeerVotesOnce(t *testing.T) {
	i := newIntroducing()
	at := netip.MustParseAddrPort("50.1.2.3:6881")
	key := i.join(at, false)
	i.out.take()
	for n := range 5 {
		i.introduced(&messages.PeerIntroduced{Key: key, YourIP: netip.AddrFrom4([4]byte{70, 1, 2, byte(n)})})
	}
	var told []messages.AddressReported
	for _, e := range i.out.take() {
		if e, is := e.(tellSession); is {
			told = append(told, *e.message.(*messages.AddressReported))
		}
	}
	want := messages.AddressReported{Voter: at, Addr: netip.MustParseAddr("70.1.2.0")}
	if len(told) != 1 || told[0] != want || i.candidates.ours[0].IsValid() {
		t.Errorf("session is told %v, and %v is believed", told, i.candidates.ours)
	}
}
