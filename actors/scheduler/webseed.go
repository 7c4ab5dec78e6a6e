package scheduler

import "kouzui/messages"

// A web seed (BEP 19) is a peer, but for what stands here: it has no address by
// which it could be banned or its host be distrusted, takes no slot that others
// wait for, and is asked for pieces that follow each other, which come in one
// answer.

func (p *peer) isWebSeed() bool { return p.Source.Kind == messages.SourceWebSeed }

// lie is that of a web seed, which it is to be told.
type lie struct {
	of     *messages.PeerReady
	reason string
}

// convictWebSeed has a web seed given up. Others at the same host are not to
// blame: many servers share one.
func (b *blame) convictWebSeed(p *peer, reason string) {
	if !p.dismissed {
		p.dismissed, p.dismissal = true, messages.GoneBanned
		b.orders.lies = append(b.orders.lies, lie{p.PeerReady, reason})
	}
}

// pickAs has the picker pick for a peer, but for a web seed the piece behind
// the last one that was begun with it. If that is not open, a run begins where
// the most open pieces follow each other.
func (s *planner) pickAs(p *peer, of Offer) (piece uint32, ok bool) {
	if !p.isWebSeed() {
		return s.picker.Pick(s.avail, of)
	}
	defer func() {
		if ok {
			p.behind = piece + 1
		}
	}()
	if p.behind > 0 && s.avail.open.Test(uint(p.behind)) && of.Have.Test(uint(p.behind)) {
		return p.behind, true
	}
	var first, last, longest uint32 // of the run that is looked at
	s.avail.eachOpen(of.Have, func(at uint32) bool {
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
