package dht

import (
	"bytes"
	"crypto/sha1"
	"math/rand/v2"
	"net/netip"
	"time"
)

// tokenLife is how long a secret makes tokens; they are good for as long again
// (BEP 5).
const tokenLife = 5 * time.Minute

// tokens makes what a node has to repeat when it announces: whoever has one has
// been at the address that it announces from.
type tokens struct {
	rand    *rand.Rand
	secrets [2][16]byte // the present one, and the one before
	changed time.Time
}

func newTokens(r *rand.Rand) tokens {
	t := tokens{rand: r}
	t.change()
	t.change()
	return t
}

func (t *tokens) change() {
	t.secrets[1] = t.secrets[0]
	for i := range t.secrets[0] {
		t.secrets[0][i] = byte(t.rand.Uint32())
	}
}

// keep changes secrets whose time is over.
func (t *tokens) keep(now time.Time) {
	switch age := now.Sub(t.changed); {
	case age >= 2*tokenLife:
		t.change()
		t.change()
		t.changed = now
	case age >= tokenLife:
		t.change()
		t.changed = t.changed.Add(tokenLife) // not now: the older secret would last longer
	}
}

// token is that for an address at the time now.
func (t *tokens) token(a netip.Addr, now time.Time) []byte {
	t.keep(now)
	return hashed(t.secrets[0], a)
}

// good tells whether a token was made for the address, and not long ago.
func (t *tokens) good(token []byte, a netip.Addr, now time.Time) bool {
	t.keep(now)
	return bytes.Equal(token, hashed(t.secrets[0], a)) || bytes.Equal(token, hashed(t.secrets[1], a))
}

func hashed(secret [16]byte, a netip.Addr) []byte {
	ip := a.As16()
	sum := sha1.Sum(append(secret[:], ip[:]...))
	return sum[:8]
}
