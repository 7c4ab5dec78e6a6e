package scheduler

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
)

// A ban needs proof: a piece that came from one peer alone, or the store's
// comparison of a corrupt piece with the right one. Peers behind the same host
// are not to blame for each other; but as a peer can change its id and come
// again, those who are new there are on parole: a few of them at a time are asked
// for one piece each, alone. Who brings it is like anybody; else it costs us no
// more than that piece.

const (
	// The last peer that has a piece is spared some corrupt ones, as a disk
	// with faults sends them: there is nobody else to ask.
	mercy      = 2
	mercyGoods = 16 // one more for each so many good ones

	// How many newcomers of a convicted host are asked at a time; one that is
	// silent for a while does not count.
	paroleTrials  = 3
	paroleSilence = 3 * time.Second
	// From some convictions on there is a pause before the next one is asked,
	// which doubles with each.
	paroleFree  = 8
	paroleFirst = time.Second
	paroleMost  = time.Minute
	maxHosts    = 1000
)

// host is what is known of one from which corrupt data came.
type host struct {
	convictions int
	until       time.Time // nobody new there is asked before
}

// pieceCorrupt: all of the piece has to come again, whole from one peer, so that
// the next failure is proof.
func (s *swarm) pieceCorrupt(m *messages.PieceCorrupt) {
	s.totals.corrupt++
	s.suspect[m.Piece] = true
	if len(m.Contributors) == 1 {
		s.convict(m.Contributors[0], m.Piece, "the peer sent all of piece %d, which failed its hash check")
	}
	s.restart(m.Piece)
}

func (s *swarm) proofOfBlame(m *messages.BlameProven) {
	for _, key := range m.Peers {
		s.convict(key, m.Piece, "the peer sent wrong blocks of piece %d")
	}
}

func (s *swarm) convict(key messages.PeerKey, piece uint32, reason string) {
	p := s.byKey[key]
	var who former
	switch {
	case p == nil:
		if who = s.past.take(key); !who.addr.IsValid() {
			return
		}
	case p.dismissed || s.spared(p, piece):
		return
	default:
		who = p.former()
		s.dismiss(p, messages.GoneBanned)
	}
	s.bans = append(s.bans, &messages.BanAddress{
		Addr: who.addr, Inbound: who.inbound, ID: who.id, Reason: fmt.Sprintf(reason, piece),
	})
	s.distrust(messages.HostOf(who.addr.Addr()))
}

// spared: nobody else can bring what is missing, and little of what p brought
// was wrong.
func (s *swarm) spared(p *peer, piece uint32) bool {
	p.bad++
	if p.wanted == 0 || p.bad > mercy+p.good/mercyGoods {
		return false
	}
	return !slices.ContainsFunc(s.peers, func(q *peer) bool {
		helps := q.have.Test(uint(piece)) || s.have.Test(uint(piece)) && q.wanted > 0
		return helps && q != p && !q.dismissed && q.bad == 0
	})
}

// distrust puts on parole who has proven nothing behind a host, and who comes
// from there.
func (s *swarm) distrust(addr netip.Addr) {
	h := s.hosts[addr]
	if h == nil {
		if len(s.hosts) >= maxHosts {
			delete(s.hosts, slices.MinFunc(slices.Collect(maps.Keys(s.hosts)), netip.Addr.Compare))
		}
		h = &host{}
		s.hosts[addr] = h
	}
	if h.convictions++; h.convictions > paroleFree {
		h.until = s.now.Add(min(paroleFirst<<min(h.convictions-paroleFree-1, 10), paroleMost))
	}
	for _, p := range s.peers {
		if p.good == 0 && messages.HostOf(p.Addr.Addr()) == addr {
			p.parole = h
		}
	}
}

// onParole returns the piece that p is asked for to prove itself, if it is its
// turn.
func (s *swarm) onParole(p *peer) *active {
	if a := p.own; a != nil && !a.finished && !a.dropping {
		if a.free > 0 {
			return a
		}
		return nil // it is yet to come, or to be judged
	}
	before := 0
	for _, q := range s.peers {
		if q != p && q.parole == p.parole && q.before(p, s.now) {
			before++
		}
	}
	if before >= paroleTrials || s.now.Before(p.parole.until) {
		return nil
	}
	a := s.begin(p)
	if a == nil { // all are begun: one of which nothing is under way
		for _, b := range slices.Backward(s.ledger.partial) {
			if b.requested == 0 && p.have.Test(uint(b.piece)) && !s.claim(p, b) {
				a = b
				break
			}
		}
	}
	if a != nil {
		p.own, a.owner = a, p
	}
	return a
}

// before says that p is on trial, or that it is its turn before q's: whoever
// waits longest comes first.
func (p *peer) before(q *peer, now time.Time) bool {
	switch {
	case p.gone, p.dismissed, p.choked, p.snubbed, p.wanted == 0:
		return false
	case p.own != nil && !p.own.finished:
		return now.Sub(p.speed.heard) < paroleSilence
	default:
		return q.own == nil && p.Key < q.Key
	}
}

// credit: the piece is right, and came from one peer if from is not nil.
func (s *swarm) credit(from *peer) {
	if from == nil || from.gone {
		return
	}
	from.good++
	if from.parole != nil {
		from.parole = nil
		s.refill(from)
	}
}

// past is what is kept of peers that are gone: their totals, and the addresses
// of the last few that brought something, which may still turn out to be corrupt.
type past struct {
	uploaded, wasted int64
	last             [remembered]former
	next             int
}

type former struct {
	key     messages.PeerKey
	addr    netip.AddrPort
	inbound bool
	id      [20]byte
}

func (p *peer) former() former { return former{p.Key, p.Addr, p.Inbound, p.ID} }

// remembered bounds the memory of addresses.
const remembered = 256

func (g *past) add(p *peer) {
	g.uploaded += p.rates.UpTotal
	g.wasted += p.rates.WastedTotal
	if p.brought && p.dismissal != messages.GoneBanned {
		g.last[g.next] = p.former()
		g.next = (g.next + 1) % remembered
	}
}

// take returns and forgets what is known of a peer; it is invalid for one that is
// not remembered.
func (g *past) take(key messages.PeerKey) (f former) {
	for i := range g.last {
		if g.last[i].key == key {
			f, g.last[i] = g.last[i], f
		}
	}
	return f
}
