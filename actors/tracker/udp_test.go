package tracker

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kouzui/actors/world"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
	"kouzui/wire/udptracker"
)

var (
	four = netip.MustParseAddrPort("192.0.2.1:80")
	six  = netip.MustParseAddrPort("[2001:db8::1]:80")
	dawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// udpScene is an announce over UDP whose trackers and clock are the test.
type udpScene struct {
	t       *testing.T
	a       *udpAnnounce
	now     time.Time
	step    udpStep
	packets []udpPacket // that nobody has taken yet
}

var announcing = announce.Request{InfoHash: metainfo.Hash{1}, PeerID: [20]byte{2}, Port: 6881, NumWant: 50, Event: announce.Started}

func udpBegun(t *testing.T, known connections, within time.Duration, addrs ...netip.AddrPort) *udpScene {
	var plain []netip.Addr
	for _, a := range addrs {
		plain = append(plain, a.Addr())
	}
	s := &udpScene{t: t, now: dawn}
	s.start(known, plain, func(netip.Addr) bool { return true }, func(netip.Addr) (time.Duration, error) { return 0, nil }, within)
	return s
}

func (s *udpScene) start(known connections, addrs []netip.Addr, sockets func(netip.Addr) bool, permit func(netip.Addr) (time.Duration, error), within time.Duration) {
	begin, reason := candidates(addrs, 80, sockets, permit, s.now)
	s.a = &udpAnnounce{known: known, rand: rand.New(rand.NewPCG(1, 2)), request: announcing, path: "/announce?k", until: s.now.Add(within), err: reason}
	s.take(s.a.start(s.now, begin))
}

func (s *udpScene) take(step udpStep) {
	s.step = step
	s.packets = append(s.packets, step.send...)
	if !step.done && step.wake.Before(s.now) {
		s.t.Errorf("at %v it wants to be woken at %v", s.now, step.wake)
	}
}

// advance calls the announce each time that it wants to be woken.
func (s *udpScene) advance(d time.Duration) {
	until := s.now.Add(d)
	for !s.step.done && !s.step.wake.After(until) {
		s.now = s.step.wake
		s.take(s.a.proceed(s.now))
	}
	s.now = until
}

// next is the only packet that was sent since.
func (s *udpScene) next() udpPacket {
	s.t.Helper()
	if len(s.packets) != 1 {
		s.t.Fatalf("%d packets were sent", len(s.packets))
	}
	p := s.packets[0]
	s.packets = nil
	return p
}

func (s *udpScene) read(p udpPacket) udptracker.Request {
	s.t.Helper()
	r, err := udptracker.ParseRequest(p.data)
	if err != nil || r.Transaction != p.transaction {
		s.t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func (s *udpScene) answer(p udpPacket, data []byte) { s.take(s.a.received(p.to, data, s.now)) }

func (s *udpScene) connected(p udpPacket, id uint64) {
	s.t.Helper()
	if r := s.read(p); r.Action != udptracker.Connect {
		s.t.Fatalf("%+v is no connect", r)
	}
	s.answer(p, udptracker.AppendConnected(nil, p.transaction, id))
}

func (s *udpScene) replied(p udpPacket) {
	s.answer(p, udptracker.AppendReply(nil, p.transaction, announce.Reply{Interval: time.Hour, Seeders: 7}, p.to.Addr().Is6()))
}

func (s *udpScene) failed(phase world.Phase, text string) {
	s.t.Helper()
	e, ok := errors.AsType[*world.AnnounceError](s.step.err)
	if !s.step.done || !ok || e.Phase != phase || e.Err.Error() != text {
		s.t.Errorf("%+v", s.step)
	}
}

func TestAnnounceOverUDP(t *testing.T) {
	known := connections{}
	s := udpBegun(t, known, announceTimeout, four)
	s.connected(s.next(), 99)
	p := s.next()
	want := udptracker.Request{Action: udptracker.Announce, Connection: 99, Transaction: p.transaction, Announce: announcing, Path: "/announce?k"}
	want.Announce.Compact = true
	if diff := cmp.Diff(want, s.read(p), cmpopts.EquateComparable(netip.Addr{})); diff != "" || p.to != four {
		t.Error(p.to, diff)
	}
	s.replied(p)
	if !s.step.done || s.step.err != nil || s.step.reply.Seeders != 7 || s.step.from != four {
		t.Errorf("%+v", s.step)
	}

	// Within a minute the connection ID is used again, of the same address.
	again := udpBegun(t, known, announceTimeout, four)
	if r := again.read(again.next()); r.Action != udptracker.Announce || r.Connection != 99 {
		t.Errorf("%+v", r)
	}
	elsewhere := udpBegun(t, known, announceTimeout, six)
	if r := elsewhere.read(elsewhere.next()); r.Action != udptracker.Connect {
		t.Errorf("another address is asked %+v", r)
	}
	known[four] = connection{99, dawn}
	late := udpBegun(t, known, announceTimeout, four)
	if r := late.read(late.next()); r.Action != udptracker.Connect {
		t.Errorf("after a minute: %+v", r)
	}
}

// Packets that are lost are sent again after 5 s and 15 s; then the next URL
// has its turn.
func TestUDPPacketsAreSentAgain(t *testing.T) {
	for _, stage := range []udptracker.Action{udptracker.Connect, udptracker.Announce} {
		s := udpBegun(t, connections{}, announceTimeout, four)
		if stage == udptracker.Announce {
			s.connected(s.next(), 99)
		}
		sent := map[time.Duration]bool{}
		for !s.step.done {
			for _, p := range s.packets {
				sent[s.now.Sub(dawn)] = true
				if r := s.read(p); r.Action != stage {
					t.Fatalf("%+v", r)
				}
			}
			s.packets = nil
			s.now = s.step.wake
			s.take(s.a.proceed(s.now))
		}
		if diff := cmp.Diff(map[time.Duration]bool{0: true, 5 * time.Second: true, 15 * time.Second: true}, sent); diff != "" {
			t.Error(diff)
		}
		if s.now.Sub(dawn) != announceTimeout {
			t.Errorf("it ends after %v", s.now.Sub(dawn))
		}
		s.failed(map[udptracker.Action]world.Phase{udptracker.Connect: world.PhaseConnect, udptracker.Announce: world.PhaseRead}[stage], "timed out")
	}
}

// A name whose first address is dead costs no time to speak of.
func TestADeadFamilyIsNotWaitedFor(t *testing.T) {
	s := udpBegun(t, connections{}, announceTimeout, six, four)
	if p := s.next(); p.to != six {
		t.Fatalf("%v is asked first", p.to)
	}
	s.advance(headStart)
	p := s.next()
	if p.to != four {
		t.Fatalf("%v is asked next", p.to)
	}
	s.connected(p, 99)
	if p = s.next(); p.to != four || s.read(p).Action != udptracker.Announce {
		t.Fatalf("%+v", p)
	}
	s.advance(4 * time.Second)
	if len(s.packets) > 0 {
		t.Errorf("the dead address is asked again: %+v", s.packets)
	}
	s.replied(p)
	if !s.step.done || s.step.err != nil {
		t.Errorf("%+v", s.step)
	}
}

// unsent says that packets with a transaction cannot be sent.
func (s *udpScene) unsent(transaction uint32, err error) {
	s.take(s.a.unsent(transaction, err, s.now))
}

// An address that cannot be reached is known at once: the next one is asked,
// and if there is none, the announce says why.
func TestWhatCannotBeReachedIsNotWaitedFor(t *testing.T) {
	unreachable := errors.New("network is unreachable")
	s := udpBegun(t, connections{}, announceTimeout, six)
	s.unsent(s.next().transaction+1, unreachable) // nobody's
	if s.step.done {
		t.Fatalf("%+v", s.step)
	}
	s.unsent(s.a.asked[0].transaction, unreachable)
	s.failed(world.PhaseConnect, "network is unreachable")

	s = udpBegun(t, connections{}, announceTimeout, six)
	s.unsent(s.next().transaction, world.ErrNoAddress)
	s.failed(world.PhaseConnect, "there is no UDP socket of IPv6")

	s = udpBegun(t, connections{}, announceTimeout, six, four)
	s.unsent(s.next().transaction, unreachable)
	s.advance(headStart)
	s.connected(s.next(), 99)
	s.replied(s.next())
	if !s.step.done || s.step.err != nil || s.step.from != four {
		t.Errorf("%+v", s.step)
	}

	// The network at which the tracker was reached before may be gone.
	known := connections{six: connection{7, dawn.Add(time.Minute)}}
	s = udpBegun(t, known, announceTimeout, six, four)
	s.unsent(s.next().transaction, unreachable)
	s.unsent(s.next().transaction, unreachable)
	s.advance(headStart)
	if p := s.next(); p.to != four || len(known) > 0 {
		t.Errorf("%v is asked, known: %v", p.to, known)
	}
}

func TestAddressesOfBothFamiliesHaveTheirTurn(t *testing.T) {
	var addrs []netip.Addr
	for _, text := range []string{"2001:db8::1", "2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1", "2001:db8::3", "192.0.2.2"} {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	var got []string
	for _, a := range byTurns(addrs) {
		got = append(got, a.String())
	}
	if diff := cmp.Diff([]string{"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"}, got); diff != "" {
		t.Error(diff)
	}
}

// An address that may not be asked, or that we cannot reach, is left out; the
// reason is told if no other is left.
func TestAddressesThatAreNotAsked(t *testing.T) {
	begin := func(sockets func(netip.Addr) bool, permit func(netip.Addr) (time.Duration, error), addrs ...netip.Addr) *udpScene {
		s := &udpScene{t: t, now: dawn}
		s.start(connections{}, addrs, sockets, permit, announceTimeout)
		return s
	}
	all := func(netip.Addr) bool { return true }
	free := func(netip.Addr) (time.Duration, error) { return 0, nil }
	begin(all, free).failed(world.PhaseDNS, "the name has no address")
	begin(netip.Addr.Is4, free, six.Addr()).failed(world.PhaseConnect, "there is no UDP socket of IPv6")
	barred := func(a netip.Addr) (time.Duration, error) {
		if a.Is6() {
			return 0, &world.AnnounceError{Phase: world.PhaseURL, Err: errors.New("inside")}
		}
		return time.Second, nil
	}
	begin(all, barred, six.Addr()).failed(world.PhaseURL, "inside")
	s := begin(all, barred, six.Addr(), four.Addr())
	if len(s.packets) > 0 {
		t.Fatalf("%+v is sent at once", s.packets)
	}
	s.advance(time.Second)
	if p := s.next(); p.to != four {
		t.Errorf("%v is asked", p.to)
	}
}

func TestTheTrackerRefusesOverUDP(t *testing.T) {
	s := udpBegun(t, connections{}, announceTimeout, four)
	s.connected(s.next(), 99)
	p := s.next()
	s.answer(p, udptracker.AppendFailed(nil, p.transaction, "go away"))
	s.failed(world.PhaseFailure, "go away")
	if s.step.reply.Failure != "go away" {
		t.Errorf("%+v", s.step.reply)
	}
	// opentracker answers so for torrents that are not on its list.
	s = udpBegun(t, connections{}, announceTimeout, four)
	s.connected(s.next(), 99)
	p = s.next()
	s.answer(p, p.data[8:16])
	s.failed(world.PhaseFailure, "the tracker does not serve this torrent")
}

// A tracker that has begun anew knows no connection ID of before. Some say so,
// others say nothing.
func TestOldConnectionIDsAreForgotten(t *testing.T) {
	for name, refuse := range map[string]func(*udpScene, udpPacket){
		"says so": func(s *udpScene, p udpPacket) {
			s.answer(p, udptracker.AppendFailed(nil, p.transaction, "Connection ID mismatch"))
		},
		"says nothing": func(s *udpScene, _ udpPacket) { s.advance(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			known := connections{}
			known.add(four, 98, dawn)
			s := udpBegun(t, known, announceTimeout, four)
			refuse(s, s.next())
			s.connected(s.next(), 99)
			p := s.next()
			if r := s.read(p); r.Action != udptracker.Announce || r.Connection != 99 {
				t.Fatalf("%+v", r)
			}
			s.answer(p, udptracker.AppendFailed(nil, p.transaction, "no"))
			s.failed(world.PhaseFailure, "no")
		})
	}
}

// Whatever strangers send, only what was asked for is taken, and the announce
// ends in its time.
func TestNoDatagramBreaksAnAnnounce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := udpBegun(t, connections{}, announceTimeout, six, four)
		for !s.step.done {
			var p udpPacket
			if n := len(s.packets); n > 0 {
				p = s.packets[rapid.IntRange(0, n-1).Draw(r, "which")]
			}
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				s.take(s.a.received(four, rapid.SliceOf(rapid.Byte()).Draw(r, "bytes"), s.now))
			case 1: // somebody else repeats what was sent to the tracker
				s.take(s.a.received(netip.MustParseAddrPort("192.0.2.9:80"), udptracker.AppendConnected(nil, p.transaction, 1), s.now))
			case 2:
				action := byte(rapid.IntRange(0, 4).Draw(r, "action"))
				head := []byte{0, 0, 0, action, byte(p.transaction >> 24), byte(p.transaction >> 16), byte(p.transaction >> 8), byte(p.transaction)}
				s.take(s.a.received(p.to, append(head, rapid.SliceOf(rapid.Byte()).Draw(r, "body")...), s.now))
			default:
				s.advance(time.Duration(rapid.IntRange(0, 9000).Draw(r, "ms")) * time.Millisecond)
			}
			if s.now.Sub(dawn) > announceTimeout+9*time.Second {
				r.Fatal("it does not end")
			}
			for addr := range s.a.known {
				if !slices.Contains([]netip.AddrPort{four, six}, addr) {
					r.Fatalf("a connection ID of %v is kept", addr)
				}
			}
		}
	})
}

func TestUDPTrackerURLs(t *testing.T) {
	for raw, want := range map[string]udpServer{
		"udp://t.example:80":               {"t.example", 80, ""},
		"udp://t.example:80/":              {"t.example", 80, "/"},
		"udp://[::1]:6969/announce?key=%2": {"::1", 6969, "/announce?key=%2"},
	} {
		if got, err := parseUDP(raw); got != want || err != nil {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"udp://", "udp://t.example", "udp://:80", "udp://t.example:0", "udp://t.example:66666", "udp://%"} {
		if got, err := parseUDP(raw); err == nil {
			t.Errorf("%s: %+v", raw, got)
		}
	}
}

// BenchmarkAnnounceOverUDP is an announce to a tracker that is connected with:
// its packet, and what the answer with 50 peers says.
func BenchmarkAnnounceOverUDP(b *testing.B) {
	known := connections{}
	known.add(four, 99, dawn)
	rnd := rand.New(rand.NewPCG(1, 2))
	reply := announce.Reply{Interval: time.Hour}
	for i := range 50 {
		reply.Peers = append(reply.Peers, announce.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 6881)})
	}
	b.ReportAllocs()
	for b.Loop() {
		a := &udpAnnounce{known: known, rand: rnd, request: announcing, path: "/announce", until: dawn.Add(announceTimeout)}
		sent := a.start(dawn, []candidate{{four, dawn}}).send
		step := a.received(four, udptracker.AppendReply(nil, sent[0].transaction, reply, false), dawn)
		if !step.done || len(step.reply.Peers) != 50 {
			b.Fatal(step)
		}
	}
}
