package scheduler

import (
	"slices"
	"time"
)

const (
	// newsWait is how long verified pieces gather before they are announced,
	// newsEnough how many do at most.
	newsWait   = 100 * time.Millisecond
	newsEnough = 32
	// newsCrowd is how many peers all hear of them then. In a larger swarm those
	// that may not download from us hear of them in turn, so many within newsWait:
	// each word to each of thousands is a packet, and all of them at once hold up
	// what moves.
	newsCrowd = 100
)

// news are the pieces that have become ours and of which not every peer has
// heard, oldest first. How far a peer has heard is counted from the first piece
// of all.
type news struct {
	pieces []uint32
	heard  int // how many pieces everybody had heard of before these
	fresh  int // of pieces, the last ones: nobody has heard of them

	turn  int       // the place of who is next in a crowd
	turns time.Time // when some had their turn last
}

func (n *news) add(piece uint32) {
	n.pieces = append(n.pieces, piece)
	n.fresh++
}

// end is how far one has heard who knows everything.
func (n *news) end() int { return n.heard + len(n.pieces) }

// since is what is new to one who has heard so far. The slice is the caller's.
func (n *news) since(heard int) []uint32 { return slices.Clone(n.pieces[heard-n.heard:]) }

// due returns whose turn it is, by place, among so many peers.
func (n *news) due(peers int, now time.Time) (its func(place int) bool) {
	if peers <= newsCrowd {
		return func(int) bool { return true }
	}
	many := int(min(now.Sub(n.turns), newsWait) * newsCrowd / newsWait)
	first := n.turn % peers
	if many > 0 {
		n.turn, n.turns = (first+many)%peers, now
	}
	return func(place int) bool { return (place-first+peers)%peers < many }
}

// forget drops what everybody has heard of who has heard so far.
func (n *news) forget(heard int) {
	n.pieces = slices.Delete(n.pieces, 0, heard-n.heard)
	n.heard = heard
}
