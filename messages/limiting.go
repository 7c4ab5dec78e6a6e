package messages

import "github.com/asynkron/protoactor-go/actor"

// The conversation of the limiter and the peers. A peer takes part in it only
// while its direction is limited.

// TokensWanted: peer to limiter. One answer to From follows for each, possibly
// late. A peer has at most one outstanding in each direction.
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

// SetLimits: client to limiter, and from client by torrent, engine and peers to
// every peer. In bytes a second, 0: no limit. The limiter answers all who wait
// for tokens of a direction that has no limit any more.
type SetLimits struct{ Down, Up int64 }
