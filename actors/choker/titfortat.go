package choker

import (
	"cmp"
	"errors"
	"slices"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// titForTat unchokes a peer for as long as it owes us no more than some blocks,
// whatever its rate, as in Bharambe et al., "Analyzing and Improving a
// BitTorrent Network's Performance Mechanisms" (2006). Of such peers those come
// first that owe least. A seed, to which nobody can give anything, takes turns.
type titForTat struct{ credit }

type credit struct {
	Blocks int `about:"that a peer may have got more than it gave"`
}

// Check refuses a credit with which nobody would begin.
func (c credit) Check() error {
	if c.Blocks == 0 {
		return errors.New("blocks must be 1 or more")
	}
	return nil
}

var _ = pattern.Keyed(Algorithms, "tit-for-tat", "the peers that owe us no more than some blocks, those that owe least first; a seed takes turns", credit{32},
	func(c credit) Algorithm { return titForTat{c} })

func (a titForTat) Decide(r Round) []messages.PeerKey {
	if r.Seeding {
		return rotate(r, r.Slots+1)
	}
	most := int64(a.Blocks) * frame.BlockSize
	var trusted []Peer
	for _, p := range r.Peers {
		if p.Interested && p.owes() <= most {
			trusted = append(trusted, p)
		}
	}
	slices.SortStableFunc(trusted, func(x, y Peer) int { return cmp.Compare(x.owes(), y.owes()) })
	return given(r, trusted, r.Slots+1)
}

// owes is how many bytes the peer has got more than it gave.
func (p *Peer) owes() int64 { return p.UpTotal - p.DownTotal }
