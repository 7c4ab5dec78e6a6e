package real

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kouzui/messages"
)

// datagrams are of these lengths, each with content of its own.
func datagrams(to netip.AddrPort, lengths ...int) (list []messages.Datagram) {
	for i, n := range lengths {
		data := make([]byte, n)
		for j := range data {
			data[j] = byte(i + j)
		}
		list = append(list, messages.Datagram{Addr: to, Data: data})
	}
	return list
}

func TestRunLength(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.1:2")
	for name, c := range map[string]struct {
		batch []messages.Datagram
		want  int
	}{
		"one":                  {datagrams(a, 100), 1},
		"of one length":        {datagrams(a, 100, 100, 100), 3},
		"the last is shorter":  {datagrams(a, 100, 100, 50, 100), 3},
		"the next is longer":   {datagrams(a, 100, 100, 101), 2},
		"another address":      {slices.Concat(datagrams(a, 100), datagrams(b, 100)), 1},
		"an empty one first":   {datagrams(a, 0, 100), 1},
		"empty ones":           {datagrams(a, 0, 0), 1},
		"an empty one at last": {datagrams(a, 100, 100, 0), 2},
		"too many":             {datagrams(a, slices.Repeat([]int{10}, maxSegments+5)...), maxSegments},
		"too long":             {datagrams(a, slices.Repeat([]int{1400}, 50)...), maxRun / 1400},
		"far too long":         {datagrams(a, 70_000, 70_000), 1},
	} {
		if got := runLength(c.batch); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Batches of all kinds arrive in their order, whether the kernel cuts runs, has
// said at the start that it cannot, or refuses each.
func TestRunsArriveAsTheyWere(t *testing.T) {
	for name, prepare := range map[string]func(*packetCalls){
		"cut by the kernel": func(*packetCalls) {},
		"one by one":        func(p *packetCalls) { p.cuts.Store(false) },
		"refused": func(p *packetCalls) {
			must(t, p.raw.Control(func(fd uintptr) { // without checksums no run is cut
				must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1))
			}))
		},
	} {
		a, b, other := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
		prepare(a.PacketSocket.(*packetSocket).packetCalls)
		want := slices.Concat(
			datagrams(b.Addr(), slices.Repeat([]int{100}, 2*batchLength+3)...), datagrams(b.Addr(), 7, 1, 0, 0),
			datagrams(b.Addr(), 1200, 1200, 1200, 600), datagrams(b.Addr(), 1200, 1300, 1300),
		)
		mixed := slices.Concat(datagrams(other.Addr(), 100, 100), want, datagrams(other.Addr(), 100, 50))
		if lost := a.Send(mixed); lost > 0 {
			t.Errorf("%s: %d lost", name, lost)
		}
		for i, got := range b.receive(len(want)) {
			if got.Addr != a.Addr() || !slices.Equal(got.Data, want[i].Data) {
				t.Errorf("%s: datagram %d is of %d bytes, want %d", name, i, len(got.Data), len(want[i].Data))
			}
		}
		other.receive(4)
	}
}

// A receiver that keeps one datagram, and adds to it, changes no other.
func TestDatagramsDoNotOverlap(t *testing.T) {
	a, b := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
	a.Send(datagrams(b.Addr(), 100, 100, 100))
	got := b.receive(3)
	_ = append(got[0].Data, 99)
	if got[1].Data[0] != 1 {
		t.Error("the next one was changed")
	}
}

// The system holds as many bytes for a socket as we ask for, or as it allows,
// and doubles that for what it keeps beside the datagrams.
func TestTheSystemHoldsWhatIsAskedFor(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/rmem_max")
	if err != nil {
		t.Skip(err)
	}
	allowed, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	s := bind(t, Packets{}, loopback)
	var got int
	must(t, s.PacketSocket.(*packetSocket).raw.Control(func(fd uintptr) {
		got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	}))
	must(t, err)
	if want := 2 * min(receiveBuffer, allowed); got != want {
		t.Errorf("%d bytes wait for a socket at most, want %d", got, want)
	}
}
