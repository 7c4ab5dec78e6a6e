package real

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/messages"
)

// Connections with peers, announces, fetched torrents and look-ups all leave
// from the address that the user has chosen.
func TestEverythingLeavesFromTheSource(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux all of 127.0.0.0/8 is this machine's")
	}
	const bound = "127.0.0.7"
	source, err := NewSource(netip.MustParseAddr(bound), "")
	must(t, err)
	from := func(addr string) {
		t.Helper()
		if host, _, _ := net.SplitHostPort(addr); host != bound {
			t.Errorf("it leaves from %s", addr)
		}
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from(r.RemoteAddr)
		_, _ = io.WriteString(w, goodReply)
	})
	h := NewHTTP(HTTPOptions{Source: source})
	for _, url := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)} {
		if _, err := ask(t, h, url+"/announce", long); err != nil {
			t.Error(err)
		}
		if _, err := h.FetchTorrent(t.Context(), url); err != nil {
			t.Error(err)
		}
	}

	socket, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer socket.Close()
	n := NewNetwork(NetworkOptions{Source: source})
	links := make(chan messages.Link, 1)
	n.Dial(addrPort(socket.Addr()), time.Minute, func(l messages.Link, err error) {
		if err != nil {
			t.Error(err)
		}
		links <- l
	})
	conn, err := socket.Accept()
	must(t, err)
	from(conn.RemoteAddr().String())
	conn.Close()
	(<-links).Close(nil)

	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer names.Close()
	query, err := source.dialNames(t.Context(), "udp", names.LocalAddr().String())
	must(t, err)
	defer query.Close()
	_, err = query.Write([]byte("a name"))
	must(t, err)
	_, asker, err := names.ReadFrom(make([]byte, 100))
	must(t, err)
	from(asker.String())

	// What cannot leave from there does not leave.
	failed := make(chan error, 1)
	n.Dial(netip.MustParseAddrPort("[::1]:1"), time.Minute, func(_ messages.Link, err error) { failed <- err })
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "no way from 127.0.0.7") {
		t.Errorf("another family: %v", err)
	}
	if _, err := source.dialNames(context.Background(), "udp", "[::1]:53"); err == nil {
		t.Error("a name server of another family is asked")
	}
}

// A name server on this machine cannot be asked from another address. The user
// is told of it.
func TestNameServersThatCannotBeBound(t *testing.T) {
	loopback, other := &Source{local: true}, &Source{}
	for server, unbound := range map[string]bool{"127.0.0.53": true, "::1": true, "192.0.2.1": false, "fe80::1%lo": false} {
		if addr := netip.MustParseAddr(server); other.cannotBind(addr) != unbound || loopback.cannotBind(addr) {
			t.Errorf("%s: bound wrongly", server)
		}
	}
	raw, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Skip("the name servers of this system are not known")
	}
	var listed []netip.Addr
	for line := range strings.Lines(string(raw)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "nameserver" && len(listed) < 3 {
			listed = append(listed, netip.MustParseAddr(words[1]))
		}
	}
	if got := nameServers(t.Context()); len(listed) > 0 && !slices.Equal(got, listed) {
		t.Errorf("the name servers are %v, not %v", got, listed)
	}
}

func TestWhatCannotBeBoundIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ addr, device, want string }{
		"not ours":     {addr: "192.0.2.1", want: "cannot bind to 192.0.2.1: "},
		"of all":       {addr: "255.255.255.255", want: "cannot bind to 255.255.255.255: "},
		"of a network": {addr: "127.255.255.255", want: "cannot bind to 127.255.255.255: "},
		"of a group":   {addr: "224.0.0.1", want: "cannot bind to 224.0.0.1: "},
		"no interface": {device: "nosuch0", want: `there is no network interface "nosuch0"`},
		"both":         {addr: "127.0.0.1", device: "lo", want: "exclude each other"},
	} {
		addr, _ := netip.ParseAddr(c.addr)
		if _, err := NewSource(addr, c.device); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Bound to an interface, all leaves from its addresses, and through it.
func TestAnInterfaceIsASource(t *testing.T) {
	all, err := net.Interfaces()
	must(t, err)
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 || i.Flags&net.FlagUp == 0 {
			continue
		}
		source, err := NewSource(netip.Addr{}, i.Name)
		must(t, err)
		if source.Host() != "127.0.0.1" {
			t.Skipf("%s is at %s", i.Name, source.Host())
		}
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, goodReply) })
		if _, err := ask(t, NewHTTP(HTTPOptions{Source: source}), s.URL+"/announce", long); err != nil {
			t.Error(err)
		}
		return
	}
	t.Skip("there is no loopback interface")
}
