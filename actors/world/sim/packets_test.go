package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

// letterbox is a UDP socket with what it has received.
type letterbox struct {
	world.PacketSocket
	sim  *Sim
	came []messages.Datagram
	at   []time.Duration
	// keeps says that batches are not given back.
	keeps bool
}

const testPort = 6881

func bind(t *testing.T, h *Host) *letterbox {
	t.Helper()
	l := &letterbox{sim: h.sim}
	socket, err := h.World().Packets.Bind(netip.AddrPortFrom(netip.IPv4Unspecified(), testPort), func(batch []messages.Datagram) {
		for _, d := range batch {
			l.came, l.at = append(l.came, d), append(l.at, h.sim.Elapsed())
		}
		if !l.keeps {
			l.Done()
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.PacketSocket = socket
	return l
}

// post sends texts to another socket, and returns how many were lost at once.
func (l *letterbox) post(to netip.AddrPort, texts ...string) (lost int) {
	var batch []messages.Datagram
	for _, text := range texts {
		batch = append(batch, messages.Datagram{Addr: to, Data: []byte(text)})
	}
	lost, err := l.Send(batch)
	if err != nil {
		panic(err) // the simulated system refuses nothing
	}
	return lost
}

func (l *letterbox) texts() (all []string) {
	for _, d := range l.came {
		all = append(all, string(d.Data))
	}
	return all
}

func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%04d", i))
	}
	return all
}

// run lets everything happen that is due.
func run(s *Sim) {
	for s.Step() {
	}
}

// A datagram takes the delays of both hosts, and its time on both links, on
// which it waits for what was sent before.
func TestDatagramsTakeTheirTime(t *testing.T) {
	const ms = time.Millisecond
	text := string(make([]byte, 1000-datagramHeader)) // 1 ms at 1 MB/s
	for name, tc := range map[string]struct {
		from, to Class
		want     []time.Duration // when two arrive
	}{
		"far":         {Class{Delay: 30 * ms}, Class{Delay: 20 * ms}, []time.Duration{50 * ms, 50 * ms}},
		"narrow up":   {Class{Up: 1e6}, Class{}, []time.Duration{ms, 2 * ms}},
		"narrow down": {Class{}, Class{Down: 1e6}, []time.Duration{ms, 2 * ms}},
		"both":        {Class{Up: 1e6, Delay: ms}, Class{Down: 5e5}, []time.Duration{4 * ms, 6 * ms}},
	} {
		s := New(1, nil)
		a, b := bind(t, s.NewHost("a", tc.from)), bind(t, s.NewHost("b", tc.to))
		a.post(b.Addr(), text, text)
		run(s)
		if !slices.Equal(b.at, tc.want) {
			t.Errorf("%s: they come at %v, want %v", name, b.at, tc.want)
		}
		if len(b.came) != 2 || b.came[0].Addr != a.Addr() {
			t.Errorf("%s: %v", name, b.came)
		}
	}
}

// Datagrams and connections share a link.
func TestDatagramsShareTheLink(t *testing.T) {
	took := func(datagrams int) time.Duration {
		s := New(1, nil)
		ours, theirs, a, b := pair(t, s, Class{Up: 1e6}, Class{})
		socket := bind(t, a)
		ours.send(64)
		for range datagrams { // one in 2 ms, which takes half of the link
			_ = s.Run(s.Elapsed()+2*time.Millisecond, func() bool { return false })
			socket.post(netip.AddrPortFrom(b.Addr, testPort), string(make([]byte, 1000-datagramHeader)))
		}
		run(s)
		return theirs.at.Sub(Epoch)
	}
	if more := took(500) - took(0); more != 500*time.Millisecond {
		t.Errorf("500 datagrams of 1 ms each hold a connection up for %v", more)
	}
}

// The same seed loses and doubles the same datagrams; late ones are overtaken,
// by no more than the jitter.
func TestDatagramsAreLostDoubledAndOvertaken(t *testing.T) {
	const n = 2000
	play := func(seed uint64) []string {
		s := New(seed, nil)
		a := bind(t, s.NewHost("a", Class{Loss: 0.05, Double: 0.01, Jitter: 3 * time.Millisecond}))
		b := bind(t, s.NewHost("b", Class{Loss: 0.05, Double: 0.01, Jitter: 2 * time.Millisecond}))
		a.post(b.Addr(), numbered(n)...)
		run(s)
		for i, at := range b.at {
			if at >= 5*time.Millisecond || i > 0 && at < b.at[i-1] {
				t.Fatalf("one comes at %v", at)
			}
		}
		return b.texts()
	}
	came := play(1)
	if !slices.Equal(came, play(1)) || slices.Equal(came, play(2)) {
		t.Error("the seed does not decide")
	}
	if slices.IsSorted(came) {
		t.Error("none is overtaken")
	}
	slices.Sort(came)
	if lost := n - len(slices.Compact(slices.Clone(came))); lost < n/12 || lost > n/8 {
		t.Errorf("%d of %d are lost, not a tenth", lost, n)
	}
	if twice := len(came) - len(slices.Compact(came)); twice < n/100 || twice > n/33 {
		t.Errorf("%d of %d come twice, not one in 55", twice, n)
	}
}

// A partition cuts datagrams for good, also those that are under way; so does
// the end of the process that they are for, or its socket's.
func TestWhatKeepsDatagramsOut(t *testing.T) {
	for name, cut := range map[string]func(*Sim, *Host, *letterbox){
		"partition": func(s *Sim, b *Host, _ *letterbox) {
			s.Partition(func(h *Host) int {
				if h == b {
					return 1
				}
				return 0
			})
		},
		"kill":        func(_ *Sim, b *Host, _ *letterbox) { b.Kill() },
		"kill, again": func(_ *Sim, b *Host, _ *letterbox) { b.Kill(); b.Boot() },
		"power cut":   func(_ *Sim, b *Host, _ *letterbox) { b.PowerCut() },
		"close":       func(_ *Sim, _ *Host, l *letterbox) { l.Close() },
	} {
		s := New(1, nil)
		a := bind(t, s.NewHost("a", Class{}))
		host := s.NewHost("b", Class{Delay: time.Millisecond})
		b := bind(t, host)
		a.post(b.Addr(), "before")
		run(s)
		a.post(b.Addr(), "under way")
		cut(s, host, b)
		a.post(b.Addr(), "after")
		run(s)
		s.Heal()
		run(s)
		if got := b.texts(); !slices.Equal(got, []string{"before"}) {
			t.Errorf("%s: %q came", name, got)
		}
		if name != "partition" && b.post(a.Addr(), "back") != 1 {
			t.Errorf("%s: what cannot be sent is not counted", name)
		}
	}
}

// What is sent faster than the link passes it is lost once 64 KiB wait, before
// the uplink and before the downlink; the rest comes in its order.
func TestQueuesOfDatagramsAreBounded(t *testing.T) {
	text := string(make([]byte, 1024-datagramHeader))
	const room = datagramQueue / 1024
	s := New(1, nil)
	a, b := bind(t, s.NewHost("a", Class{Up: 1 << 20})), bind(t, s.NewHost("b", Class{}))
	for range 3 * room {
		a.post(b.Addr(), text)
	}
	if lost := a.post(b.Addr(), text, text); lost != 2 {
		t.Errorf("%d of 2 are lost", lost)
	}
	run(s)
	if len(b.came) != room {
		t.Errorf("%d have passed the uplink, want %d", len(b.came), room)
	}
	a.post(b.Addr(), text)
	run(s)
	if len(b.came) != room+1 {
		t.Error("the queue does not empty")
	}

	s = New(1, nil)
	a, b = bind(t, s.NewHost("a", Class{})), bind(t, s.NewHost("b", Class{Down: 1 << 20}))
	for i := range 3 * room {
		if a.post(b.Addr(), text) != 0 {
			t.Fatalf("datagram %d is lost where there is no bound", i)
		}
	}
	run(s)
	if len(b.came) != room {
		t.Errorf("%d have passed the downlink, want %d", len(b.came), room)
	}
}

// A socket whose batches are not given back receives four, and holds what its
// buffer has room for.
func TestDatagramsWaitToBeTaken(t *testing.T) {
	s := New(1, nil)
	a, b := bind(t, s.NewHost("a", Class{})), bind(t, s.NewHost("b", Class{}))
	b.keeps = true
	a.post(b.Addr(), numbered(1000)...)
	run(s)
	if len(b.came) != packetsAhead {
		t.Errorf("%d batches come ahead of Done", len(b.came))
	}
	b.keeps = false
	b.Done()
	if want := packetsAhead + receiveBuffer/(4+heldHeader); len(b.came) != want {
		t.Errorf("%d come, want %d", len(b.came), want)
	}
	if !slices.Equal(b.texts(), numbered(len(b.came))) {
		t.Error("they come in another order")
	}
}

func TestWhatCannotBeBound(t *testing.T) {
	s := New(1, nil)
	h := s.NewHost("a", Class{})
	bind(t, h)
	for _, tc := range []struct {
		addr string
		want error
	}{
		{"0.0.0.0:6881", syscall.EADDRINUSE},
		{"[::]:6881", world.ErrNoAddress},
		{"10.9.9.9:6882", syscall.EADDRNOTAVAIL},
		{"0.0.0.0:0", nil},
		{h.Addr.String() + ":0", nil},
	} {
		socket, err := h.World().Packets.Bind(netip.MustParseAddrPort(tc.addr), nil, nil)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.addr, err)
		}
		if err == nil && (socket.Addr().Port() == 0 || socket.Addr().Port() == testPort) {
			t.Errorf("%s: bound %v", tc.addr, socket.Addr())
		}
	}
	if lost := bind(t, s.NewHost("b", Class{})).post(netip.AddrPortFrom(h.Addr, testPort), string(make([]byte, maxDatagram+1))); lost != 1 {
		t.Error("more than a datagram can carry is sent")
	}
}

// A name is resolved after a round trip to the server of names; literal
// addresses need none, and nobody else has a name.
func TestNames(t *testing.T) {
	s := New(1, nil)
	far := s.NewHost("a", Class{Delay: 40 * time.Millisecond})
	one, two := s.NewHost("b", Class{}), s.NewHost("c", Class{})
	one.GiveName("router.test")
	two.GiveName("router.test")
	for name, tc := range map[string]struct {
		timeout time.Duration
		want    []netip.Addr
		err     string
		took    time.Duration
	}{
		"router.test":  {time.Second, []netip.Addr{one.Addr, two.Addr}, "", 100 * time.Millisecond},
		"10.1.2.3":     {time.Second, []netip.Addr{netip.MustParseAddr("10.1.2.3")}, "", 0},
		"nobody.test":  {time.Second, nil, "nobody.test: no such host", 100 * time.Millisecond},
		"nobody2.test": {time.Millisecond, nil, "timed out", time.Millisecond},
	} {
		began, called := s.Elapsed(), 0
		far.World().Names.Resolve(name, tc.timeout, func(got []netip.Addr, err error) {
			called++
			if took := s.Elapsed() - began; !slices.Equal(got, tc.want) || took != tc.took || fmt.Sprint(err) != tc.err && err != nil {
				t.Errorf("%s: %v, %v after %v", name, got, err, took)
			}
		})
		run(s)
		if called != 1 {
			t.Errorf("%s: %d answers", name, called)
		}
	}
	cancel := far.World().Names.Resolve("router.test", time.Second, func([]netip.Addr, error) { t.Error("an answer after cancel") })
	cancel()
	run(s)
}
