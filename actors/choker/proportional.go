package choker

import (
	"cmp"
	"math"
	"slices"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// proportional draws all slots by lot, where a peer's chances are in proportion
// to what it gives us: over some rounds each gets a share of what we send in
// proportion to its own, as in Levin et al., "BitTorrent is an Auction" (2008),
// but for the rate within one round. A seed takes turns.
type proportional struct{ lottery }

type lottery struct {
	Floor int `about:"bytes a second that each peer is taken to give at least, so that newcomers have a chance"`
}

var _ = pattern.Keyed(Algorithms, "proportional", "slots are drawn by lot, with chances in proportion to what a peer gives us", lottery{2 << 10},
	func(l lottery) Algorithm { return proportional{l} })

func (a proportional) Decide(r Round) []messages.PeerKey {
	if r.Seeding {
		return rotate(r, r.Slots+1)
	}
	type ticket struct {
		peer Peer
		luck float64
	}
	var tickets []ticket
	for _, p := range r.Peers {
		if p.Interested {
			// A greatest U^(1/w) is drawn with a chance in proportion to w.
			luck := math.Log(1-r.Rand.Float64()) / (p.Down + float64(max(a.Floor, 1)))
			tickets = append(tickets, ticket{p, luck})
		}
	}
	slices.SortStableFunc(tickets, func(x, y ticket) int { return cmp.Compare(y.luck, x.luck) })
	ranked := make([]Peer, len(tickets))
	for i := range tickets {
		ranked[i] = tickets[i].peer
	}
	return given(r, ranked, r.Slots+1)
}

// given gives slots to the peers that come first. Between two rounds those that
// have one keep it.
func given(r Round, ranked []Peer, slots int) []messages.PeerKey {
	if !r.Full {
		slices.SortStableFunc(ranked, func(x, y Peer) int { return first(x.Unchoked, y.Unchoked) })
		holding := 0
		for _, p := range ranked {
			if p.Unchoked {
				holding++
			}
		}
		slots = max(slots, holding)
	}
	return keysOf(ranked[:min(len(ranked), slots)])
}
