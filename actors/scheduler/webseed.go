package scheduler

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// A web seed (BEP 19) is a peer, but for what stands here: it has no address by
// which it could be banned or its host be distrusted, takes no slot that others
// wait for, and is asked for pieces that follow each other, which come in one
// answer.

func (p *peer) isWebSeed() bool { return p.Source.Kind == messages.SourceWebSeed }

// lie is that of a web seed, which it is to be told.
type lie struct {
	of     *actor.PID
	reason string
}

// convictWebSeed has a web seed given up. Others at the same host are not to
// blame: many servers share one.
func (b *blame) convictWebSeed(p *peer, reason string) {
	if !p.dismissed {
		p.dismissed, p.dismissal = true, messages.GoneBanned
		b.orders.lies = append(b.orders.lies, lie{p.Peer, reason})
	}
}

// pickForRun picks the piece behind the last one that was begun with a web
// seed. If that is not open, a run begins where the most open pieces follow
// each other.
func (s *planner) pickForRun(p *peer) (piece uint32, ok bool) {
	if next := uint(p.behind); next < s.avail.open.Len() && p.behind > 0 && s.avail.open.Test(next) && p.have.Test(next) {
		return p.behind, true
	}
	var first, last, longest uint32 // of the run that is looked at
	s.avail.eachOpen(p.have, func(at uint32) bool {
		if longest == 0 || at != last+1 {
			first = at
		}
		last = at
		if n := at - first + 1; n > longest {
			piece, longest = first, n
		}
		return true
	})
	return piece, longest > 0
}
