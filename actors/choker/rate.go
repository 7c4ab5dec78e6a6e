package choker

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// turns are the numbers of byRate.
type turns struct {
	OptimisticTurn time.Duration `about:"how long one peer has the optimistic slot; three rounds, as BEP 3 says"`
	// A newcomer has nothing yet that it could be ranked by.
	NewcomerTime time.Duration `about:"for how long after its arrival a peer is a newcomer"`
	NewcomerLots int           `about:"times the chances of others that a newcomer has to get the optimistic slot"`
	// Peers that are alike do not take turns.
	HolderBonus float64 `about:"times as fast as the holder of a slot another peer must be to take the slot"`
	// By so many peers the slots may be exceeded until the next round.
	Aside int `about:"peers that are not interested and unchoked beside those that have slots"`
}

var usualTurns = turns{OptimisticTurn: 30 * time.Second, NewcomerTime: time.Minute, NewcomerLots: 3, HolderBonus: 1.1, Aside: 4}

// Check refuses numbers with which nobody would get the slot.
func (t turns) Check() error {
	if t.NewcomerLots == 0 || t.HolderBonus < 1 {
		return errors.New("newcomer-lots and holder-bonus must be 1 or more")
	}
	return nil
}

// byRate is the algorithm of BEP 3. Slots go to the interested peers that give
// us most. One more slot, the optimistic one, goes to any other peer: to find
// better ones, and so that newcomers get something to trade with. A peer that
// is not interested is unchoked beside them if it is faster than the slowest
// that has a slot: should it become interested, it begins at once, and in the
// next round it takes the place of the slowest. Until then nobody who is
// interested loses a slot to it: a peer that is choked and unchoked a moment
// later has asked others for what we then send.
//
// A peer that snubs us has no slot by its rate, but may have the optimistic
// one. When we seed, no peer gives us anything, and the slots are rotated.
type byRate struct {
	turns
	optimistic messages.PeerKey
	chosen     time.Time // zero: there is no optimistic one
}

var _ = pattern.Keyed(Algorithms, "rate", "the peers that give us most, and one to try out, as BEP 3 says; a seed takes turns", usualTurns,
	func(t turns) Algorithm { return &byRate{turns: t} })

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
	if r.Full && (r.Now.Sub(a.chosen) >= a.OptimisticTurn || slices.ContainsFunc(r.Peers, wasted)) || slices.Contains(open, a.optimistic) {
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

// is says whether a peer has the optimistic slot.
func (a *byRate) is(key messages.PeerKey) bool { return !a.chosen.IsZero() && a.optimistic == key }

func (a *byRate) retire() { a.chosen = time.Time{} }

// merited are the peers that are unchoked for their rates. One that has the
// optimistic slot and merits another one takes that, and leaves the optimistic
// slot to another peer.
func (a *byRate) merited(r Round) []messages.PeerKey {
	var ranked []*Peer
	holders := 0
	for i := range r.Peers {
		if p := &r.Peers[i]; p.Interested && !p.Seed && !p.Snubbed && (r.Full || !a.is(p.Key)) {
			ranked = append(ranked, p)
			if a.trusted(p) {
				holders++
			}
		}
	}
	slots := r.Slots
	if !r.Full {
		slots = max(slots, holders)
	}
	a.rank(ranked, r)
	ranked = ranked[:min(len(ranked), slots)]
	slowest := 0.0
	if len(ranked) >= r.Slots {
		slowest = a.score(ranked[len(ranked)-1])
	}
	var keys []messages.PeerKey
	for _, p := range append(ranked, a.aside(r, slowest)...) {
		keys = append(keys, p.Key)
	}
	return keys
}

// aside are the peers that are unchoked although they are not interested,
// fastest first: those that are faster than the slowest that has a slot, and
// between two full rounds those that are unchoked already.
func (a *byRate) aside(r Round, slowest float64) (peers []*Peer) {
	for i := range r.Peers {
		p := &r.Peers[i]
		switch {
		case p.Interested:
		case !r.Full && p.Unchoked, r.Full && !p.Seed && !p.Snubbed && a.score(p) > slowest:
			peers = append(peers, p)
		}
	}
	slices.SortStableFunc(peers, func(x, y *Peer) int { return cmp.Compare(a.score(y), a.score(x)) })
	return peers[:min(len(peers), a.Aside)]
}

// rank sorts the peers that may have a slot by their rates, best first.
func (a *byRate) rank(peers []*Peer, r Round) {
	settled := func(p *Peer) bool { return !r.Full && a.trusted(p) }
	slices.SortStableFunc(peers, func(x, y *Peer) int {
		if c := cmp.Or(first(settled(x), settled(y)), cmp.Compare(a.score(y), a.score(x))); c != 0 {
			return c
		}
		return cmp.Or(
			cmp.Compare(x.idleTurns(r.Now), y.idleTurns(r.Now)),
			first(a.trusted(x), a.trusted(y)),
			x.Since.Compare(y.Since))
	})
}

// trusted says that a peer is unchoked for its rate, and not by chance.
func (a *byRate) trusted(p *Peer) bool { return p.Unchoked && !a.is(p.Key) }

func (a *byRate) score(p *Peer) float64 {
	if a.trusted(p) {
		return p.Down * a.HolderBonus
	}
	return p.Down
}

// choose gives the optimistic slot to one of the other interested peers, by
// lot: to one of those that made use of their last turn, if there are any.
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
		if r.Now.Sub(p.Joined) < a.NewcomerTime {
			n = a.NewcomerLots
		}
		for range n {
			lots = append(lots, p.Key)
		}
	}
	if len(lots) > 0 {
		a.optimistic, a.chosen = lots[r.Rand.IntN(len(lots))], r.Now
	}
}
