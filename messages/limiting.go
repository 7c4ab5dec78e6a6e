package messages

import "github.com/asynkron/protoactor-go/actor"

// The conversation of the limiter and the peers. A peer takes part in it only
// while its direction is limited.

// LimiterReady: limiter to session, each time the limiter has started. The
// session answers SetLimits; until then the limiter grants nothing. The session
// also sends SetLimits to every peer again: a limiter that was restarted has
// forgotten which peers wait, so they have to ask again.
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
