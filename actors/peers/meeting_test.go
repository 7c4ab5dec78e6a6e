package peers

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// meeting is two cores that know each other's address, with links between them
// that take time, in virtual time.
type meeting struct {
	now    time.Time
	chance *rand.Rand
	agenda []meetingEvent // soonest first
	sides  [2]*meetingSide
}

type meetingSide struct {
	*connections
	m       *meeting
	at      int // in sides
	next    messages.PeerKey
	links   map[messages.PeerKey]*meetingLink
	addr    netip.AddrPort
	dialled []time.Time
	due     time.Time
	lonely  time.Duration // without a connection, after the first
	since   time.Time     // when the last one ended; the zero time: there is one
	met     bool
}

// meetingLink is a connection; each side has its key, and each way its delay.
type meetingLink struct {
	messages.Link
	keys   [2]messages.PeerKey // 0: not there, or ended
	over   [2]bool
	delay  time.Duration
	dialer int
	remote netip.AddrPort
}

func (l *meetingLink) Remote() netip.AddrPort { return l.remote }

type meetingEvent struct {
	at time.Time
	do func()
}

func newMeeting(seed uint64) *meeting {
	m := &meeting{now: start, chance: rand.New(rand.NewPCG(seed, 1))}
	for i := range m.sides {
		s := &meetingSide{m: m, at: i, addr: addrOf(i + 1), links: map[messages.PeerKey]*meetingLink{}}
		s.connections = newConnections(Config{
			Self: [20]byte{byte(i)}, Max: 100, Metainfo: &metainfo.Torrent{},
			NextKey: func() messages.PeerKey { s.next++; return s.next },
		}, rand.New(rand.NewPCG(seed, uint64(2+i))), start)
		m.sides[i] = s
	}
	return m
}

func (m *meeting) after(d time.Duration, do func()) {
	at := m.now.Add(d)
	i := slices.IndexFunc(m.agenda, func(e meetingEvent) bool { return e.at.After(at) })
	if i < 0 {
		i = len(m.agenda)
	}
	m.agenda = slices.Insert(m.agenda, i, meetingEvent{at, do})
}

// lag is how long an actor takes to hear of something.
func (m *meeting) lag() time.Duration { return time.Duration(m.chance.Int64N(int64(time.Millisecond))) }

func (m *meeting) run(d time.Duration) {
	end := m.now.Add(d)
	for len(m.agenda) > 0 && !m.agenda[0].at.After(end) {
		e := m.agenda[0]
		m.agenda = m.agenda[1:]
		m.now = e.at
		e.do()
	}
	m.now = end
	for _, s := range m.sides {
		s.count()
	}
}

func (s *meetingSide) other() *meetingSide { return s.m.sides[1-s.at] }

// do has the core take something, and does what the shell would do.
func (s *meetingSide) do(what func()) {
	s.now = s.m.now
	what()
	for _, e := range s.out.take() {
		switch e := e.(type) {
		case spawn:
			if e.adopt == nil {
				s.dialled = append(s.dialled, s.m.now)
				s.connect(e.Key)
			}
		case tell:
			if d, is := e.message.(*messages.Disconnect); is {
				s.hangUp(e.key, d.Reason)
			}
		case dialAfter:
			due := s.m.now.Add(e.wait)
			s.due = due
			s.m.after(e.wait, func() {
				if s.due.Equal(due) {
					s.do(s.dial)
				}
			})
		}
	}
	s.count()
}

// count adds up for how long there is no connection.
func (s *meetingSide) count() {
	if s.ready() > 0 {
		s.met = true
		if !s.since.IsZero() {
			s.lonely += s.m.now.Sub(s.since)
			s.since = time.Time{}
		}
	} else if s.met && s.since.IsZero() {
		s.since = s.m.now
	}
}

func (s *meetingSide) ready() (n int) {
	for _, o := range s.slots.all {
		if o.ready {
			n++
		}
	}
	return n
}

// connect has a connection made: three ways until the other side has the
// handshake of the one that dials, and a fourth until that one has the other's.
func (s *meetingSide) connect(key messages.PeerKey) {
	l := &meetingLink{
		delay: time.Millisecond + time.Duration(s.m.chance.Int64N(int64(200*time.Millisecond))), dialer: s.at,
		remote: netip.AddrPortFrom(s.addr.Addr(), uint16(40_000+key)),
	}
	l.keys[s.at] = key
	s.links[key] = l
	o := s.other()
	s.m.after(3*l.delay, func() {
		if l.over[s.at] {
			return
		}
		o.do(func() { o.admit(&messages.AdoptLink{Link: l, Handshake: frame.Handshake{PeerID: s.self}}) })
		l.keys[o.at] = o.next
		o.links[o.next] = l
		s.m.after(s.m.lag(), func() { o.shaken(l) })
		s.m.after(l.delay, func() { s.shaken(l) })
	})
}

// shaken says that the handshakes of a link are exchanged, and has payload go
// out in the next second.
func (s *meetingSide) shaken(l *meetingLink) {
	if l.over[s.at] {
		return
	}
	key := l.keys[s.at]
	addr := l.remote
	if l.dialer == s.at {
		addr = s.other().addr
	}
	s.do(func() {
		s.connections.ready(&messages.PeerReady{Key: key, ID: s.other().self, Addr: addr, Inbound: l.dialer != s.at})
	})
	if s.m.chance.IntN(2) == 0 {
		s.m.after(time.Duration(s.m.chance.Int64N(int64(time.Second))), func() {
			s.pay(l)
			s.m.after(l.delay, func() { s.other().pay(l) })
		})
	}
}

func (s *meetingSide) pay(l *meetingLink) {
	if !l.over[s.at] {
		s.do(func() { s.useful(l.keys[s.at]) })
	}
}

// hangUp ends a connection; the other side hears of that later.
func (s *meetingSide) hangUp(key messages.PeerKey, why messages.GoneReason) {
	l := s.links[key]
	s.m.after(s.m.lag(), func() { s.lose(l, why) })
	s.m.after(l.delay, func() { s.other().lose(l, messages.GoneClosed) })
}

func (s *meetingSide) lose(l *meetingLink, why messages.GoneReason) {
	if l.over[s.at] || l.keys[s.at] == 0 {
		l.over[s.at] = true
		return
	}
	l.over[s.at] = true
	key := l.keys[s.at]
	s.do(func() { s.gone(&messages.PeerGone{Key: key, Reason: why}) })
	s.m.after(s.m.lag(), func() { s.do(func() { s.ended(key) }) })
}

func (s *meetingSide) know() {
	s.do(func() {
		s.setDialing(true)
		s.addCandidates([]messages.PeerAddr{{Addr: s.other().addr}})
	})
}

// TestTwoThatDialEachOtherKeepOneConnection: two that dial each other at the
// same moment, or nearly, are never without a connection from the first on, and
// soon have one alone, whatever links take and whichever is of use first.
func TestTwoThatDialEachOtherKeepOneConnection(t *testing.T) {
	for seed := range uint64(2000) {
		m := newMeeting(seed)
		for _, s := range m.sides {
			m.after(time.Duration(m.chance.IntN(3))*m.lag()*100, s.know)
		}
		m.run(3 * time.Second)
		for _, s := range m.sides {
			if n := s.ready(); n != 1 || s.lonely > 0 {
				t.Fatalf("seed %d: side %d has %d connections, and was without one for %v", seed, s.at, n, s.lonely)
			}
		}
		dials := len(m.sides[0].dialled) + len(m.sides[1].dialled)
		m.run(30 * time.Second)
		for _, s := range m.sides {
			if n := s.ready(); n != 1 || s.lonely > 0 || len(m.sides[0].dialled)+len(m.sides[1].dialled) > dials {
				t.Fatalf("seed %d: later, side %d has %d connections, was without one for %v, and dials were %v", seed, s.at, n, s.lonely, s.dialled)
			}
		}
	}
}

// TestBothLostAreDialledAgainSoon: the other side closes the connection that we
// keep, as one with another rule would, so that both are lost. We dial again in
// a second or so, once.
func TestBothLostAreDialledAgainSoon(t *testing.T) {
	for seed := range uint64(200) {
		m := newMeeting(seed)
		lesser, greater := m.sides[0], m.sides[1]
		lesser.know()
		greater.know()
		m.run(time.Second)
		for _, wants := range []bool{true, false} {
			lesser.do(func() { lesser.setDialing(false) })
			dials := len(greater.dialled)
			for _, l := range greater.links {
				if !l.over[greater.at] {
					lesser.hangUp(l.keys[lesser.at], messages.GoneDuplicate)
				}
			}
			m.run(retryLost + time.Second)
			if soon := len(greater.dialled) > dials; soon != wants {
				t.Fatalf("seed %d: dialled again soon: %v, want %v", seed, soon, wants)
			}
		}
	}
}
