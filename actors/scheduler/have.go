package scheduler

import (
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// haveWait is how long verified pieces gather before peers are told of them,
	// haveBatch how many do at most.
	haveWait  = 100 * time.Millisecond
	haveBatch = 32

	// crowd is how many peers are told all at once. In a larger swarm only those
	// that may download from us are: each message is a packet, and nobody who gets
	// it can use it before we unchoke him. The others take turns.
	crowd = 100
	// crowdShare is how many of the others are told within haveWait, or more if
	// else not all would have been within crowdTime.
	crowdShare = 20
	crowdTime  = 10 * time.Second
)

// haves are the pieces that have become ours and of which not every peer has
// been told, oldest first. How far a peer has been told is counted from the
// first piece of all.
type haves struct {
	pieces []uint32
	before int // pieces of which every peer had been told before these
	fresh  int // of pieces, the last ones: no peer has been told of them

	next  int       // the place in the roster whose turn it is, in a crowd
	spent time.Time // until when turns have been given away
}

func (h *haves) add(piece uint32) {
	h.pieces = append(h.pieces, piece)
	h.fresh++
}

// urgent says whether peers are to be told now, and not after haveWait.
func (h *haves) urgent(complete bool) bool {
	return h.fresh >= haveBatch || h.fresh > 0 && complete
}

// end is how far a peer has been told that knows of every piece.
func (h *haves) end() int { return h.before + len(h.pieces) }

// since is what a peer lacks that has been told so far. The slice is the
// caller's.
func (h *haves) since(told int) []uint32 { return slices.Clone(h.pieces[told-h.before:]) }

// turn is how many of so many peers, from next on, may be looked at now if they
// take turns, and how many of them told. A look finds that a peer has these
// pieces itself and need not be told: there are crowd looks within haveWait.
func (h *haves) turn(peers int, now time.Time) (looks, tells int) {
	if peers <= crowd {
		return peers, peers
	}
	each := time.Duration(max(crowdShare, 1+(peers-1)/int(crowdTime/haveWait)))
	since := min(now.Sub(h.spent), haveWait)
	many := since * each / haveWait
	h.spent = now.Add(many*haveWait/each - since)
	return int(many * max(crowd, each) / each), int(many)
}

// forget drops the pieces of which every peer has been told.
func (h *haves) forget(told int) {
	h.pieces = slices.Delete(h.pieces, 0, told-h.before)
	h.before = told
}

// spread offers each peer the pieces that it has not been told of: those that
// may download from us at once, the others of a crowd if it is their turn.
// offer says whether it told the peer.
func (h *haves) spread(peers []*peer, now time.Time, offer func(*peer, *messages.AnnounceHave) bool) {
	h.fresh = 0
	if len(h.pieces) == 0 {
		return
	}
	looks, tells := h.turn(len(peers), now)
	var m *messages.AnnounceHave // the same for all that have been told as far
	from, least := 0, h.end()
	for i, first := 0, h.next; i < len(peers); i++ {
		place := (first + i) % len(peers)
		p, turn := peers[place], i < looks && tells > 0
		if turn {
			h.next = place + 1
		}
		switch {
		case p.told == h.end():
			continue
		case p.rates.Flags.AmChoking && !turn:
			least = min(least, p.told)
			continue
		case m == nil || p.told != from:
			m, from = &messages.AnnounceHave{Pieces: h.since(p.told)}, p.told
		}
		p.told = h.end()
		if offer(p, m) && p.rates.Flags.AmChoking {
			tells--
		}
	}
	h.forget(least)
}

// spread has every peer told, through tell, of the pieces that have become ours
// since it was told last, if it lacks some of them: a seed will not ask for
// them.
func (s *swarm) spread(tell func(*peer, *messages.AnnounceHave)) {
	s.haves.spread(s.peers, s.now, func(p *peer, m *messages.AnnounceHave) bool {
		s.recount(p)
		if !p.lacks(m.Pieces) {
			return false
		}
		tell(p, m)
		return true
	})
}

// announceHaves tells the torrent, and peers, of the pieces that have become
// ours.
func (s *swarm) announceHaves() {
	s.announced = true
	if fresh := s.haves.fresh; fresh > 0 {
		s.out.Send(s.refs.Torrent, &messages.TorrentPiecesVerified{
			InfoHash: s.torrent.InfoHash, Pieces: s.haves.since(s.haves.end() - fresh),
		})
	}
	s.spread(func(p *peer, m *messages.AnnounceHave) { s.out.Send(p.Peer, m) })
}
