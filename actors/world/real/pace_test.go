package real

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
)

// However many names an address has, its servers are asked one after the other.
func TestManyNamesOfOneAddress(t *testing.T) {
	var n newcomers
	start := time.Now()
	one := netip.MustParseAddr("192.0.2.1")
	for i := range 61 {
		want := max(0, time.Duration(i-serversAtOnce+1)*serverEvery)
		got, ok := n.wait(one, fmt.Sprint(i), start, time.Hour)
		if got != want || !ok {
			t.Fatalf("server %d waits for %v, not %v", i, got, want)
		}
	}
	for _, c := range []struct {
		what, addr, name string
		after            time.Duration
		want             time.Duration
		ok               bool
	}{
		{"one that has been asked", "192.0.2.1", "0", 0, 0, true},
		{"one that has been asked, by the mapped address", "::ffff:192.0.2.1", "0", 0, 0, true},
		{"one that waits, from another torrent", "192.0.2.1", "4", 0, serverEvery, true},
		{"one that would wait for too long", "192.0.2.1", "new", 0, 58 * serverEvery, false},
		{"the same again: it was not counted", "192.0.2.1", "new", 0, 58 * serverEvery, false},
		{"another address", "192.0.2.2", "new", 0, 0, true},
		{"when the others have been asked", "192.0.2.1", "new", 61 * serverEvery, 0, true},
		{"one that was asked long ago", "192.0.2.1", "0", 61 * serverEvery, 0, true},
	} {
		if got, ok := n.wait(netip.MustParseAddr(c.addr), c.name, start.Add(c.after), 30*time.Second); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v", c.what, got, ok)
		}
	}
	for i := range serversAtOnce + 1 { // a host may have a whole /64
		addr := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1))
		if got, _ := n.wait(addr, fmt.Sprint(i), start, 0); (got > 0) != (i == serversAtOnce) {
			t.Errorf("address %d of a network waits for %v", i, got)
		}
	}
}

// What is known of addresses is forgotten once it does not matter any more.
func TestAddressesAreForgotten(t *testing.T) {
	var n newcomers
	now := time.Now()
	for i := range 10 * addressesPruned {
		n.wait(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "a", now, 0)
		now = now.Add(time.Second)
	}
	if len(n.at) > addressesPruned {
		t.Errorf("%d addresses are remembered", len(n.at))
	}
}

// Servers that a .torrent names wait for their turn, or are not asked; those of
// the user never wait.
func TestServersOfStrangersTakeTurns(t *testing.T) {
	asked := make(chan bool, 100)
	var urls []string
	for range serversAtOnce + 2 {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			asked <- true
			_, _ = w.Write([]byte(goodReply))
		})
		urls = append(urls, s.URL+"/announce")
	}
	h := NewHTTP(HTTPOptions{})
	ask := func(url string, from world.Origin, within time.Duration) error {
		answered := make(chan error, 1)
		h.Announce(url, from, announce.Request{}, within, func(_ announce.Reply, err error) { answered <- err })
		return <-answered
	}
	for i, url := range urls {
		err := ask(url, world.FromTorrent, serverEvery/2)
		if (err != nil) != (i >= serversAtOnce) || err != nil && !strings.Contains(err.Error(), "many servers at one address") {
			t.Errorf("server %d: %v", i, err)
		}
	}
	for i, url := range urls {
		if err := ask(url, world.FromUser, long); err != nil {
			t.Errorf("server %d, of the user: %v", i, err)
		}
	}
	if want := serversAtOnce + len(urls); len(asked) != want {
		t.Errorf("%d were asked, not %d", len(asked), want)
	}
}
