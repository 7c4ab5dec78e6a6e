package fault_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"kouzui/actors/world/fake"
	"kouzui/messages"
)

var (
	here  = netip.MustParseAddrPort("127.0.0.1:1")
	there = netip.MustParseAddrPort("192.0.2.1:2")
	third = netip.MustParseAddrPort("192.0.2.1:3")
)

// texts are the data of datagrams, with a bar between.
func texts(batch []messages.Datagram) string {
	var all []string
	for _, d := range batch {
		all = append(all, string(d.Data))
	}
	return strings.Join(all, "|")
}

func datagrams() []messages.Datagram {
	return []messages.Datagram{
		{Addr: there, Data: []byte("a")}, {Addr: third, Data: []byte("b")}, {Addr: there, Data: []byte("c")},
	}
}

func TestDatagrams(t *testing.T) {
	for text, want := range map[string]struct{ sent, received, sentLate, receivedLate string }{
		"datagram,error=lost,peer=*:2":         {"b", "b", "", ""},
		"datagram,error=lost":                  {"", "", "", ""},
		"datagram,error=lost,op=send,every=2":  {"a|c", "a|b|c", "", ""},
		"datagram,error=doubled,op=receive":    {"a|b|c", "a|a|b|b|c|c", "", ""},
		"datagram,slow=1s,peer=*:3":            {"a|c", "a|c", "b", "b"},
		"datagram,error=lost,actor=*/listener": {"a|b|c", "a|b|c", "", ""},
	} {
		t.Run(text, func(t *testing.T) {
			w := fake.New(1)
			packets := plan(t, w, text).World(w.World(), "client/socket-4").Packets
			batches := make(chan []messages.Datagram, 10)
			socket, err := packets.Bind(here, func(batch []messages.Datagram) { batches <- batch }, nil)
			if err != nil {
				t.Fatal(err)
			}
			bound := w.Packets.AwaitSocket()
			check := func(got []messages.Datagram, want string) {
				t.Helper()
				if texts(got) != want {
					t.Errorf("%s, want %s", texts(got), want)
				}
			}
			lateCheck := func(n int, got func() []messages.Datagram, want string) {
				t.Helper()
				if want == "" && n > 0 || want != "" && n != 1 {
					t.Errorf("%d late batches, want %q", n, want)
				} else if want != "" {
					check(got(), want)
				}
			}
			if lost, _ := socket.Send(datagrams()); lost > 0 {
				t.Errorf("%d are counted as lost", lost)
			}
			check(bound.AwaitSent(), want.sent)
			bound.Arrive(datagrams()...)
			check(<-batches, want.received)
			socket.Done()
			bound.AwaitDone()

			w.Clock.Advance(time.Second)
			lateCheck(bound.WaitingSent(), bound.AwaitSent, want.sentLate)
			lateCheck(len(batches), func() []messages.Datagram { return <-batches }, want.receivedLate)
			if socket.Done(); bound.WaitingDone() > 0 && want.receivedLate != "" {
				t.Error("a batch is given back that the socket has not received")
			}
		})
	}
}

// Once Close has returned, nothing is received.
func TestALateDatagramOfAClosedSocket(t *testing.T) {
	w := fake.New(1)
	packets := plan(t, w, "datagram,slow=1s").World(w.World(), "client/socket-4").Packets
	received := 0
	socket, err := packets.Bind(here, func(batch []messages.Datagram) { received += len(batch) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	bound := w.Packets.AwaitSocket()
	_, _ = socket.Send(datagrams())
	bound.AwaitSent()
	bound.Arrive(datagrams()...)
	socket.Close()
	w.Clock.Advance(time.Second)
	if received > 0 || bound.WaitingSent() > 0 || !bound.Closed() {
		t.Errorf("%d received, %d sent", received, bound.WaitingSent())
	}
}

// A world without datagrams stays one.
func TestNoDatagrams(t *testing.T) {
	w := fake.New(1)
	without := *w.World()
	without.Packets = nil
	if plan(t, w, "datagram,error=lost").World(&without, "client/socket-4").Packets != nil {
		t.Error("there are datagrams")
	}
}
