package peers

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// A peer that is connected twice is told by its id. But an id is no secret: it
// can be used by others, who want the connection of its owner to be taken for
// the lesser one. So a connection over which something has come is not given up
// for another, and who comes from elsewhere is somebody else.

const (
	// together is within what time two connections are taken for two dials that
	// have crossed, of which both sides must give up the same.
	together = 10 * time.Second
	// maxNamesakes are connections with one id.
	maxNamesakes = 3
)

// settle ends what a new connection makes superfluous, and tells whether it is
// not that itself.
func (p *peers) settle(c actor.Context, newer *slot) (stays bool) {
	namesakes := 1
	for _, older := range p.inOrder() {
		if older == newer || !older.ready || older.id != newer.id {
			continue
		}
		namesakes++
		switch lost := p.lesser(newer, older); {
		case lost != nil:
			lost.ready = false
			c.Send(lost.pid, &messages.Disconnect{Reason: messages.GoneDuplicate})
			if lost == newer {
				return false
			}
			namesakes--
		case older.host() == newer.host():
			c.Send(older.pid, &messages.Yield{})
		}
	}
	if namesakes > maxNamesakes {
		newer.ready = false
		c.Send(newer.pid, &messages.Disconnect{Reason: messages.GoneDuplicate})
		return false
	}
	return true
}

// lesser is which of two connections with one id is given up, if any.
func (p *peers) lesser(newer, older *slot) *slot {
	switch {
	case newer.since.Sub(older.since) < together && !older.useful:
		return loser(p.Self, newer, older)
	case newer.host() != older.host():
		return nil
	case !older.useful:
		return older
	case newer.Inbound && older.Inbound:
		return nil // the older one may be dead, and has to show that it is not
	default:
		return newer
	}
}

// loser is which of two connections with one peer is given up. When both sides
// have dialled each other at once they must agree: the one that was dialled by
// the smaller peer id stays. Who comes in again from the same host has lost the
// connection before, only we have not noticed yet. Otherwise it is the newer one.
func loser(self [20]byte, newer, older *slot) *slot {
	if newer.Inbound && older.Inbound && newer.host() == older.host() {
		return older
	}
	if newer.Inbound == older.Inbound {
		return newer
	}
	weStay := bytes.Compare(self[:], newer.id[:]) < 0
	if newer.Inbound == weStay {
		return newer
	}
	return older
}
