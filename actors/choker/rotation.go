package choker

import (
	"cmp"
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// turn is how long a peer keeps its slot although others wait: enough for
	// a connection to come up to speed and get some whole pieces.
	turn = time.Minute
	// idle is after how long an unused slot is given on.
	idle = 20 * time.Second
)

// rotate shares slots over time, for those who have nothing to give in return:
// who has waited longest comes next. In one round at most half of the slots
// change hands, the slowest takers' first, so that a fast taker stays a little
// longer and the line never runs empty.
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
	slices.SortStableFunc(waiting, func(a, b Peer) int { return a.Since.Compare(b.Since) })

	// Those who may keep their slots first, then the faster ones.
	slices.SortStableFunc(holding, func(a, b Peer) int {
		return cmp.Or(first(!overdue(a, r.Now), !overdue(b, r.Now)), cmp.Compare(b.Up, a.Up))
	})
	keep := min(len(holding), slots)
	if r.Full {
		yielding := 0
		for _, p := range holding[:keep] {
			if overdue(p, r.Now) {
				yielding++
			}
		}
		free := slots - keep
		keep -= max(0, min(yielding, (slots+1)/2, len(waiting)-free))
	}
	next := slices.Concat(holding[:keep], waiting)
	return keysOf(next[:min(len(next), slots)])
}

// overdue is a peer whose slot others may have.
func overdue(p Peer, now time.Time) bool {
	held := now.Sub(p.Since)
	return held >= turn || held >= idle && p.Up == 0
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
