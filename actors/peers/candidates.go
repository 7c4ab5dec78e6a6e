package peers

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/messages"
)

const (
	maxCandidates = 2000 // addresses remembered, unless there may be more connections; the least promising make room
	maxBans       = 1000
	healthy       = time.Minute // a connection that lived this long clears the record

	// maxAtHost bounds the addresses with one host, but this very one, so that
	// nobody is made a victim of ours by who names all its ports.
	maxAtHost = 64
)

// candidate is an address that may be worth a dial.
type candidate struct {
	addr     netip.AddrPort
	source   *source
	at       int  // in candidates.list
	busy     bool // dialled or connected
	never    bool // it was ourselves, or somebody banned
	met      bool // it was connected once
	failures int
	next     time.Time // not before
	since    time.Time // busy since
}

// candidates are the addresses that we know of, and what came of dialling them.
type candidates struct {
	most int // addresses
	all  map[netip.AddrPort]*candidate
	list []*candidate // all of them: a map would give them in another order in each run
	bans map[banned]bool
	held []banned // in the order of the bans

	hosts   map[netip.Addr]int // addresses at each host; never 0
	sources map[messages.Source]*source
	dials   int // so far
}

// source is what is known of those candidates that came to us in one way.
type source struct {
	messages.Source
	addrs    int // in candidates.list
	lastDial int // the number of the last dial to one of them
}

func (s *source) manual() bool { return s.Source == messages.Manual }

// banned is an address that is not dialled, whoever is there, or with port 0 a
// peer id that is not welcome from there.
type banned struct {
	addr netip.AddrPort
	id   [20]byte
}

func from(host netip.Addr, id [20]byte) banned {
	return banned{netip.AddrPortFrom(messages.HostOf(host), 0), id}
}

// newCandidates has room for twice the addresses that can be connected to.
func newCandidates(connections int) *candidates {
	return &candidates{most: max(maxCandidates, 2*connections), all: map[netip.AddrPort]*candidate{}, bans: map[banned]bool{},
		hosts: map[netip.Addr]int{}, sources: map[messages.Source]*source{}}
}

// add takes note of an address. What is known of it already stays.
func (c *candidates) add(a messages.PeerAddr) {
	if c.bans[banned{addr: a.Addr}] || !a.Addr.IsValid() || a.Addr.Port() == 0 {
		return
	}
	if known, ok := c.all[a.Addr]; ok {
		if a.Source == messages.Manual {
			c.attribute(known, a.Source)
		}
		return
	}
	host := messages.HostOf(a.Addr.Addr())
	if a.Source != messages.Manual && c.hosts[host] >= maxAtHost && !host.IsLoopback() {
		return
	}
	if len(c.all) >= c.most && !c.evict(a.Source) {
		return
	}
	x := &candidate{addr: a.Addr, at: len(c.list)}
	c.attribute(x, a.Source)
	c.all[a.Addr], c.list = x, append(c.list, x)
	c.hosts[host]++
}

// attribute makes a candidate one of this source.
func (c *candidates) attribute(x *candidate, to messages.Source) {
	if x.source != nil {
		x.source.addrs--
	}
	x.source = c.source(to)
	x.source.addrs++
}

func (c *candidates) source(of messages.Source) *source {
	s := c.sources[of]
	if s == nil {
		s = &source{Source: of}
		c.sources[of] = s
	}
	return s
}

// evict forgets, for a newcomer, the address that has failed most often, of the
// source with the most addresses: a source that floods us keeps out only what
// comes from itself. What the user gave is never forgotten, and always let in.
func (c *candidates) evict(newcomer messages.Source) bool {
	own := c.source(newcomer)
	fullest, atLeast := own, own.addrs+1
	if own.manual() {
		fullest, atLeast = nil, 0
	}
	for _, x := range c.list {
		if !x.source.manual() && x.source.addrs > atLeast {
			fullest, atLeast = x.source, x.source.addrs
		}
	}
	var worst *candidate
	for _, x := range c.list {
		if x.source == fullest && !x.busy && (worst == nil || x.failures > worst.failures) {
			worst = x
		}
	}
	if worst == nil || worst.failures == 0 && fullest == own {
		return false
	}
	c.forget(worst.addr)
	return true
}

func (c *candidates) forget(addr netip.AddrPort) {
	x := c.all[addr]
	if x == nil {
		return
	}
	last := len(c.list) - 1
	c.list[x.at] = c.list[last]
	c.list[x.at].at = x.at
	c.list[last] = nil
	c.list = c.list[:last]
	delete(c.all, addr)
	x.source.addrs--
	host := messages.HostOf(addr.Addr())
	if c.hosts[host]--; c.hosts[host] == 0 {
		delete(c.hosts, host)
	}
}

// next picks the address to dial: first what the user gave, then of each source in
// turn the one with the fewest failures, in random order. When none is due yet,
// due is when one will be; the zero time means never.
func (c *candidates) next(now time.Time, rnd *rand.Rand) (best *candidate, due time.Time) {
	ties := 0
	for _, x := range c.list {
		switch {
		case x.busy || x.never:
		case x.next.After(now):
			if due.IsZero() || x.next.Before(due) {
				due = x.next
			}
		case best == nil || c.better(x, best):
			best, ties = x, 1
		case !c.better(best, x):
			if ties++; rnd.IntN(ties) == 0 {
				best = x
			}
		}
	}
	return best, due
}

// waiting is how many may be dialled, sooner or later.
func (c *candidates) waiting() (n int) {
	for _, x := range c.list {
		if !x.busy && !x.never {
			n++
		}
	}
	return n
}

func (c *candidates) better(a, b *candidate) bool {
	switch {
	case a.source == b.source:
		return a.failures < b.failures
	case a.source.manual() || b.source.manual():
		return a.source.manual()
	}
	return a.source.lastDial < b.source.lastDial
}

func (c *candidates) dialled(addr netip.AddrPort, now time.Time) {
	if x := c.all[addr]; x != nil {
		x.busy, x.since = true, now
		c.dials++
		x.source.lastDial = c.dials
	}
}

// met takes note that somebody of the torrent answers at addr.
func (c *candidates) met(addr netip.AddrPort) {
	if x := c.all[addr]; x != nil {
		x.met = true
	}
}

// gone enters how a connection to addr ended, and with that when it is worth
// another try.
func (c *candidates) gone(addr netip.AddrPort, why messages.GoneReason, now time.Time, rnd *rand.Rand) {
	x := c.all[addr]
	if x == nil {
		return
	}
	if x.busy && now.Sub(x.since) >= healthy {
		x.failures = 0
	}
	x.busy = false
	if why == messages.GoneCrowded {
		return // it is not at fault
	}
	x.failures++
	if why == messages.GoneSelf || why == messages.GoneBanned {
		x.never = true
		return
	}
	base, limit := 5*time.Second, 5*time.Minute
	switch why {
	case messages.GoneHandshake, messages.GoneProtocol, messages.GoneDuplicate, messages.GoneUseless, messages.GoneFailed:
		base = time.Minute
	case messages.GoneClosed, messages.GoneDial, messages.GoneIdle:
		if x.met {
			limit = time.Minute // it may come back
		}
	}
	if x.source.manual() {
		base, limit = 2*time.Second, 30*time.Second
	}
	wait := limit
	if shift := x.failures - 1; shift < 10 {
		wait = min(base<<shift, limit)
	}
	x.next = now.Add(wait - time.Duration(float64(wait)*0.2*rnd.Float64()))
}

// ban forgets an address, for good.
func (c *candidates) ban(addr netip.AddrPort) {
	c.enter(banned{addr: addr})
	c.forget(addr)
}

// bar makes who comes in from host with that id unwelcome.
func (c *candidates) bar(host netip.Addr, id [20]byte) { c.enter(from(host, id)) }

// enter makes room for a ban by forgetting the oldest.
func (c *candidates) enter(b banned) {
	if c.bans[b] {
		return
	}
	if len(c.held) >= maxBans {
		delete(c.bans, c.held[0])
		c.held = c.held[1:]
	}
	c.bans[b], c.held = true, append(c.held, b)
}

func (c *candidates) barred(host netip.Addr, id [20]byte) bool { return c.bans[from(host, id)] }
