package dht

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// universe is members that exchange datagrams in virtual time.
type universe struct {
	t       testing.TB
	now     time.Time
	agenda  agenda
	nodes   map[netip.AddrPort]*member
	order   []*member
	rand    *rand.Rand
	delay   func(from, to netip.AddrPort) time.Duration   // negative: lost
	rewrite func(from netip.AddrPort, data []byte) []byte // what a node sends; nil: as it is
	sent    int
	peers   map[*actor.PID][]netip.AddrPort // that torrents were told
	report  map[*member]*messages.DHTReport
	armed   map[*member]time.Time
	wakes   int
	seen    map[*member]map[netip.AddrPort]bool // who has told at which address the node is
}

type happening struct {
	at time.Time
	do func()
	n  int
}

type agenda []happening

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}

var start = time.Unix(1_800_000_000, 0)

func newUniverse(t testing.TB, seed uint64) *universe {
	return &universe{
		t: t, now: start, nodes: map[netip.AddrPort]*member{}, rand: rand.New(rand.NewPCG(seed, 1)),
		delay: func(netip.AddrPort, netip.AddrPort) time.Duration { return 20 * time.Millisecond },
		armed: map[*member]time.Time{}, seen: map[*member]map[netip.AddrPort]bool{},
		peers: map[*actor.PID][]netip.AddrPort{}, report: map[*member]*messages.DHTReport{},
	}
}

func (u *universe) after(d time.Duration, do func()) {
	heap.Push(&u.agenda, happening{u.now.Add(d), do, u.sent})
	u.sent++
}

// run lets time pass.
func (u *universe) run(d time.Duration) {
	end := u.now.Add(d)
	for len(u.agenda) > 0 && !u.agenda[0].at.After(end) {
		next := heap.Pop(&u.agenda).(happening)
		u.now = next.at
		next.do()
	}
	u.now = end
}

// host is the i-th address of the universe, each in a /24 of its own.
func host(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{50 + byte(i>>16), byte(i >> 8), byte(i), 1}), 6881)
}

// join adds a node that knows the given ones.
func (u *universe) join(addr netip.AddrPort, known ...netip.AddrPort) *member {
	m := newMember(Config{AtOnce: true, Nodes: known, Family: messages.Family(addr.Addr())}, rand.New(rand.NewPCG(u.rand.Uint64(), 2)))
	u.nodes[addr] = m
	u.order = append(u.order, m)
	m.bound(addr)
	u.settle(m)
	return m
}

// settle does what the shell does after each message.
func (u *universe) settle(m *member) {
	m.proceed(u.now)
	effects := m.take()
	for _, d := range effects.datagrams {
		u.transmit(m.addr, d.Addr, d.Data)
	}
	for _, reply := range effects.replies {
		reply()
	}
	m.out.Flush(func(to *actor.PID, what any) {
		switch w := what.(type) {
		case *messages.PeersFound:
			for _, p := range w.Addrs {
				u.peers[to] = append(u.peers[to], p.Addr)
			}
		case *messages.AddressReported: // session believes four
			if u.seen[m] == nil {
				u.seen[m] = map[netip.AddrPort]bool{}
			}
			if u.seen[m][w.Voter] = true; len(u.seen[m]) == 4 {
				u.after(time.Millisecond, func() {
					m.setAddress(w.Addr, u.now)
					u.settle(m)
				})
			}
		case *messages.DHTReport:
			u.report[m] = w
		}
	})
	at := m.next(u.now)
	if !at.IsZero() && !at.After(u.now) {
		u.t.Fatalf("due at %v, which has been: queries %v, boot %v %v, blocked %v, search %v", at, m.queries.next(), m.boot.next, m.boot.namesAt, m.blocked, m.nextSearch())
	}
	if at.IsZero() {
		return
	}
	if armed := u.armed[m]; !armed.IsZero() && !at.Before(armed) {
		return
	}
	u.armed[m] = at
	u.after(at.Sub(u.now), func() {
		if u.nodes[m.addr] == m && u.armed[m].Equal(at) { // else it was set anew
			delete(u.armed, m)
			u.wakes++
			u.settle(m)
		}
	})
}

func (u *universe) transmit(from, to netip.AddrPort, data []byte) {
	if len(data) > krpc.MaxSize {
		u.t.Errorf("%d bytes are sent", len(data))
	}
	if u.rewrite != nil {
		data = u.rewrite(from, data)
	}
	if d := u.delay(from, to); d >= 0 {
		u.after(d, func() {
			if m := u.nodes[to]; m != nil {
				m.received(from, data, u.now)
				u.settle(m)
			}
		})
	}
}

// want has a node look for a torrent, and returns the one that is told.
func (u *universe) want(m *member, hash krpc.ID, port uint16) *actor.PID {
	torrent := actor.NewPID("here", fmt.Sprint(m.addr, hash))
	m.search(&messages.SearchPeers{InfoHash: metainfo.Hash(hash), Torrent: torrent, Port: port, Urgent: true}, u.now)
	u.settle(m)
	return torrent
}

// village makes n nodes, each of which begins with one of the earlier ones.
func village(t testing.TB, n int) *universe {
	u := newUniverse(t, 7)
	for i := range n {
		var known []netip.AddrPort
		if i > 0 {
			known = append(known, host(u.rand.IntN(i)))
		}
		u.join(host(i), known...)
		u.run(time.Second)
	}
	u.run(time.Minute)
	return u
}

// TestAnnouncesAreFound: of how many nodes ever, each finds what another one
// has announced.
func TestAnnouncesAreFound(t *testing.T) {
	for _, n := range []int{2, 3, 10, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			u := village(t, n)
			hash := krpc.ID{1, 2, 3}
			u.want(u.order[0], hash, 4000)
			u.run(time.Minute)
			missed := 0
			for _, m := range u.order[1:] {
				torrent := u.want(m, hash, 0)
				u.run(30 * time.Second)
				want := netip.AddrPortFrom(host(0).Addr(), 4000)
				got := u.peers[torrent]
				if len(got) == 0 || slices.ContainsFunc(got, func(a netip.AddrPort) bool { return a != want }) {
					missed++
				}
			}
			if missed > 0 {
				t.Errorf("%d of %d do not find it", missed, n-1)
			}
			for i, m := range u.order {
				if known, good := m.table.count(u.now); known == 0 || good == 0 {
					t.Errorf("node %d knows %d nodes, %d of them good", i, known, good)
				}
			}
		})
	}
}
