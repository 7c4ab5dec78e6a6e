package scheduler

import (
	"fmt"
	"slices"

	"kouzui/messages"
)

// blame finds who sent what was corrupt. A ban needs proof: a piece that came
// from one peer alone, or the store's comparison of a corrupt piece with the
// right one. Peers behind the same host are not to blame for each other; but as
// a peer can change its id and come again, newcomers from there are on parole.
type blame struct {
	*moment
	*goal
	*roster
	orders *orders

	suspects map[uint32]bool // pieces that were corrupt, and are not right yet
	hosts    hosts
	former   formerPeers
}

const (
	// The last peer that has a piece may spoil so many, as a disk with faults
	// does: there is nobody else to ask. It may spoil one more for each
	// goodPerError right ones.
	maxErrors    = 2
	goodPerError = 16
	// maxFormer bounds how many of the peers that are gone are remembered.
	maxFormer = 256
)

// corrupt takes note of a corrupt piece.
func (b *blame) corrupt(m *messages.PieceCorrupt) {
	b.suspects[m.Piece] = true
	if len(m.Contributors) == 1 {
		b.convict(m.Contributors[0], m.Piece, "the peer sent all of piece %d, which failed its hash check")
	}
}

// proven: these peers sent blocks that differ from the right ones.
func (b *blame) proven(m *messages.BlameProven) {
	for _, key := range m.Peers {
		b.convict(key, m.Piece, "the peer sent wrong blocks of piece %d")
	}
}

// right takes note that a piece is.
func (b *blame) right(piece uint32) { delete(b.suspects, piece) }

// convict bans a peer, which may be gone, and distrusts its host.
func (b *blame) convict(key messages.PeerKey, piece uint32, reason string) {
	p := b.byKey[key]
	var who former
	switch {
	case p == nil:
		if who = b.former.take(key); !who.addr.IsValid() {
			return
		}
	case p.dismissed || b.spared(p, piece):
		return
	default:
		who = p.former()
		b.orders.dismiss(p, messages.GoneBanned)
	}
	b.orders.bans = append(b.orders.bans, &messages.BanAddress{
		Addr: who.addr, Inbound: who.inbound, ID: who.id, Reason: fmt.Sprintf(reason, piece),
	})
	b.distrust(messages.HostOf(who.addr.Addr()))
}

// spared: no other peer can bring what is missing, and little of what p brought
// was wrong.
func (b *blame) spared(p *peer, piece uint32) bool {
	p.bad++
	if p.wanted == 0 || p.bad > maxErrors+p.good/goodPerError {
		return false
	}
	return !slices.ContainsFunc(b.peers, func(q *peer) bool {
		helps := q.has(piece) || b.has(piece) && q.wanted > 0
		return helps && q != p && !q.dismissed && q.bad == 0
	})
}

// leaves remembers a peer that is gone, as what it brought may still turn out
// to be corrupt.
func (b *blame) leaves(p *peer) {
	if p.brought && p.dismissal != messages.GoneBanned {
		b.former.add(p)
	}
}
