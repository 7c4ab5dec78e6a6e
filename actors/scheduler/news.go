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
	// that may not download from us hear of more pieces at a time, the later the
	// more peers there are: each word to each of thousands is a packet.
	newsCrowd = 100
)

// news are the pieces that have become ours and of which not every peer has
// heard, oldest first. How far a peer has heard is counted from the first piece
// of all.
type news struct {
	pieces []uint32
	heard  int       // how many pieces everybody had heard of before these
	fresh  int       // of pieces, the last ones: nobody has heard of them
	spread time.Time // when everybody was told last
}

func (n *news) add(piece uint32) {
	n.pieces = append(n.pieces, piece)
	n.fresh++
}

// end is how far one has heard who knows everything.
func (n *news) end() int { return n.heard + len(n.pieces) }

// since is what is new to one who has heard so far. The slice is the caller's.
func (n *news) since(heard int) []uint32 { return slices.Clone(n.pieces[heard-n.heard:]) }

// forEverybody tells whether it is time to tell all of so many peers.
func (n *news) forEverybody(peers int, now time.Time) bool {
	return peers <= newsCrowd || now.Sub(n.spread) >= newsWait*time.Duration(peers)/newsCrowd
}

// spreadAt takes note that everybody has been told.
func (n *news) spreadAt(now time.Time) {
	n.heard, n.spread = n.end(), now
	n.pieces = n.pieces[:0]
}
