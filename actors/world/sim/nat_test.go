package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"kouzui/messages"
)

const (
	independent, onAddress, onPort = EndpointIndependent, AddressDependent, AddressAndPortDependent
	life30                         = 30 * time.Second
)

// Who may answer a host behind a NAT, and from how many ports others see it.
func TestNAT(t *testing.T) {
	for name, tc := range map[string]struct {
		nat   NAT
		ports []int    // of those that x, x's second port and y see, numbered as they come
		in    []string // of those who write to the port that x has seen
	}{
		"full cone":            {NAT{independent, independent, false, life30}, []int{0, 0, 0}, []string{"x", "x2", "y", "z"}},
		"restricted cone":      {NAT{independent, onAddress, false, life30}, []int{0, 0, 0}, []string{"x", "x2", "y"}},
		"port restricted cone": {NAT{independent, onPort, true, life30}, []int{0, 0, 0}, []string{"x", "x2", "y"}},
		"by address":           {NAT{onAddress, onAddress, false, life30}, []int{0, 0, 1}, []string{"x", "x2"}},
		"symmetric":            {NAT{onPort, onPort, true, life30}, []int{0, 1, 2}, []string{"x"}},
	} {
		s := New(1, nil)
		home := s.NewHost("home", Class{NAT: tc.nat})
		ours := bind(t, home)
		x, y, z := s.NewHost("x", Class{}), s.NewHost("y", Class{}), s.NewHost("z", Class{})
		others := map[string]*letterbox{"x": bind(t, x), "x2": bindAt(t, x, testPort+1), "y": bind(t, y), "z": bind(t, z)}
		var seen []netip.AddrPort
		var ports []int
		for _, to := range []string{"x", "x2", "y"} {
			ours.post(others[to].Addr(), "hello")
			run(s)
			from := others[to].came[0].Addr
			if !slices.Contains(seen, from) {
				seen = append(seen, from)
			}
			ports = append(ports, slices.Index(seen, from))
			if from.Addr() != home.Addr || len(seen) == 1 && (from.Port() == testPort) == tc.nat.Draws {
				t.Errorf("%s: %s sees %v", name, to, from)
			}
		}
		if !slices.Equal(ports, tc.ports) {
			t.Errorf("%s: they see the ports %v, want %v", name, ports, tc.ports)
		}
		for _, who := range []string{"x", "x2", "y", "z"} {
			others[who].post(seen[0], who)
		}
		run(s)
		if got := ours.texts(); !slices.Equal(got, tc.in) {
			t.Errorf("%s: %q are let in, want %q", name, got, tc.in)
		}
	}
}

func bindAt(t *testing.T, h *Host, port uint16) *letterbox {
	t.Helper()
	l := &letterbox{sim: h.sim}
	socket, err := h.World().Packets.Bind(netip.AddrPortFrom(h.own(), port), func(batch []messages.Datagram) {
		l.came = append(l.came, batch...)
		l.Done()
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.PacketSocket = socket
	return l
}

// A mapping lasts as long as something is sent through it; what comes in does
// not prolong it.
func TestMappingsLapse(t *testing.T) {
	s := New(1, nil)
	ours := bind(t, s.NewHost("home", Class{NAT: NAT{independent, onPort, true, life30}}))
	x := bind(t, s.NewHost("x", Class{}))
	wait := func(d time.Duration) {
		s.After(d, func() {})
		run(s)
	}
	ours.post(x.Addr(), "one")
	wait(20 * time.Second)
	ours.post(x.Addr(), "two")
	wait(20 * time.Second)
	first := x.came[0].Addr
	x.post(first, "in time")
	wait(20 * time.Second)
	x.post(first, "late")
	wait(time.Second)
	if got := ours.texts(); !slices.Equal(got, []string{"in time"}) {
		t.Errorf("%q came", got)
	}
	ours.post(x.Addr(), "three")
	run(s)
	if again := x.came[2].Addr; x.came[1].Addr != first || again == first {
		t.Errorf("it is seen at %v, %v and %v", first, x.came[1].Addr, again)
	}
}

// Nobody dials a host behind a NAT, which itself dials anybody that is not.
func TestNobodyDialsBehindANAT(t *testing.T) {
	s := New(1, nil)
	behind := Class{NAT: NAT{independent, independent, false, time.Minute}}
	home, other, open := s.NewHost("home", behind), s.NewHost("other", behind), s.NewHost("open", Class{})
	for _, h := range []*Host{home, other, open} {
		if l, err := h.World().Network.Listen(fmt.Sprintf(":%d", testPort), 0, func(messages.Link) {}, nil); err != nil || l.Addr().Addr() != h.own() {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		from, to *Host
		want     error
	}{{home, open, nil}, {open, home, errTimedOut}, {other, home, errTimedOut}} {
		called := false
		tc.from.World().Network.Dial(netip.AddrPortFrom(tc.to.Addr, testPort), time.Second, func(l messages.Link, err error) {
			called = true
			if err != tc.want || l != nil && l.Remote().Addr() != tc.to.Addr {
				t.Errorf("%s dials %s: %v", tc.from.Name, tc.to.Name, err)
			}
		})
		run(s)
		if !called {
			t.Error("a dial has no end")
		}
	}
}

// A router that has no room for more loses what needs more, and has room again
// when that is over.
func TestRoomOfARouter(t *testing.T) {
	s := New(1, nil)
	home := s.NewHost("home", Class{NAT: NAT{onPort, onPort, true, life30}})
	ours, x := bind(t, home), s.NewHost("x", Class{})
	known := bind(t, x)
	for i := range 2 * natRoom {
		ours.post(netip.AddrPortFrom(x.Addr, uint16(10_000+i)), "")
	}
	ours.post(known.Addr(), "no room")
	if n := len(home.router.openings); n != natRoom || len(home.router.mappings) != n || len(home.router.byPort) != n {
		t.Errorf("%d openings", n)
	}
	s.After(life30, func() {})
	run(s)
	ours.post(known.Addr(), "room again")
	run(s)
	if got := known.texts(); !slices.Equal(got, []string{"room again"}) || len(home.router.openings) != 1 || len(home.router.byPort) != 1 {
		t.Errorf("%q came, %d openings", got, len(home.router.openings))
	}
}
