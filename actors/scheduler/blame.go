package scheduler

import (
	"fmt"
	"net/netip"

	"kouzui/messages"
)

// pieceCorrupt: all of the piece has to come again. If all of it came from one
// peer, that is proof; if not, it is asked whole of one peer, and the next
// failure will be.
func (s *swarm) pieceCorrupt(m *messages.PieceCorrupt) {
	s.totals.corrupt++
	if len(m.Contributors) == 1 {
		s.ban(m.Contributors[0], fmt.Sprintf("all of piece %d came from it and failed its hash", m.Piece))
	} else {
		s.suspect[m.Piece] = true
	}
	s.restart(m.Piece)
}

func (s *swarm) proofOfBlame(m *messages.ProofOfBlame) {
	for _, key := range m.Peers {
		s.ban(key, fmt.Sprintf("its blocks of piece %d were not those that passed the hash", m.Piece))
	}
}

func (s *swarm) ban(key messages.PeerKey, reason string) {
	var who former
	if p := s.byKey[key]; p != nil {
		who = former{p.Key, p.Addr, p.Inbound}
		s.dismiss(p, messages.GoneBanned)
	} else if who = s.past.former(key); !who.addr.IsValid() {
		return
	}
	s.bans = append(s.bans, &messages.BanAddress{Addr: who.addr, Inbound: who.inbound, Reason: reason})
}

// past is what is kept of peers that are gone: their totals, and the addresses
// of the last few, whose blocks may still turn out to be corrupt.
type past struct {
	uploaded, wasted int64
	last             [remembered]former
	next             int
}

type former struct {
	key     messages.PeerKey
	addr    netip.AddrPort
	inbound bool
}

// remembered bounds the memory of addresses.
const remembered = 256

func (g *past) add(p *peer) {
	g.uploaded += p.rates.UpTotal
	g.wasted += p.rates.WastedTotal
	g.last[g.next] = former{p.Key, p.Addr, p.Inbound}
	g.next = (g.next + 1) % remembered
}

// former is invalid for a peer that is not remembered.
func (g *past) former(key messages.PeerKey) former {
	for _, f := range g.last {
		if f.key == key {
			return f
		}
	}
	return former{}
}
