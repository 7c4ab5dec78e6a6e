package scheduler

import (
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// newsWait is how long verified pieces gather before they are announced,
	// newsEnough how many do at most.
	newsWait   = 100 * time.Millisecond
	newsEnough = 32
	// newsCrowd is how many peers all hear of them then. In a larger swarm those
	// that may not download from us hear of them in turn, newsWords within
	// newsWait, and more where newsLate would not do for all: each word is a
	// packet, and nobody who hears it can use it before we unchoke him. Who is
	// not told, because he has those pieces, costs a look: there are newsCrowd of
	// them within newsWait.
	newsCrowd = 100
	newsWords = 20
	newsLate  = 10 * time.Second
)

// news are the pieces that have become ours and of which not every peer has
// heard, oldest first. How far a peer has heard is counted from the first piece
// of all.
type news struct {
	pieces []uint32
	heard  int // how many pieces everybody had heard of before these
	fresh  int // of pieces, the last ones: nobody has heard of them

	next  int       // the place of whose turn it is in a crowd
	spent time.Time // until when turns have been given away
}

func (n *news) add(piece uint32) {
	n.pieces = append(n.pieces, piece)
	n.fresh++
}

// end is how far one has heard who knows everything.
func (n *news) end() int { return n.heard + len(n.pieces) }

// since is what is new to one who has heard so far. The slice is the caller's.
func (n *news) since(heard int) []uint32 { return slices.Clone(n.pieces[heard-n.heard:]) }

// turn is how many of so many peers, from next on, may be looked at now, and how
// many of them told, if they are told in turn.
func (n *news) turn(peers int, now time.Time) (looks, words int) {
	if peers <= newsCrowd {
		return peers, peers
	}
	each := time.Duration(max(newsWords, 1+(peers-1)/int(newsLate/newsWait)))
	since := min(now.Sub(n.spent), newsWait)
	many := since * each / newsWait
	n.spent = now.Add(many*newsWait/each - since)
	return int(many * max(newsCrowd, each) / each), int(many)
}

// forget drops what everybody has heard of who has heard so far.
func (n *news) forget(heard int) {
	n.pieces = slices.Delete(n.pieces, 0, heard-n.heard)
	n.heard = heard
}

// spread has everybody told of the pieces that have become ours since he heard
// last who lacks some of them: a seed will not ask for them. In a crowd, those
// are told that may download from us, and others if it is their turn.
func (s *swarm) spread(tell func(*peer, *messages.AnnounceHave)) {
	n := &s.news
	n.fresh = 0
	if len(n.pieces) == 0 {
		return
	}
	looks, words := n.turn(len(s.peers), s.now)
	var m *messages.AnnounceHave // for all who have heard as far
	said, least := 0, n.end()
	for i, first := 0, n.next; i < len(s.peers); i++ {
		place := (first + i) % len(s.peers)
		p, turn := s.peers[place], i < looks && words > 0
		if turn {
			n.next = place + 1
		}
		if p.heard == n.end() {
			continue
		}
		if p.rates.Flags.AmChoking && !turn {
			least = min(least, p.heard)
			continue
		}
		if m == nil || p.heard != said {
			m, said = &messages.AnnounceHave{Pieces: n.since(p.heard)}, p.heard
		}
		p.heard = n.end()
		s.recount(p)
		if p.lacks(m.Pieces) {
			tell(p, m)
			if p.rates.Flags.AmChoking {
				words--
			}
		}
	}
	n.forget(least)
}
