package scheduler

import (
	"fmt"
	"slices"

	"kouzui/messages"
)

// blame finds the peers that sent corrupt data. A ban needs proof: a corrupt
// piece that one peer sent whole, or the store's comparison of a corrupt piece
// with the right one. A peer is not banned for what another peer at the same
// host sent. But as a banned peer can come back with another id, new peers from
// its host are on parole.
type blame struct {
	*moment
	*goal
	*roster
	orders *orders

	suspects map[uint32]bool // pieces that failed their hash check and are not verified yet
	hosts    hosts
	former   formerPeers
}

const (
	// A peer without which the download cannot go on may send maxErrors corrupt
	// pieces, as a peer with a faulty disk does, and one more for each
	// goodPerError right pieces.
	maxErrors    = 2
	goodPerError = 16
	// maxFormer bounds how many disconnected peers are remembered.
	maxFormer = 256
)

// corrupt records a corrupt piece, and convicts the peer that sent it if only
// one did.
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

// right records that a piece is verified.
func (b *blame) right(piece uint32) { delete(b.suspects, piece) }

// convict bans a peer, even one that has disconnected, and puts its host on
// parole.
func (b *blame) convict(key messages.PeerKey, piece uint32, reason string) {
	p := b.byKey[key]
	var who former
	switch {
	case p == nil:
		who = b.former.take(key)
		if who.web != nil {
			b.orders.lies = append(b.orders.lies, lie{who.web, fmt.Sprintf(reason, piece)})
		}
		if !who.addr.IsValid() {
			return
		}
	case p.isWebSeed():
		b.convictWebSeed(p, fmt.Sprintf(reason, piece))
		return
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

// spared tells whether p is not to be banned: no other peer has what is
// missing, and only few of the pieces from p were corrupt.
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

// leaves remembers a peer that has disconnected, as blocks from it may still
// turn out to be corrupt.
func (b *blame) leaves(p *peer) {
	if p.brought && p.dismissal != messages.GoneBanned {
		b.former.add(p)
	}
}
