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
	// idle is after how long an unused slot is given on.
	idle = 10 * time.Second
)

// rotate shares slots over time, for those who have nothing to give in return:
// who has waited longest comes next, but of all first those who made use of
// their last turn, from hosts that have the fewest slots. In one round at most
// half of the slots that are used change hands, the slowest takers' first, so
// that a fast taker stays a little longer and the line never runs empty.
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
	keep := min(len(holding), slots)
	if r.Full {
		yielding, idling := 0, 0
		for _, p := range holding[:keep] {
			if overdue(p, r.Now) {
				yielding++
			}
			if p.idling(r.Now) {
				idling++
			}
		}
		free := slots - keep
		keep -= max(0, min(yielding, max(idling, (slots+1)/2), len(waiting)-free))
	}
	keys := keysOf(holding[:keep])
	hosts := map[netip.Addr]int{}
	for _, p := range holding[:keep] {
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

// overdue is a peer whose slot others may have.
func overdue(p Peer, now time.Time) bool { return now.Sub(p.Since) >= turn || p.idling(now) }

// idling is a peer that makes no use of its slot.
func (p *Peer) idling(now time.Time) bool {
	return p.Unchoked && !p.Taking && now.Sub(p.Since) >= idle
}

// idleTurns counts those that it has had and the one that it has.
func (p *Peer) idleTurns(now time.Time) int {
	if p.idling(now) {
		return p.Idle + 1
	}
	return p.Idle
}

// first compares for a sort in which those of whom something holds come first.
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

// roundRobin gives everybody the same time, whatever they give us.
type roundRobin struct{}

func (roundRobin) Decide(r Round) []messages.PeerKey { return rotate(r, r.Slots+1) }
