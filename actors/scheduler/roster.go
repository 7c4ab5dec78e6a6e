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
	peers    []*peer // in no order
	byKey    map[messages.PeerKey]*peer
	unchoked []*peer // peers that do not choke us; often only a few of thousands
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
	r.setChoked(p, true)
}

// setChoked notes whether p lets us download, and says whether that is new.
func (r *roster) setChoked(p *peer, choked bool) (changed bool) {
	if p.choked == choked {
		return false
	}
	p.choked = choked
	if !choked {
		r.unchoked = append(r.unchoked, p)
		return true
	}
	i, last := slices.Index(r.unchoked, p), len(r.unchoked)-1
	r.unchoked[i], r.unchoked[last] = r.unchoked[last], nil
	r.unchoked = r.unchoked[:last]
	return true
}
