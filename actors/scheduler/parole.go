package scheduler

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
)

// New peers from the host of a banned peer are on parole: a few of them at a
// time get requests, each for one piece that is requested from no other peer. A
// peer that sends its piece right ends its parole; a peer that does not has
// cost us no more than that piece.

const (
	// maxTrials is how many peers of a host are on trial at a time; a peer that is
	// silent for trialSilence does not count.
	maxTrials    = 3
	trialSilence = 3 * time.Second
	// After freeConvictions bans at one host there is a pause before the next peer
	// of that host is tried. It doubles with each further ban.
	freeConvictions = 8
	firstPause      = time.Second
	maxPause        = time.Minute
	// maxHosts bounds how many hosts are remembered.
	maxHosts = 1000
)

// hosts are the hosts from which corrupt data came.
type hosts map[netip.Addr]*host

type host struct {
	convictions int
	until       time.Time // no peer on parole is tried before
}

// convicted adds a conviction to the host at an address, and returns the host.
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

// distrust puts on parole all peers of a host that have not yet sent a right
// piece alone, and those that will connect from there.
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
func (b *blame) arrives(p *peer) {
	if !p.isWebSeed() {
		p.parole = b.hosts[messages.HostOf(p.Addr.Addr())]
	}
}

// mayTry says whether a peer on parole may be asked for a piece now.
func (b *blame) mayTry(p *peer) bool {
	ahead := 0
	for _, q := range b.peers {
		if q != p && q.parole == p.parole && q.aheadOf(p, b.now) {
			ahead++
		}
	}
	return ahead < maxTrials && !b.now.Before(p.parole.until)
}

// aheadOf tells whether p is on trial, or is to be tried before q because it
// has waited longer.
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

// credit records a right piece that p alone sent, and says whether this ended
// the parole of p.
func (b *blame) credit(p *peer) (freed bool) {
	if p.gone {
		return false
	}
	p.good++
	freed = p.parole != nil
	p.parole = nil
	return freed
}

// formerPeers are the latest disconnected peers that had sent a block.
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
	web     *messages.PeerReady // of a web seed, which has no address; else nil
}

func (p *peer) former() former {
	f := former{key: p.Key, addr: p.Addr, inbound: p.Inbound, id: p.ID}
	if p.isWebSeed() {
		f.web = p.PeerReady
	}
	return f
}

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
