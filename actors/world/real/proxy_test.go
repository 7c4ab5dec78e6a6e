package real

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kouzui/actors/lab/hostile"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

func TestParseProxy(t *testing.T) {
	long := strings.Repeat("x", 256)
	for text, want := range map[string]string{
		"socks5://127.0.0.1:1080":             "127.0.0.1:1080",
		"socks5h://proxy.example:1/":          "proxy.example:1",
		"socks5://user:secret@[::1]:65535":    "[::1]:65535",
		"socks5://user@proxy.example:1080":    "proxy.example:1080",
		"socks5://u%40:s%2Fecret@127.1.2.3:4": "127.1.2.3:4",
	} {
		p, err := ParseProxy(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, form := range []string{"%v", "%+v", "%#v"} {
			if shown := fmt.Sprintf(form, p); shown != want {
				t.Errorf("%s: %s shows %s", text, form, shown)
			}
		}
	}
	for _, text := range []string{
		"", "127.0.0.1:1080", "http://user:secret@127.0.0.1:1080", "socks4://user:secret@127.0.0.1:1", "socks5://user:secret@127.0.0.1",
		"socks5://user:secret@127.0.0.1:0", "socks5://user:secret@127.0.0.1:65536", "socks5://user:secret@:1080", "socks5://:secret@127.0.0.1:1",
		"socks5://user:secret/@127.0.0.1:1", "socks5://user:secret%zz@127.0.0.1:1", "socks5://user:secret@127.0.0.1:1/path", "socks5://user:secret@127.0.0.1:1?q",
		"socks5://user:secret@a\x1bb:1", "socks5:user:secret", "socks5://" + long + ":secret@127.0.0.1:1", "socks5://user:secret" + long + "@127.0.0.1:1",
		"socks5://user:secret@" + long + ":1",
	} {
		if p, err := ParseProxy(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		} else if strings.Contains(err.Error(), "secret") || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// through is a source with the proxy at an address.
func through(t *testing.T, from *Source, userinfo, addr string) *Source {
	t.Helper()
	p, err := ParseProxy("socks5://" + userinfo + addr)
	must(t, err)
	return from.Through(p)
}

// dialLink connects to a peer.
func dialLink(source *Source, addr string) error {
	outcome := make(chan error, 1)
	NewNetwork(NetworkOptions{Source: source}).Dial(netip.MustParseAddrPort(addr), long, func(l messages.Link, err error) {
		if err == nil {
			l.Close(nil)
		}
		outcome <- err
	})
	return <-outcome
}

// Peers, announces and fetched torrents go through the proxy, which looks their
// names up; with it, nothing goes any other way.
func TestEverythingGoesThroughTheProxy(t *testing.T) {
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer peer.Close()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, goodReply) })
	proxy := &hostile.SOCKS{User: "u@", Password: "s/ecret", Leads: func(addr string) string {
		switch addr {
		case "tracker.example:80", "192.0.2.1:80":
			return server.Listener.Addr().String()
		case "192.0.2.7:6881", "[2001:db8::7]:6881":
			return peer.Addr().String()
		}
		return ""
	}}
	addr, err := proxy.Serve(t.Context())
	must(t, err)
	t.Setenv("HTTP_PROXY", "http://192.0.2.9:1")
	source := through(t, nil, "u%40:s%2Fecret@", addr)
	must(t, source.Greet(t.Context()))
	if asked := proxy.Asked(); len(asked) > 0 {
		t.Errorf("when it is greeted, the proxy is asked for %v", asked)
	}
	h := NewHTTP(HTTPOptions{Source: source})
	for _, url := range []string{"http://tracker.example", "http://192.0.2.1"} {
		if reply, err := ask(t, h, url+"/announce", long); err != nil || reply.Seeders != 3 {
			t.Errorf("%s: %v, %v", url, reply, err)
		}
		if _, err := h.FetchTorrent(t.Context(), url); err != nil {
			t.Error(err)
		}
	}
	for _, addr := range []string{"192.0.2.7:6881", "[2001:db8::7]:6881"} {
		if err := dialLink(source, addr); err != nil {
			t.Error(err)
		}
	}
	want := []string{"tracker.example:80", "tracker.example:80", "192.0.2.1:80", "192.0.2.1:80", "192.0.2.7:6881", "[2001:db8::7]:6881"}
	if asked := proxy.Asked(); !slices.Equal(asked, want) {
		t.Errorf("the proxy is asked for %v", asked)
	}

	// What does not go through the proxy does not go.
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "127.0.0.1:0"} {
		_, err := Packets{Source: source}.Bind(netip.MustParseAddrPort(addr), func([]messages.Datagram) {}, func(error) {})
		if !errors.Is(err, world.ErrNoAddress) {
			t.Errorf("a socket at %s: %v", addr, err)
		}
	}
	for _, host := range []string{"tracker.example", "127.0.0.1"} {
		Names{Source: source}.Resolve(host, long, func(_ []netip.Addr, err error) {
			if !errors.Is(err, world.ErrProxied) {
				t.Errorf("%s is looked up: %v", host, err)
			}
		})
		scraper := Scraper{HTTP: h, Source: source}
		if _, err := scraper.Scrape(t.Context(), "udp://"+host+":1/announce", world.FromUser, metainfo.Hash{}); !errors.Is(err, world.ErrProxied) {
			t.Errorf("%s is scraped: %v", host, err)
		}
	}
	if addrs, err := source.Resolver().LookupNetIP(t.Context(), "ip", "tracker.example"); err == nil || !strings.Contains(err.Error(), errNotLookedUp.Error()) {
		t.Errorf("a name is looked up: %v, %v", addrs, err)
	}
}

// The proxy itself is connected to from where everything is bound to.
func TestTheProxyIsReachedFromTheSource(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux all of 127.0.0.0/8 is this machine's")
	}
	bound, err := NewSource(netip.MustParseAddr("127.0.0.7"), "")
	must(t, err)
	proxy := &hostile.SOCKS{Leads: func(string) string { return "" }}
	addr, err := proxy.Serve(t.Context())
	must(t, err)
	source := through(t, bound, "", addr)
	must(t, source.Greet(t.Context()))
	if err := dialLink(source, "192.0.2.7:1"); err == nil || err.Error() != "the proxy "+addr+" cannot connect: host unreachable" {
		t.Error(err)
	}
	for _, from := range proxy.From() {
		if from.Addr() != netip.MustParseAddr("127.0.0.7") {
			t.Errorf("it is connected to from %v", from)
		}
	}
	if len(proxy.From()) != 2 {
		t.Errorf("it is connected to from %v", proxy.From())
	}
}

// Strangers' URLs lead no further inside than without a proxy, as far as they
// tell themselves.
func TestWhereURLsLeadThroughAProxy(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away/announce" {
			http.Redirect(w, r, "http://localhost/announce", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, goodReply)
	})
	proxy := &hostile.SOCKS{Leads: func(string) string { return server.Listener.Addr().String() }}
	addr, err := proxy.Serve(t.Context())
	must(t, err)
	h := NewHTTP(HTTPOptions{Source: through(t, nil, "", addr)})
	for url, barred := range map[string]bool{
		"http://tracker.example/announce": false, "http://tracker.example/other": false, "http://10.0.0.1/announce": false,
		"http://10.0.0.1/other": true, "http://localhost/other": true, "http://x.LOCALHOST./other": true, "http://[::1]/other": true,
		"http://tracker.example/away/announce": true,
	} {
		before := len(proxy.Asked())
		outcome := make(chan error, 1)
		h.Announce(url, world.FromTorrent, announce.Request{Port: 1}, long, func(_ announce.Reply, err error) { outcome <- err })
		var barredBy barredError
		if err := <-outcome; errors.As(err, &barredBy) != barred {
			t.Errorf("%s: %v", url, err)
		}
		if asked := proxy.Asked()[before:]; barred && slices.ContainsFunc(asked, func(a string) bool { return !strings.HasPrefix(a, "tracker.example") }) {
			t.Errorf("%s: the proxy is asked for %v", url, asked)
		}
	}
}

// Whatever the proxy is, there is one line about it, in time.
func TestBadProxies(t *testing.T) {
	for _, bad := range hostile.BadProxies() {
		t.Run(bad.Name, func(t *testing.T) {
			addr, err := bad.Serve(t.Context())
			must(t, err)
			source := through(t, nil, "", addr)
			if !bad.Hangs {
				err = source.Greet(t.Context())
				if bad.Says != "" && (err == nil || !strings.Contains(err.Error(), bad.Says)) {
					t.Errorf("it is greeted: %v", err)
				}
				if err := dialLink(source, "192.0.2.7:1"); !ofProxy(err, addr) {
					t.Errorf("a peer: %v", err)
				}
			}
			timeout := long
			if bad.Hangs {
				timeout = short
			}
			_, failed := ask(t, NewHTTP(HTTPOptions{Source: source}), "http://tracker.example/announce", timeout)
			if failed == nil || failed.Phase != world.PhaseConnect || !bad.Hangs && !ofProxy(failed.Err, addr) {
				t.Errorf("an announce: %v", failed)
			}
		})
	}
}

// ofProxy tells whether the error is one line that names the proxy.
func ofProxy(err error, addr string) bool {
	var of *ProxyError
	return errors.As(err, &of) && strings.Contains(err.Error(), "the proxy "+addr+" ") && !strings.ContainsAny(err.Error(), "\n")
}

func TestProxiesThatCannotBeUsed(t *testing.T) {
	strict := &hostile.SOCKS{User: "user", Password: "secret"}
	strictAddr, err := strict.Serve(t.Context())
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	gone := l.Addr().String()
	must(t, l.Close())
	for name, c := range map[string]struct{ userinfo, addr, want string }{
		"nobody listens":     {"user:secret@", gone, " cannot be reached: connection refused"},
		"no password":        {"", strictAddr, " wants a user and a password"},
		"the wrong password": {"user:secrets@", strictAddr, " refuses user and password"},
		"the wrong user":     {"users:secret@", strictAddr, " refuses user and password"},
	} {
		source := through(t, nil, c.userinfo, c.addr)
		for what, err := range map[string]error{"greeted": source.Greet(t.Context()), "dialled": dialLink(source, "192.0.2.7:1")} {
			if !ofProxy(err, c.addr) || !strings.Contains(err.Error(), "the proxy "+c.addr+c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := through(t, nil, "", strictAddr).Greet(ctx); err == nil {
		t.Error("it is greeted after the end")
	}
}

// A name that is too long for the protocol is not asked for.
func TestLongNamesThroughAProxy(t *testing.T) {
	proxy := &hostile.SOCKS{}
	addr, err := proxy.Serve(t.Context())
	must(t, err)
	url := "http://" + strings.Repeat("a.", 200) + "example/announce"
	_, failed := ask(t, NewHTTP(HTTPOptions{Source: through(t, nil, "", addr)}), url, long)
	if failed == nil || failed.Phase != world.PhaseConnect || len(failed.Error()) > 200 || len(proxy.Asked()) > 0 {
		t.Errorf("got %v, asked for %v", failed, proxy.Asked())
	}
}
