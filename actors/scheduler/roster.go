package scheduler

import (
	"slices"
	"time"

	"kouzui/messages"
)

// moment is the time of the message that is being handled. All parts of a swarm
// share one.
type moment struct{ now time.Time }

// roster is the list of connected peers.
type roster struct {
	peers []*peer // in no order
	byKey map[messages.PeerKey]*peer
	// serving are the peers that may bring something: they do not choke us, or
	// allow us some pieces all the same, or have yet to answer what they were
	// asked for before they choked us (BEP 6). Often only a few of thousands.
	serving []*peer
}

func newRoster() *roster { return &roster{byKey: map[messages.PeerKey]*peer{}} }

func (r *roster) add(p *peer) {
	p.place = len(r.peers)
	r.peers = append(r.peers, p)
	r.byKey[p.Key] = p
}

func (r *roster) remove(p *peer) {
	last := len(r.peers) - 1
	r.peers[p.place] = r.peers[last]
	r.peers[p.place].place = p.place
	r.peers[last] = nil
	r.peers = r.peers[:last]
	delete(r.byKey, p.Key)
	p.choked, p.answers, p.allowed = true, false, nil
	r.review(p)
}

// review notes whether p may bring something.
func (r *roster) review(p *peer) {
	serves := !p.choked || len(p.allowed) > 0 || p.answers && p.queue.len() > 0
	if p.serves == serves {
		return
	}
	p.serves = serves
	if serves {
		r.serving = append(r.serving, p)
		return
	}
	i, last := slices.Index(r.serving, p), len(r.serving)-1
	r.serving[i], r.serving[last] = r.serving[last], nil
	r.serving = r.serving[:last]
}
