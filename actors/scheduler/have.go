package scheduler

import (
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// haveWait is how long verified pieces gather before they are announced to
	// peers, and haveBatch is how many may gather: at that number they are
	// announced at once.
	haveWait  = 100 * time.Millisecond
	haveBatch = 32

	// crowd is up to how many connected peers are all told at once. In a larger
	// swarm only those that we have unchoked are told at once; the others take
	// turns. Each message is a packet, and a peer cannot use it before we unchoke
	// that peer.
	crowd = 100
	// crowdShare is how many of the others are told within haveWait. It is more in
	// a swarm so large that telling all of them would else take longer than
	// crowdTime.
	crowdShare = 20
	crowdTime  = 10 * time.Second
)

// haves are the verified pieces of which not every peer has been told, oldest
// first. How far a peer has been told (peer.told) is counted from the first
// piece that was verified in this run.
type haves struct {
	pieces []uint32
	before int // number of earlier pieces, of which every peer has been told
	fresh  int // how many of the last pieces no peer has been told of

	next  int       // the place in the roster whose turn it is, in a crowd
	spent time.Time // time up to which all turns have been used
}

func (h *haves) add(piece uint32) {
	h.pieces = append(h.pieces, piece)
	h.fresh++
}

// urgent says whether peers are to be told at once, instead of after haveWait.
func (h *haves) urgent(complete bool) bool {
	return h.fresh >= haveBatch || h.fresh > 0 && complete
}

// end is the value of told for a peer that has been told of every piece.
func (h *haves) end() int { return h.before + len(h.pieces) }

// since returns the pieces of which a peer with this value of told has not been
// told yet. The caller owns the slice.
func (h *haves) since(told int) []uint32 { return slices.Clone(h.pieces[told-h.before:]) }

// turn returns how many peers, from next on, may be looked at now, and how many
// of those may be told. A look may find that a peer has these pieces itself and
// need not be told; therefore more looks than messages are allowed, crowd of
// them within haveWait.
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

// spread offers each peer the pieces of which it has not been told: unchoked
// peers at once, the others of a crowd when it is their turn. offer returns
// whether it told the peer.
func (h *haves) spread(peers []*peer, now time.Time, offer func(*peer, *messages.AnnounceHave) bool) {
	h.fresh = 0
	if len(h.pieces) == 0 {
		return
	}
	looks, tells := h.turn(len(peers), now)
	var m *messages.AnnounceHave // shared by all peers with the same value of told
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

// spread announces to each peer, through tell, the pieces verified since the
// last announcement to that peer, unless the peer has all of them itself.
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

// announceHaves tells the torrent and the peers which pieces were verified.
func (s *swarm) announceHaves() {
	s.announced = true
	if fresh := s.haves.fresh; fresh > 0 {
		s.out.Send(s.refs.Torrent, &messages.TorrentPiecesVerified{
			InfoHash: s.torrent.InfoHash, Pieces: s.haves.since(s.haves.end() - fresh),
		})
	}
	s.spread(s.offer)
}

// offer tells a peer of pieces that it may want.
func (s *swarm) offer(p *peer, m *messages.AnnounceHave) {
	p.offered = s.now
	s.out.Send(p.Peer, m)
}

// thank tells the peer that sent a whole piece that we have it. Others are not
// told of what they have, but a peer that super-seeds (BEP 16) shows us no
// other piece before it has heard of this one.
func (s *swarm) thank(source *peer, piece uint32) {
	if source.has(piece) && !source.seed(s.pieces) && !source.gone {
		s.out.Send(source.Peer, &messages.AnnounceHave{Pieces: []uint32{piece}})
	}
}
