package choker

import (
	"cmp"
	"errors"
	"slices"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// tyrant gives each peer no more than it takes for the peer to give in return,
// and so has more peers, as in Piatek et al., "Do Incentives Build Robustness
// in BitTorrent?" (2007). It guesses for each peer the price of being unchoked:
// a peer that stays away becomes dearer, one that has given for some rounds
// cheaper. Peers are unchoked by what they give for their price, until the
// prices come to what we can send. A rate for each peer, which BitTyrant also
// has, there is not: who is unchoked shares our uplink with the others. A seed
// takes turns.
type tyrant struct {
	haggling
	deals map[messages.PeerKey]deal
	can   float64 // bytes a second that we have sent in the best round
}

// deal is what is known of one peer.
type deal struct {
	price float64 // bytes a second
	gives float64 // when it last unchoked us
	kept  int     // rounds in a row in which we had it unchoked, and it had us
}

type haggling struct {
	Raise float64 `about:"part by which a peer's price goes up that does not unchoke us for it"`
	Lower float64 `about:"part by which it goes down when the peer has unchoked us for some rounds"`
	After int     `about:"how many rounds those are"`
	First int     `about:"price in bytes a second of a peer that is not known yet"`
}

// Check refuses prices that come to nothing.
func (h haggling) Check() error {
	if h.Lower >= 1 || h.First == 0 {
		return errors.New("lower must be below 1, and first 1 or more")
	}
	return nil
}

var _ = pattern.Keyed(Algorithms, "tyrant", "as many peers as our uplink can keep, by what they give for what they must get; a seed takes turns", haggling{0.2, 0.1, 3, 10 << 10},
	func(h haggling) Algorithm { return &tyrant{haggling: h} })

func (a *tyrant) Decide(r Round) []messages.PeerKey {
	if r.Seeding {
		return rotate(r, r.Slots+1)
	}
	if r.Full {
		a.learn(r)
	}
	var ranked []Peer
	for _, p := range r.Peers {
		if p.Interested {
			ranked = append(ranked, p)
		}
	}
	slices.SortStableFunc(ranked, func(x, y Peer) int { return cmp.Compare(a.worth(y), a.worth(x)) })
	// With the usual slots and one we are as generous as others at least: what
	// we can send is known only by sending.
	slots, spent := 0, 0.0
	for _, p := range ranked {
		if spent += a.deal(p.Key).price; slots > r.Slots && spent > a.can {
			break
		}
		slots++
	}
	return given(r, ranked, slots)
}

// learn corrects the prices by what the last round has shown.
func (a *tyrant) learn(r Round) {
	deals := map[messages.PeerKey]deal{}
	sent := 0.0
	for _, p := range r.Peers {
		d := a.deal(p.Key)
		sent += p.Up
		switch {
		case !p.Choking:
			d.gives = p.Down
			if d.kept++; d.kept >= a.After && p.Unchoked {
				d.price *= 1 - a.Lower
			}
		case p.Unchoked:
			d.price *= 1 + a.Raise
			d.kept = 0
		default:
			d.kept = 0
		}
		deals[p.Key] = d
	}
	a.deals, a.can = deals, max(a.can, sent)
}

func (a *tyrant) deal(key messages.PeerKey) deal {
	if d, is := a.deals[key]; is {
		return d
	}
	return deal{price: float64(a.First), gives: float64(a.First)}
}

// worth is what a peer gives for each byte of its price.
func (a *tyrant) worth(p Peer) float64 {
	d := a.deal(p.Key)
	return d.gives / d.price
}
