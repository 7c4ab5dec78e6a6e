package peers

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/extended"
)

const (
	// maxCandidates bounds the addresses that are remembered, unless there may be
	// more than half as many connections.
	maxCandidates = 2000
	// maxAtHost bounds the addresses at one host other than this machine: a source
	// that lists all ports of a host must not make us flood that host with
	// connections.
	maxAtHost = 64

	// goodConnection is how long a connection has to last for earlier failures to
	// be forgotten.
	goodConnection = time.Minute
	// firstRetry is the wait after a first failure, which doubles with each
	// further one up to maxRetry.
	firstRetry, maxRetry = 5 * time.Second, 5 * time.Minute
	// firstRetryMisfit is the first wait for a peer that answered, but with which
	// a connection was not possible or had no use.
	firstRetryMisfit = time.Minute
	// maxRetryKnown is the longest wait for a peer that was connected before and
	// may come back.
	maxRetryKnown = time.Minute
	// firstRetryManual and maxRetryManual are the waits for an address that the
	// user gave.
	firstRetryManual, maxRetryManual = 2 * time.Second, 30 * time.Second
	// retryLost is the longest wait, once, for a peer that we and that peer have
	// dialled at the same time if both connections were lost. It is shorter by up
	// to half, so that it does not happen again.
	retryLost = 1500 * time.Millisecond
	// retryJitter: each wait is shorter by a random part of it, up to this.
	retryJitter = 0.2
)

// candidate is an address that may be worth a dial.
type candidate struct {
	addr     netip.AddrPort
	source   *source
	at       int  // in candidates.list
	busy     bool // dialled or connected
	never    bool // we dialled ourselves there, or a banned peer
	known    bool // was connected once
	silent   bool // nobody answered the last dial
	useless  bool // the last connection ended because neither side had a use for it
	hurried  bool // the last wait was retryLost
	encrypts bool // the next dial is encrypted
	turned   bool // the last dial was the first one in the other way
	failures int
	next     time.Time // not to be dialled before
	since    time.Time // busy since
}

// candidates are the addresses of peers that we know of, and the results of
// dialling them.
type candidates struct {
	most int // addresses
	all  map[netip.AddrPort]*candidate
	list []*candidate // the same candidates; a map would list them in another order in each run

	hosts   map[netip.Addr]int // addresses at each host; never 0
	sources map[messages.Source]*source
	dials   int // so far
	// ours is our address as others see it, of IPv4 and of IPv6; the zero value:
	// not known. A wrong one changes only the order among equals.
	ours [2]netip.Addr
	room int // how many more connections there may be
	// private: the torrent takes peers from some sources only (BEP 27).
	private bool
	policy  messages.EncryptionPolicy
}

// source counts the candidates from one source: a tracker tier, the user, and
// so on.
type source struct {
	messages.Source
	addrs    int // in candidates.list
	lastDial int // the number of the last dial to one of them
}

func (s *source) manual() bool { return s.Source == messages.Manual }

// newCandidates returns candidates with room for at least twice as many
// addresses as there may be connections.
func newCandidates(connections int, policy messages.EncryptionPolicy) *candidates {
	return &candidates{
		policy: policy,
		most:   max(maxCandidates, 2*connections), all: map[netip.AddrPort]*candidate{},
		hosts: map[netip.Addr]int{}, sources: map[messages.Source]*source{},
	}
}

// add adds an address. Adding a known address changes nothing, except that it
// counts as given by the user if the user gives it now.
func (c *candidates) add(a messages.PeerAddr) {
	if !a.Source.Allowed(c.private) || !a.Addr.IsValid() || a.Addr.Port() == 0 {
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
	if len(c.all) >= c.most && !c.makeRoom(a.Source) {
		return
	}
	x := &candidate{addr: a.Addr, at: len(c.list), encrypts: c.encrypts(a)}
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

// makeRoom makes room for an address from the source newcomer. It forgets an
// address of the source that has the most, the one that has failed most often:
// a source that floods us displaces only its own addresses. Addresses that the
// user gave are always added, and never forgotten.
func (c *candidates) makeRoom(newcomer messages.Source) bool {
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

// allows tells whether the torrent may be connected to a candidate.
func (c *candidates) allows(addr netip.AddrPort) bool {
	x := c.all[addr]
	return x == nil || x.source.Allowed(c.private)
}

// forgetForbidden forgets the candidates that are not allowed, as when a
// torrent turns out to be private.
func (c *candidates) forgetForbidden() {
	for _, x := range slices.Clone(c.list) {
		if !x.source.Allowed(c.private) {
			c.forget(x.addr)
		}
	}
}

// forgetTold forgets all candidates but those that the user has given.
func (c *candidates) forgetTold() {
	for _, x := range slices.Clone(c.list) {
		if !x.source.manual() {
			c.forget(x.addr)
		}
	}
}

func (c *candidates) has(addr netip.AddrPort) bool { return c.all[addr] != nil }

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

// next picks the address to dial: first those that the user gave, then one of
// each source in turn, the one with the fewest failures, and a random one among
// equals, or if there is not room for all the one of the highest priority (BEP
// 40). If no address may be dialled yet, due is when the first may; the zero
// time means never.
func (c *candidates) next(now time.Time, rnd *rand.Rand) (best *candidate, due time.Time) {
	ties, ready := 0, 0
	var first ranked
	for _, x := range c.list {
		switch {
		case x.busy || x.never:
		case x.next.After(now):
			if due.IsZero() || x.next.Before(due) {
				due = x.next
			}
		case best == nil || c.better(x, best):
			best, ties, ready = x, 1, ready+1
			first = c.rank(x)
		case !c.better(best, x):
			ready++
			if ties++; rnd.IntN(ties) == 0 {
				best = x
			}
			if r := c.rank(x); r.priority > first.priority {
				first = r
			}
		default:
			ready++
		}
	}
	if ready > c.room && first.priority > 0 {
		best = first.candidate
	}
	return best, due
}

// ranked is a candidate and its priority (BEP 40).
type ranked struct {
	*candidate
	priority uint32 // 0: our address is not known
}

// rank returns a candidate with its priority. Our port, which counts between
// two at one address, is taken for 0.
func (c *candidates) rank(x *candidate) ranked {
	ours := c.ours[family(x.addr.Addr())]
	if !ours.IsValid() {
		return ranked{x, 0}
	}
	return ranked{x, extended.Priority(netip.AddrPortFrom(ours, 0), x.addr)}
}

// family is 0 of IPv4 and 1 of IPv6.
func family(a netip.Addr) int {
	if a.Unmap().Is4() {
		return 0
	}
	return 1
}

// waiting is how many addresses may be dialled, now or later.
func (c *candidates) waiting() (n int) {
	for _, x := range c.list {
		if !x.busy && !x.never {
			n++
		}
	}
	return n
}

// better tells whether a is to be dialled before b.
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

// connected records that a peer of the torrent listens at addr.
func (c *candidates) connected(addr netip.AddrPort) {
	if x := c.all[addr]; x != nil {
		x.known, x.silent, x.turned = true, false, false
	}
}

// gone records why a connection to addr ended, and decides when addr may be
// dialled again.
func (c *candidates) gone(addr netip.AddrPort, why messages.GoneReason, now time.Time, rnd *rand.Rand) {
	x := c.all[addr]
	if x == nil {
		return
	}
	if x.busy && now.Sub(x.since) >= goodConnection {
		x.failures, x.hurried = 0, false
	}
	x.busy, x.useless = false, why == messages.GoneUseless
	if c.turn(x, why) {
		x.next = time.Time{}
		return
	}
	switch why {
	case messages.GoneDial, messages.GoneHandshake, messages.GoneCut:
		x.silent = true
	case messages.GoneExhausted:
		return // our own process had no connection left
	case messages.GoneSelf, messages.GoneBanned:
		x.never = true
	}
	x.failures++
	if !x.never {
		wait := x.retry(why)
		x.next = now.Add(wait - time.Duration(float64(wait)*retryJitter*rnd.Float64()))
	}
}

// hurry has an address dialled soon, unless that was tried before.
func (x *candidate) hurry(now time.Time, rnd *rand.Rand) {
	if !x.hurried {
		x.hurried, x.next = true, now.Add(retryLost-time.Duration(rnd.Int64N(int64(retryLost/2))))
	}
}

// postpone has an address not dialled before a time.
func (x *candidate) postpone(until time.Time) {
	if x.next.Before(until) {
		x.next = until
	}
}

// retryUseless allows peers from which we wanted nothing to be dialled at once:
// they may have pieces that are wanted now.
func (c *candidates) retryUseless() {
	for _, x := range c.list {
		if x.useless {
			x.useless, x.next = false, time.Time{}
		}
	}
}

// retry is how long to wait before the next dial after a failure.
func (x *candidate) retry(why messages.GoneReason) time.Duration {
	first, most := firstRetry, maxRetry
	switch why {
	case messages.GoneHandshake, messages.GoneCut, messages.GoneProtocol, messages.GoneDuplicate, messages.GoneUseless, messages.GoneFailed:
		first = firstRetryMisfit
	case messages.GoneClosed, messages.GoneDial, messages.GoneIdle:
		if x.known {
			most = maxRetryKnown
		}
	}
	if x.source.manual() {
		first, most = firstRetryManual, maxRetryManual
	}
	if doublings := x.failures - 1; doublings < 10 {
		return min(first<<doublings, most)
	}
	return most
}
