package peers

import (
	"time"

	"kouzui/messages"
)

// effects are what the core wants done, in this order. The shell does it when
// the core has handled a message.
type effects []any

func (e *effects) add(effect any) { *e = append(*e, effect) }

// take returns the effects and begins with none again.
func (e *effects) take() effects {
	taken := *e
	*e = nil
	return taken
}

// The effects.
type (
	// spawn starts a peer, which dials unless it is told to adopt a link.
	spawn struct {
		Peer
		publicity *messages.SetPublicity // nil: not known
		adopt     *messages.AdoptLink
	}
	tell struct {
		key     messages.PeerKey
		message any
	}
	stop struct {
		key    messages.PeerKey
		reason messages.GoneReason
	}
	tellScheduler struct{ message any }
	tellTorrent   struct{ message any }
	tellSession   struct{ message any }
	// connectionsExhausted: the process had no connection left for a dial.
	connectionsExhausted struct{}
	// reportBlocked tells how many addresses were left out for the blocklist.
	reportBlocked struct{ addrs int }
	refuseLink    struct {
		link   messages.Link
		reason error
	}
	// tellAfter replaces the timer of the next round of peer exchange.
	tellAfter struct{ wait time.Duration }
	// dialAfter replaces the timer of the next dial.
	dialAfter struct{ wait time.Duration }
)
