package choker

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// Peer is what an algorithm knows of one peer.
type Peer struct {
	Key        messages.PeerKey
	Joined     time.Time // when it was first heard of
	Interested bool      // in what we have
	Host       netip.Addr
	Snubbed    bool    // it has given us nothing for long, though asked
	Seed       bool    // it has everything, or wants no more pieces (BEP 21)
	Choking    bool    // it chokes us
	Down, Up   float64 // bytes a second, rolling over 20 s
	DownTotal  int64   // bytes in all of this connection
	UpTotal    int64
	Taking     bool      // it makes use of what it is unchoked for
	Unchoked   bool      // as things stand
	Since      time.Time // when that last changed; at first Joined
	Idle       int       // turns in a row of which it made no use
}

// Round is one occasion to decide.
type Round struct {
	Now     time.Time
	Peers   []Peer // by Key, so that a seeded run repeats
	Slots   int    // peers that may be unchoked by merit, at least 1
	Seeding bool
	// Full: slots are given anew. Otherwise it is between two such rounds, and
	// free slots are filled; a peer loses its slot only to one that comes back to
	// its own.
	Full bool
	Rand *rand.Rand
}

// Algorithm decides which peers may download from us. It keeps what it has to
// remember of earlier rounds, and nothing of a peer that is gone.
type Algorithm interface {
	// Decide returns the keys of all peers that are to be unchoked, in any order.
	Decide(Round) []messages.PeerKey
}

// Algorithms are those that a user can choose from.
var Algorithms = pattern.NewKind[Algorithm]("choker", "which peers may download from us", "rate", pattern.Everywhere, pattern.OfTorrent)

// nobody is the algorithm that unchokes no peer: with it we are a free rider,
// which shows how other clients treat one.
type nobody struct{}

var _ = Algorithms.Register("closed", "nobody is unchoked: a free rider", func() Algorithm { return nobody{} })

func (nobody) Decide(Round) []messages.PeerKey { return nil }

// everyone unchokes all peers: good for a small swarm among friends.
type everyone struct{}

var _ = Algorithms.Register("none", "all peers are unchoked", func() Algorithm { return everyone{} })

func (everyone) Decide(r Round) []messages.PeerKey {
	var keys []messages.PeerKey
	for _, p := range r.Peers {
		keys = append(keys, p.Key)
	}
	return keys
}
