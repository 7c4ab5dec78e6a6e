package tracker

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/udptracker"
)

const (
	// firstWaits is how many times the first wait for an answer fits into the time
	// of an announce. The second wait is twice as long: of announceTimeout packets
	// are sent at 0 s, 5 s and 15 s. BEP 15 has 15 s and 45 s, for which the next
	// URL of a tier would have to wait.
	firstWaits = 6

	// connectionLife is how long a connection ID may be used (BEP 15).
	connectionLife = time.Minute

	// A name may have addresses of two families, of which one may be dead: each
	// address is asked headStart after the one before, until one has answered.
	headStart = 300 * time.Millisecond
	mostAsked = 4 // addresses of a name

)

var (
	errTimeout   = errors.New("timed out")
	errNoAddress = errors.New("the name has no address")
)

// noSocketError: the addresses of a tracker are of a family in which we have no
// socket.
type noSocketError string

func (e noSocketError) Error() string { return "there is no UDP socket of " + string(e) }

// udpServer is where a tracker is asked over UDP, as its URL says.
type udpServer struct {
	host string
	port uint16
	path string // and the query
}

// isUDP tells which trackers are asked over UDP.
func isUDP(raw string) bool { return strings.HasPrefix(raw, "udp://") }

func parseUDP(raw string) (udpServer, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return udpServer{}, errors.New("not a URL with a host")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return udpServer{}, errors.New("it names no port")
	}
	s := udpServer{host: u.Hostname(), port: uint16(port), path: u.EscapedPath()}
	if u.RawQuery != "" {
		s.path += "?" + u.RawQuery
	}
	return s, nil
}

// connections are the connection IDs that may still be used, by the address
// that gave them: two names of one tracker share one, and two addresses of one
// name do not.
type connections map[netip.AddrPort]connection

type connection struct {
	id    uint64
	until time.Time
}

func (c connections) add(at netip.AddrPort, id uint64, now time.Time) {
	for addr, old := range c {
		if !old.until.After(now) {
			delete(c, addr)
		}
	}
	c[at] = connection{id, now.Add(connectionLife)}
}

// udpAnnounce is one announce over UDP: a connect (BEP 15) to each address of
// the tracker, and the announce to the one that answers first.
type udpAnnounce struct {
	known   connections
	rand    *rand.Rand
	request announce.Request
	path    string
	until   time.Time
	err     error // why the announce fails if no address is asked any more

	first time.Duration // the wait after the first packet
	begin []candidate   // the addresses, as they are asked at the beginning

	asked []*question // those that are waited for
	reply announce.Reply
}

// candidate is an address that may be asked from some time on.
type candidate struct {
	addr netip.AddrPort
	from time.Time
}

// question is what one address is asked.
type question struct {
	addr        netip.AddrPort
	action      udptracker.Action
	connection  uint64
	old         bool // the connection ID is of an earlier announce
	transaction uint32
	next        time.Time // when it is sent
	wait        time.Duration
}

// udpPacket is to be sent; its answer is waited for until a time.
type udpPacket struct {
	to          netip.AddrPort
	transaction uint32
	until       time.Time
	data        []byte
}

// udpStep is what an announce wants done.
type udpStep struct {
	send []udpPacket
	wake time.Time // when to call proceed next
	// done: the announce has come to its end, with the reply of the tracker at
	// from, or with an error and perhaps a reply that says why.
	done  bool
	from  netip.AddrPort
	reply announce.Reply
	err   error
}

// candidates are the addresses of a name that are asked: those that permit lets
// be asked, after the time that it says, and in whose families we have a
// socket. The error is why there are none, if there are none.
func candidates(addrs []netip.Addr, port uint16, sockets func(netip.Addr) bool, permit func(netip.Addr) (time.Duration, error), now time.Time) ([]candidate, error) {
	var found []candidate
	var reason error = &world.AnnounceError{Phase: world.PhaseDNS, Err: errNoAddress}
	for _, addr := range byTurns(addrs) {
		if len(found) == mostAsked {
			break
		}
		if !sockets(addr) {
			reason = &world.AnnounceError{Phase: world.PhaseConnect, Err: noSocketError(familyOf(addr))}
			continue
		}
		wait, err := permit(addr)
		if err != nil {
			reason = err
			continue
		}
		from := now.Add(wait + time.Duration(len(found))*headStart)
		found = append(found, candidate{netip.AddrPortFrom(addr, port), from})
	}
	return found, reason
}

// start begins the announce at one of the addresses.
func (a *udpAnnounce) start(now time.Time, begin []candidate) udpStep {
	a.begin, a.first = begin, a.until.Sub(now)/firstWaits
	for _, c := range begin {
		if id, ok := a.known[c.addr]; ok && id.until.After(now) {
			a.announceTo(c.addr, id.id, c.from)
			a.asked[0].old = true
			return a.proceed(now)
		}
	}
	a.connect()
	return a.proceed(now)
}

// byTurns returns the addresses so that those of one family alternate with
// those of the other, each once.
func byTurns(addrs []netip.Addr) []netip.Addr {
	var byFamily [2][]netip.Addr
	var first int
	for i, addr := range addrs {
		addr = addr.Unmap()
		f := messages.Family(addr)
		if i == 0 {
			first = f
		}
		if !slices.Contains(byFamily[f], addr) {
			byFamily[f] = append(byFamily[f], addr)
		}
	}
	var all []netip.Addr
	for i := range addrs {
		for _, f := range [...]int{first, 1 - first} {
			if i < len(byFamily[f]) {
				all = append(all, byFamily[f][i])
			}
		}
	}
	return all
}

func familyOf(a netip.Addr) string { return [...]string{"IPv4", "IPv6"}[messages.Family(a)] }

// connect asks all addresses for a connection ID.
func (a *udpAnnounce) connect() {
	a.asked = nil
	for _, c := range a.begin {
		a.asked = append(a.asked, &question{addr: c.addr, action: udptracker.Connect, transaction: a.rand.Uint32(), next: c.from, wait: a.first})
	}
}

// announceTo announces to one address, and asks no other any more.
func (a *udpAnnounce) announceTo(addr netip.AddrPort, id uint64, at time.Time) {
	a.asked = []*question{{
		addr: addr, action: udptracker.Announce, connection: id, transaction: a.rand.Uint32(), next: at, wait: a.first,
	}}
}

// proceed sends what is due.
func (a *udpAnnounce) proceed(now time.Time) udpStep {
	if len(a.asked) == 0 {
		return udpStep{done: true, reply: a.reply, err: a.err}
	}
	if !now.Before(a.until) {
		phase := world.PhaseConnect
		if a.asked[0].action == udptracker.Announce {
			phase = world.PhaseRead
			delete(a.known, a.asked[0].addr)
		}
		return udpStep{done: true, err: &world.AnnounceError{Phase: phase, Err: errTimeout}}
	}
	if q := a.asked[0]; q.old && q.wait > a.first && !q.next.After(now) {
		a.forget(q) // the tracker may have begun anew, or be elsewhere now
	}
	step := udpStep{wake: a.until}
	for _, q := range a.asked {
		if !q.next.After(now) {
			step.send = append(step.send, udpPacket{q.addr, q.transaction, a.until, a.packet(q)})
			q.next = now.Add(q.wait)
			q.wait *= 2
		}
		if q.next.Before(step.wake) {
			step.wake = q.next
		}
	}
	return step
}

func (a *udpAnnounce) packet(q *question) []byte {
	if q.action == udptracker.Connect {
		return udptracker.AppendConnect(nil, q.transaction)
	}
	return udptracker.AppendAnnounce(nil, q.connection, q.transaction, a.request, a.path)
}

// forget drops a connection ID of an earlier announce, and begins anew.
func (a *udpAnnounce) forget(q *question) {
	delete(a.known, q.addr)
	a.connect()
}

// received takes a datagram. One that answers nothing that is waited for is
// ignored: anybody can send it.
func (a *udpAnnounce) received(from netip.AddrPort, data []byte, now time.Time) udpStep {
	answer, err := udptracker.ParseAnswer(data)
	i := slices.IndexFunc(a.asked, func(q *question) bool { return q.addr == from && q.transaction == answer.Transaction })
	if err != nil || i < 0 {
		return a.proceed(now)
	}
	q := a.asked[i]
	switch answer.Action {
	case udptracker.Failed:
		return a.refused(i, udptracker.ParseFailed(answer.Body), now)
	case q.action:
	default:
		return a.proceed(now) // it is asked again
	}
	if q.action == udptracker.Connect {
		id, err := udptracker.ParseConnected(answer.Body)
		if err != nil {
			return a.fail(i, world.PhaseRead, err, now)
		}
		a.known.add(from, id, now)
		a.announceTo(from, id, now)
		return a.proceed(now)
	}
	reply, err := udptracker.ParseReply(answer.Body, from.Addr().Is6())
	switch {
	case errors.Is(err, udptracker.ErrNotServed):
		return a.refused(i, err.Error(), now)
	case err != nil:
		return a.fail(i, world.PhaseRead, err, now)
	}
	return udpStep{done: true, from: from, reply: reply}
}

// unsent takes that a packet could not be sent: its address is not asked any
// more. The name may have others that can be reached.
func (a *udpAnnounce) unsent(transaction uint32, err error, now time.Time) udpStep {
	i := slices.IndexFunc(a.asked, func(q *question) bool { return q.transaction == transaction })
	switch {
	case i < 0:
		return a.proceed(now)
	case a.asked[i].old:
		a.forget(a.asked[i])
		return a.proceed(now)
	case errors.Is(err, world.ErrNoAddress):
		err = noSocketError(familyOf(a.asked[i].addr.Addr()))
	}
	return a.fail(i, world.PhaseConnect, err, now)
}

// refused takes a refusal. An old connection ID may be what is refused.
func (a *udpAnnounce) refused(i int, reason string, now time.Time) udpStep {
	if q := a.asked[i]; q.old {
		a.forget(q)
		return a.proceed(now)
	}
	a.reply = announce.Reply{Failure: reason, Seeders: -1, Leechers: -1}
	return a.fail(i, world.PhaseFailure, errors.New(reason), now)
}

// fail drops one of the addresses that are asked.
func (a *udpAnnounce) fail(i int, phase world.Phase, err error, now time.Time) udpStep {
	delete(a.known, a.asked[i].addr)
	a.err = &world.AnnounceError{Phase: phase, Err: err}
	a.asked = slices.Delete(a.asked, i, i+1)
	return a.proceed(now)
}
