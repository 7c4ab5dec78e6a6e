package peers

import (
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/mse"
)

// dial is how one dial of a test goes.
type dial struct {
	encrypted bool
	ends      messages.GoneReason
	atOnce    bool // the next one follows at once
}

func TestWhoIsDialledEncrypted(t *testing.T) {
	const cut, handshake = messages.GoneCut, messages.GoneHandshake
	for name, c := range map[string]struct {
		policy messages.EncryptionPolicy
		told   bool // that the peer likes connections to be encrypted
		dials  []dial
	}{
		"allowed: cut off":                     {messages.AllowEncryption, false, []dial{{false, cut, true}, {true, cut, false}, {false, cut, true}, {true, cut, false}}},
		"allowed: no handshake":                {messages.AllowEncryption, false, []dial{{false, handshake, false}, {false, messages.GoneDial, false}, {false, cut, true}}},
		"allowed: told of it":                  {messages.AllowEncryption, true, []dial{{true, handshake, true}, {false, cut, false}, {true, cut, true}}},
		"preferred: cut off":                   {messages.PreferEncryption, false, []dial{{true, cut, true}, {false, cut, false}, {true, cut, true}}},
		"preferred: an answer that is no key":  {messages.PreferEncryption, false, []dial{{true, handshake, true}, {false, handshake, false}, {false, handshake, false}}},
		"preferred: no connection":             {messages.PreferEncryption, false, []dial{{true, messages.GoneDial, false}, {true, messages.GoneDial, false}}},
		"required: cut off":                    {messages.RequireEncryption, false, []dial{{true, cut, false}, {true, handshake, false}}},
		"off: cut off":                         {messages.NoEncryption, true, []dial{{false, cut, false}, {false, handshake, false}}},
		"allowed: the process is full":         {messages.AllowEncryption, false, []dial{{false, messages.GoneExhausted, true}, {false, cut, true}}},
		"allowed: ourselves, in a mirror":      {messages.AllowEncryption, false, []dial{{false, messages.GoneSelf, false}}},
		"preferred: a handshake, and no block": {messages.PreferEncryption, false, []dial{{true, messages.GoneUseless, false}, {true, cut, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCandidates(10, c.policy)
			at, now := addrOf(1), start
			k.add(messages.PeerAddr{Addr: at, Encrypts: c.told})
			for i, d := range c.dials {
				want := c.policy.Methods()
				if !d.encrypted {
					want = 0
				}
				if got := k.encryption(at); got != want {
					t.Fatalf("dial %d offers %d, want %d", i, got, want)
				}
				k.dialled(at, now)
				k.gone(at, d.ends, now, seeded())
				if best, _ := k.next(now, seeded()); (best != nil) != d.atOnce {
					t.Fatalf("dial %d is followed at once: %v", i, best != nil)
				}
				now = now.Add(time.Hour)
			}
		})
	}
}

// A peer that was connected is dialled as it was then, whatever ends a later
// dial.
func TestTheWayThatWorkedIsKept(t *testing.T) {
	k := newCandidates(10, messages.AllowEncryption)
	at := addrOf(1)
	k.add(messages.PeerAddr{Addr: at})
	k.dialled(at, start)
	k.gone(at, messages.GoneCut, start, seeded())
	k.dialled(at, start)
	k.connected(at)
	for range 3 {
		k.gone(at, messages.GoneCut, start, seeded())
		if best, _ := k.next(start, seeded()); best != nil || k.encryption(at) != mse.Plaintext|mse.RC4 {
			t.Errorf("dialled at once: %v; offers %d", best != nil, k.encryption(at))
		}
	}
}

// Peers with which a connection is encrypted are told of as such, and those
// that are told of as such are dialled so.
func TestPeerExchangeTellsOfEncryption(t *testing.T) {
	i := newIntroducing()
	i.open(addrOf(1), messages.Source{}, nil)
	i.ready(&messages.PeerReady{Key: i.next, ID: [20]byte{1}, Addr: addrOf(1), Encrypted: messages.EncryptedHandshake})
	other := i.join(addrOf(2), false)
	i.introduce(other, 0, true)
	i.pass(time.Minute)
	if told := i.told[other]; len(told) != 1 || len(told[0].Added) != 1 || told[0].Added[0].Flags != extended.PrefersEncryption|extended.WasDialled {
		t.Errorf("told: %+v", told)
	}
	i.heard(&messages.PeersHeard{Key: other, Added: []extended.Contact{{Addr: addrOf(3), Flags: extended.PrefersEncryption}, {Addr: addrOf(4)}}})
	if a, b := i.candidates.encryption(addrOf(3)), i.candidates.encryption(addrOf(4)); a == 0 || b != 0 {
		t.Errorf("offers %d and %d", a, b)
	}
}
