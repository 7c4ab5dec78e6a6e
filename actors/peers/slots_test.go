package peers

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// Whatever happens to connections: what slots keep for a look-up is what a look
// at all of them finds.
func TestSlotsAreFoundAndCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots, key := newSlots(), messages.PeerKey(0)
		address := rapid.Custom(func(t *rapid.T) netip.AddrPort {
			ip := rapid.SampledFrom([]string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}).Draw(t, "ip")
			return netip.AddrPortFrom(netip.MustParseAddr(ip), rapid.Uint16Range(1, 3).Draw(t, "port"))
		})
		some := func(t *rapid.T) *slot {
			if len(slots.all) == 0 {
				t.Skip()
			}
			return rapid.SampledFrom(slots.all).Draw(t, "slot")
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				key += messages.PeerKey(rapid.IntRange(1, 3).Draw(t, "step"))
				slots.add(&slot{Peer: Peer{Key: key, Inbound: rapid.Bool().Draw(t, "inbound")}, remote: address.Draw(t, "remote")})
			},
			"remove": func(t *rapid.T) {
				s := some(t)
				if got := slots.remove(s.Key); got != s {
					t.Fatalf("%d removed instead of %d", got.Key, s.Key)
				}
			},
			"ready":  func(t *rapid.T) { slots.setReady(some(t), rapid.Bool().Draw(t, "is")) },
			"remote": func(t *rapid.T) { slots.setRemote(some(t), address.Draw(t, "remote")) },
			"": func(t *rapid.T) {
				dialled, halfOpen, atHosts := 0, 0, 0
				for i, s := range slots.all {
					if i > 0 && slots.all[i-1].Key >= s.Key {
						t.Fatal("the oldest is not first")
					}
					if slots.of(s.Key) != s {
						t.Fatalf("%d is not found", s.Key)
					}
					if !s.Inbound {
						dialled++
					}
					if s.halfOpen() {
						halfOpen++
					}
				}
				if dialled != slots.dialled || halfOpen != slots.halfOpen {
					t.Fatalf("%d dialled, of these %d half open: counted %d, %d", dialled, halfOpen, slots.dialled, slots.halfOpen)
				}
				for host, same := range slots.atHost {
					want := slices.DeleteFunc(slices.Clone(slots.all), func(s *slot) bool { return s.host() != host })
					if !slices.Equal(same, want) || len(same) == 0 {
						t.Fatalf("%v has %d, counted %d", host, len(want), len(same))
					}
					atHosts += len(same)
				}
				if atHosts != len(slots.all) {
					t.Fatalf("%d at hosts, %d in all", atHosts, len(slots.all))
				}
				if slots.of(key+1) != nil {
					t.Fatal("a peer is found that there is not")
				}
			},
		})
	})
}

// linkTo is a link that nobody uses.
type linkTo struct {
	messages.Link
	remote netip.AddrPort
}

func (l *linkTo) Remote() netip.AddrPort { return l.remote }

// join lets the n-th peer in, and returns its key.
func join(k *connections, n int) messages.PeerKey {
	remote, id := addrOf(n), [20]byte{byte(n), byte(n >> 8)}
	k.admit(&messages.AdoptLink{Link: &linkTo{remote: remote}, Handshake: frame.Handshake{PeerID: id}})
	key := k.slots.all[len(k.slots.all)-1].Key
	k.ready(&messages.PeerReady{Key: key, ID: id, Addr: remote, Inbound: true})
	k.out.take()
	return key
}

// crowd are connections that came in from size hosts.
func crowd(size int) *connections {
	key := messages.PeerKey(0)
	c := Config{Self: self, Max: 10 * size, Metainfo: &metainfo.Torrent{}, NextKey: func() messages.PeerKey { key++; return key }}
	k := newConnections(c, seeded(), start)
	for n := range size {
		join(k, n)
	}
	return k
}

// One more connection allocates no more among thousands than among ten.
func TestAConnectionCostsTheSameInACrowd(t *testing.T) {
	cost := func(size int) float64 {
		k := crowd(size)
		return testing.AllocsPerRun(100, func() { k.ended(join(k, size)) })
	}
	if few, many := cost(10), cost(3000); many > few {
		t.Errorf("%.0f allocations among 10, %.0f among 3,000", few, many)
	}
}
