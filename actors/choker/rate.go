package choker

import (
	"cmp"
	"math"
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// optimisticFor is how long one peer has the optimistic slot.
	optimisticFor = 30 * time.Second
	// newcomer is for how long after its arrival a peer is three times as
	// likely to get it: it has nothing yet that it could be ranked by.
	newcomer = time.Minute
	// loyalty is how much faster another peer must be to take a slot from one
	// who has it. Peers that are alike do not flap.
	loyalty = 1.1
)

// byRate is the algorithm of BEP 3. Slots go to those interested peers that give
// us most, and one more, the optimistic, to any of the others: to find better
// ones, and so that newcomers get something to trade with. Not interested peers
// that are faster than the slowest slot are unchoked beside them: should they
// become interested, they begin at once, in the place of the slowest.
//
// A peer that snubs us keeps no slot by its rate; it may be the optimistic one.
// When seeding nobody gives us anything, and the slots go round.
type byRate struct {
	optimistic messages.PeerKey
	chosen     time.Time // zero: there is no optimistic one
}

func (a *byRate) Decide(r Round) []messages.PeerKey {
	if !slices.ContainsFunc(r.Peers, func(p Peer) bool { return a.is(p.Key) && p.Interested }) {
		a.retire()
	}
	var open []messages.PeerKey
	if r.Seeding {
		others := r
		others.Peers = slices.DeleteFunc(slices.Clone(r.Peers), func(p Peer) bool { return a.is(p.Key) })
		open = rotate(others, r.Slots)
	} else {
		open = a.merited(r)
	}
	wasted := func(p Peer) bool { return a.is(p.Key) && p.idling(r.Now) }
	if r.Full && (r.Now.Sub(a.chosen) >= optimisticFor || slices.ContainsFunc(r.Peers, wasted)) || slices.Contains(open, a.optimistic) {
		a.retire()
	}
	if a.chosen.IsZero() {
		a.choose(r, open)
	}
	if !a.chosen.IsZero() {
		open = append(open, a.optimistic)
	}
	return open
}

// is says whether key has the optimistic slot.
func (a *byRate) is(key messages.PeerKey) bool { return !a.chosen.IsZero() && a.optimistic == key }

func (a *byRate) retire() { a.chosen = time.Time{} }

// merited is who is unchoked for its rate. An optimistic peer that merits a
// slot takes one, which leaves the optimistic slot to another.
func (a *byRate) merited(r Round) []messages.PeerKey {
	var ranked []*Peer
	for i := range r.Peers {
		if p := &r.Peers[i]; p.Interested && !p.Seed && !p.Snubbed && (r.Full || !a.is(p.Key)) {
			ranked = append(ranked, p)
		}
	}
	settled := func(p *Peer) bool { return !r.Full && a.trusted(p) }
	slices.SortStableFunc(ranked, func(x, y *Peer) int {
		if c := cmp.Or(first(settled(x), settled(y)), cmp.Compare(a.score(y), a.score(x))); c != 0 {
			return c
		}
		return cmp.Or(
			cmp.Compare(x.idleTurns(r.Now), y.idleTurns(r.Now)),
			first(a.trusted(x), a.trusted(y)),
			x.Since.Compare(y.Since))
	})
	var keys []messages.PeerKey
	slowest := 0.0
	for _, p := range ranked[:min(len(ranked), r.Slots)] {
		keys = append(keys, p.Key)
		slowest = a.score(p)
	}
	if len(keys) < r.Slots {
		slowest = 0
	}
	for i := range r.Peers {
		p := &r.Peers[i]
		switch {
		case p.Interested:
		case !r.Full && p.Unchoked, r.Full && !p.Seed && !p.Snubbed && a.score(p) > slowest:
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// trusted is a peer that is unchoked for its rate, and not by chance.
func (a *byRate) trusted(p *Peer) bool { return p.Unchoked && !a.is(p.Key) }

func (a *byRate) score(p *Peer) float64 {
	if a.trusted(p) {
		return p.Down * loyalty
	}
	return p.Down
}

// choose gives the optimistic slot to one of those who are left, by lot: of those
// that made use of their last turn, if there are any.
func (a *byRate) choose(r Round, open []messages.PeerKey) {
	var lots []messages.PeerKey
	least := math.MaxInt
	for _, p := range r.Peers {
		if !p.Interested || slices.Contains(open, p.Key) || p.idleTurns(r.Now) > least {
			continue
		}
		if turns := p.idleTurns(r.Now); turns < least {
			lots, least = lots[:0], turns
		}
		n := 1
		if r.Now.Sub(p.Joined) < newcomer {
			n = 3
		}
		for range n {
			lots = append(lots, p.Key)
		}
	}
	if len(lots) > 0 {
		a.optimistic, a.chosen = lots[r.Rand.IntN(len(lots))], r.Now
	}
}
