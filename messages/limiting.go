package messages

import "github.com/asynkron/protoactor-go/actor"

// The conversation of the limiter and the peers. A peer takes part in it only
// while its direction is limited.

// LimiterReady: limiter to session, each time the limiter has started. The
// session answers SetLimits, before which the limiter grants nothing, and sends
// SetLimits to every peer once more, as the limiter has forgotten which of them
// wait.
type LimiterReady struct{}

// TokensWanted: peer to limiter. The limiter answers each with one
// TokensGranted to From, possibly late. A peer has at most one outstanding in
// each direction; if it asks again, the new one takes the old one's place.
type TokensWanted struct {
	From      *actor.PID
	Direction Direction
	Bytes     int
}

// TokensGranted: limiter to peer. Bytes of payload may be asked for (Down) or
// sent (Up); it may be less than was wanted.
type TokensGranted struct {
	Direction Direction
	Bytes     int
}

// SetLimits: a command to session, which sends it to the limiter, and by
// torrent, engine and peers to every peer. Limits are in bytes a second, 0: no
// limit. The limiter answers all that wait for tokens of a direction that has
// no limit any more. A peer that waits for tokens asks again.
type SetLimits struct{ Down, Up int64 }
