package peers

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// A peer that is connected twice is told by its id. But an id is no secret: it
// can be used by others, who want the connection of its owner to be taken for
// the lesser one. Who comes from elsewhere is somebody else. Who came in from the
// same host only claims the id, while whoever listens at the address that we
// dialled is the one meant: what we dialled is never given up for what came in.
// If both are one peer, it sees things the other way round, and gives up ours if
// that is the one to go.

const (
	// together is within what time two connections are taken for two dials that
	// have crossed, of which both sides must give up the same.
	together = 10 * time.Second
	// maxNamesakes are connections with one id that came in from one host.
	maxNamesakes = 3
)

// settle ends what a new connection makes superfluous, and tells whether it is
// not that itself.
func (p *peers) settle(c actor.Context, newer *slot) (stays bool) {
	var namesakes []*slot
	for _, older := range p.inOrder() {
		if older == newer || !older.ready || older.id != newer.id || older.host() != newer.host() {
			continue
		}
		if older.Inbound && newer.Inbound {
			namesakes = append(namesakes, older)
		}
		switch lost := p.lesser(newer, older); {
		case lost != nil:
			p.giveUp(c, lost)
			if lost == newer {
				return false
			}
		case newer.Inbound:
			c.Send(older.pid, &messages.ProveAlive{}) // it may be dead, and has to show that it is not
		}
	}
	if len(namesakes) < maxNamesakes {
		return true
	}
	for _, older := range namesakes {
		if !older.useful && newer.since.Sub(older.since) >= together {
			p.giveUp(c, older)
			return true
		}
	}
	p.giveUp(c, newer)
	return false
}

func (p *peers) giveUp(c actor.Context, s *slot) {
	s.ready = false
	c.Send(s.pid, &messages.Disconnect{Reason: messages.GoneDuplicate})
}

// lesser is which of two connections with one id at one host is given up, if any.
func (p *peers) lesser(newer, older *slot) *slot {
	dialled, came := newer, older
	if newer.Inbound {
		dialled, came = older, newer
	}
	crossed := newer.since.Sub(older.since) < together
	switch {
	case newer.Inbound == older.Inbound:
		return nil
	case dialled.useful && !came.useful:
		return came
	case came.useful:
		return nil
	case crossed && bytes.Compare(p.Self[:], newer.id[:]) < 0:
		return came // of two that crossed, what the smaller id has dialled stays
	case !crossed && older == came:
		return came // whose id it uses is here now
	}
	return nil
}
