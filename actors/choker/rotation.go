package choker

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// turn is how long a peer keeps its slot although others wait: enough for
	// a connection to come up to speed and get some whole pieces.
	turn = time.Minute
	// maxIdle is after how long an unused slot is given to another peer.
	maxIdle = 10 * time.Second
)

// rotate shares slots over time among peers that have nothing to give in
// return. Of those that wait, the ones come first that made use of their last
// turn; of these, the ones whose hosts have the fewest slots; of these, the one
// that has waited longest. In one round at most half of the slots that are used
// change hands, those of the slowest takers first, so that the line never runs
// empty.
func rotate(r Round, slots int) []messages.PeerKey {
	var holding, waiting []Peer
	for _, p := range r.Peers {
		switch {
		case !p.Interested:
		case p.Unchoked:
			holding = append(holding, p)
		default:
			waiting = append(waiting, p)
		}
	}
	// Those who may keep their slots first, then the faster ones.
	slices.SortStableFunc(holding, func(a, b Peer) int {
		return cmp.Or(first(!overdue(a, r.Now), !overdue(b, r.Now)), cmp.Compare(b.Up, a.Up))
	})
	keep := holding[:min(len(holding), slots)]
	if r.Full {
		keep = keep[:len(keep)-changes(keep, slots, len(waiting), r.Now)]
	}
	return fillSlots(keep, waiting, slots)
}

// changes is how many of those that hold slots give theirs to others in a
// round.
func changes(holding []Peer, slots, waiting int, now time.Time) int {
	mayLose, idling := 0, 0
	for _, p := range holding {
		if overdue(p, now) {
			mayLose++
		}
		if p.idling(now) {
			idling++
		}
	}
	free := slots - len(holding)
	return max(0, min(mayLose, max(idling, (slots+1)/2), waiting-free))
}

// fillSlots returns the keys of those that keep their slots, and of those that
// wait and get the others.
func fillSlots(keep, waiting []Peer, slots int) []messages.PeerKey {
	keys := keysOf(keep)
	hosts := map[netip.Addr]int{} // slots of each
	for _, p := range keep {
		hosts[p.Host]++
	}
	for len(keys) < slots && len(waiting) > 0 {
		next := 0
		for i, p := range waiting {
			if w := waiting[next]; cmp.Or(cmp.Compare(p.Idle, w.Idle), cmp.Compare(hosts[p.Host], hosts[w.Host]), p.Since.Compare(w.Since)) < 0 {
				next = i
			}
		}
		keys = append(keys, waiting[next].Key)
		hosts[waiting[next].Host]++
		waiting = slices.Delete(waiting, next, next+1)
	}
	return keys
}

// overdue says that others may have the peer's slot.
func overdue(p Peer, now time.Time) bool { return now.Sub(p.Since) >= turn || p.idling(now) }

// idling says that a peer makes no use of its slot.
func (p *Peer) idling(now time.Time) bool {
	return p.Unchoked && !p.Taking && now.Sub(p.Since) >= maxIdle
}

// idleTurns counts the turns in a row of which the peer made no use, this one
// included.
func (p *Peer) idleTurns(now time.Time) int {
	if p.idling(now) {
		return p.Idle + 1
	}
	return p.Idle
}

// first compares for a sort in which those come first of which something holds.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func keysOf(peers []Peer) []messages.PeerKey {
	keys := make([]messages.PeerKey, len(peers))
	for i, p := range peers {
		keys[i] = p.Key
	}
	return keys
}

// roundRobin gives every peer the same time, whatever it gives us.
type roundRobin struct{}

var _ = Algorithms.Register("roundrobin", "all in turn, whatever they give us", func() Algorithm { return roundRobin{} })

func (roundRobin) Decide(r Round) []messages.PeerKey { return rotate(r, r.Slots+1) }
