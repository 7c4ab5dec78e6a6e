package messages

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The conversation of web seeds (BEP 19) with torrent and scheduler. To the
// scheduler a web seed is a peer that has everything: see PeerReady.

// WebSeedStarted: web to torrent, each time that it has started. The torrent
// answers StartFetching, unless the web seed was given up before.
type WebSeedStarted struct {
	Seed    int // index in the torrent's WebSeeds
	ReplyTo *actor.PID
}

// StartFetching: torrent to web. The web seed may ask its server from now on,
// and tells the scheduler that it is there.
type StartFetching struct{}

// WebSeedChanged: web to torrent, when the server begins to serve, and when it
// has failed. The torrent reports that in its Progress, and tells the user when
// the web seed is given up.
type WebSeedChanged struct {
	Seed    int
	Serving bool
	Err     error     // the last failure; nil: there was none
	Until   time.Time // the server is not asked before, if it has failed
	GivenUp bool      // nor at any later time
}

// WebSeedLied: scheduler to web, when all blocks of a piece whose hash is wrong
// have come from it, or those that were wrong. The web seed is given up.
type WebSeedLied struct{ Reason string }
