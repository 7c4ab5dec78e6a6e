package scheduler

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
)

// Newcomers from a host of which a peer was convicted are on parole: a few of
// them at a time are asked for one piece each, alone. A peer that brings its
// piece is like any other; else it costs us no more than that piece.

const (
	// maxTrials is how many newcomers of a host are asked at a time; one that is
	// silent for trialSilence does not count.
	maxTrials    = 3
	trialSilence = 3 * time.Second
	// After freeConvictions there is a pause before the next newcomer is asked,
	// which doubles with each further one.
	freeConvictions = 8
	firstPause      = time.Second
	maxPause        = time.Minute
	// maxHosts bounds how many hosts are remembered.
	maxHosts = 1000
)

// hosts are those from which corrupt data came.
type hosts map[netip.Addr]*host

type host struct {
	convictions int
	until       time.Time // no newcomer is asked before
}

// convicted returns the host of an address, with one conviction more.
func (h hosts) convicted(addr netip.Addr, now time.Time) *host {
	at := h[addr]
	if at == nil {
		if len(h) >= maxHosts {
			delete(h, slices.MinFunc(slices.Collect(maps.Keys(h)), netip.Addr.Compare))
		}
		at = &host{}
		h[addr] = at
	}
	if at.convictions++; at.convictions > freeConvictions {
		at.until = now.Add(min(firstPause<<min(at.convictions-freeConvictions-1, 10), maxPause))
	}
	return at
}

// distrust puts on parole those behind a host that have proven nothing, and
// those that will come from there.
func (b *blame) distrust(addr netip.Addr) {
	h := b.hosts.convicted(addr, b.now)
	for _, p := range b.peers {
		if p.good == 0 && messages.HostOf(p.Addr.Addr()) == addr {
			p.parole = h
		}
	}
}

// arrives puts a new peer on parole if it comes from a host that is not
// trusted.
func (b *blame) arrives(p *peer) { p.parole = b.hosts[messages.HostOf(p.Addr.Addr())] }

// mayTry says whether it is the turn of a peer on parole to prove itself.
func (b *blame) mayTry(p *peer) bool {
	ahead := 0
	for _, q := range b.peers {
		if q != p && q.parole == p.parole && q.aheadOf(p, b.now) {
			ahead++
		}
	}
	return ahead < maxTrials && !b.now.Before(p.parole.until)
}

// aheadOf says that p is on trial, or that it is its turn before q's: the peer
// that has waited longest comes first.
func (p *peer) aheadOf(q *peer, now time.Time) bool {
	switch {
	case p.gone, p.dismissed, p.choked, p.snubbed, p.wanted == 0:
		return false
	case p.own != nil && !p.own.finished:
		return now.Sub(p.speed.heard) < trialSilence
	default:
		return q.own == nil && p.Key < q.Key
	}
}

// credit takes note of a right piece that came from p alone, and says whether
// that ended its parole.
func (b *blame) credit(p *peer) (freed bool) {
	if p.gone {
		return false
	}
	p.good++
	freed = p.parole != nil
	p.parole = nil
	return freed
}

// formerPeers are the last peers that are gone and had brought something.
type formerPeers struct {
	last [maxFormer]former
	next int
}

// former is what a ban needs to know of a peer.
type former struct {
	key     messages.PeerKey
	addr    netip.AddrPort
	inbound bool
	id      [20]byte
}

func (p *peer) former() former { return former{p.Key, p.Addr, p.Inbound, p.ID} }

func (f *formerPeers) add(p *peer) {
	f.last[f.next] = p.former()
	f.next = (f.next + 1) % maxFormer
}

// take returns and forgets what is known of a peer; its address is invalid if
// the peer is not remembered.
func (f *formerPeers) take(key messages.PeerKey) (found former) {
	for i := range f.last {
		if f.last[i].key == key {
			found, f.last[i] = f.last[i], found
		}
	}
	return found
}
