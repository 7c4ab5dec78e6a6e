package real

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"kouzui/actors/world"
	"kouzui/wire/announce"
)

func TestReachOf(t *testing.T) {
	for want, addrs := range map[reach]string{
		sameMachine: "127.0.0.1 127.9.9.9 ::1 0.0.0.0 0.1.2.3 :: ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::",
		sameNetwork: "10.0.0.1 172.16.5.5 192.168.1.1 169.254.169.254 100.64.0.1 fe80::1 fe80::1%eth0 fc00::1 fec0::1 " +
			"224.0.0.1 255.255.255.255 ::ffff:10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 ff02::1",
		public: "192.0.2.1 1.1.1.1 172.32.0.1 2001:db8::1 64:ff9b::101:101",
	} {
		for addr := range strings.FieldsSeq(addrs) {
			if got := reachOf(netip.MustParseAddr(addr)); got != want {
				t.Errorf("%s: %d, want %d", addr, got, want)
			}
		}
	}
}

// A .torrent must not have us ask for anything inside but for what looks like a
// tracker there; names are looked at once they are resolved.
func TestWhereURLsOfStrangersLead(t *testing.T) {
	var asked atomic.Int32
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, goodReply)
	})
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch to, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); to {
		case "away":
			http.Redirect(w, r, inside.URL+"/announce", http.StatusFound)
		case "here":
			http.Redirect(w, r, "/"+strings.TrimSuffix(path, "/announce"), http.StatusFound)
		default:
			_, _ = io.WriteString(w, goodReply)
		}
	})
	named := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1)
	for name, c := range map[string]struct {
		url           string
		torrent, user bool // may be asked
	}{
		"a tracker":                        {url: inside.URL + "/announce", torrent: true, user: true},
		"a tracker with a key":             {url: inside.URL + "/KEY/announce?a=b", torrent: true, user: true},
		"a tracker by its name":            {url: named + "/announce", torrent: true, user: true},
		"something else":                   {url: inside.URL + "/admin/reboot", user: true},
		"something else by its name":       {url: named + "/admin/reboot", user: true},
		"what looks so in its query":       {url: inside.URL + "/admin?x=/announce", user: true},
		"what looks so when unescaped":     {url: inside.URL + "/admin%2Fannounce", user: true},
		"redirected to another port":       {url: first.URL + "/away/announce", user: true},
		"redirected to something else":     {url: first.URL + "/here/admin/announce", user: true},
		"redirected to the same tracker's": {url: first.URL + "/here/x/announce/announce", torrent: true, user: true},
	} {
		for _, from := range []world.Origin{world.FromTorrent, world.FromUser} {
			for _, allow := range []bool{false, true} {
				want := allow || c.torrent && from == world.FromTorrent || c.user && from == world.FromUser
				before := asked.Load()
				got := make(chan error, 1)
				NewHTTP(HTTPOptions{AllowPrivate: allow}).Announce(c.url, from, announce.Request{Port: 1}, long,
					func(_ announce.Reply, err error) { got <- err })
				err := <-got
				if (err == nil) != want {
					t.Errorf("%s, origin %d, allowed %v: %v", name, from, allow, err)
				}
				if err != nil && asked.Load() > before {
					t.Errorf("%s: was asked, and then refused", name)
				}
				if err != nil && !strings.HasPrefix(err.Error(), "url: ") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// Nobody outside may send us inside, whoever has named the first URL.
func TestRedirectionsLeadFromOutsideToNowhereInside(t *testing.T) {
	parse := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	for _, from := range []world.Origin{world.FromTorrent, world.FromUser} {
		v := &visit{from: from}
		v.next(parse("http://tracker.example/announce"))
		if err := v.permit(netip.MustParseAddr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		v.at = public
		v.next(parse("http://elsewhere.example/announce"))
		for addr, want := range map[string]bool{"192.0.2.2": true, "10.0.0.1": false, "127.0.0.1": false, "::1": false} {
			if err := v.permit(netip.MustParseAddr(addr)); (err == nil) != want {
				t.Errorf("origin %d, %s: %v", from, addr, err)
			}
		}
	}
	// Through a proxy the address of the URL is all that is known.
	v := &visit{proxied: true}
	v.next(parse("http://10.0.0.1/admin"))
	if v.permit(netip.MustParseAddr("127.0.0.1")) == nil {
		t.Error("a proxy is asked for what is inside")
	}
	v.next(parse("http://tracker.example/announce"))
	if err := v.permit(netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Errorf("a proxy on this machine: %v", err)
	}
}

func TestTrackersNameOnlyPeersThatTheyCanReach(t *testing.T) {
	for at, want := range map[reach]string{
		sameMachine: "127.0.0.1:1 10.0.0.1:1 192.0.2.1:1 [fe80::1]:1",
		sameNetwork: "10.0.0.1:1 192.0.2.1:1 [fe80::1]:1",
		public:      "192.0.2.1:1",
	} {
		for _, all := range []bool{false, true} {
			r := announce.Reply{}
			for _, addr := range []string{"127.0.0.1:1", "10.0.0.1:1", "192.0.2.1:1", "[fe80::1]:1"} {
				r.Peers = append(r.Peers, announce.Peer{Addr: netip.MustParseAddrPort(addr)})
			}
			(&visit{at: at, all: all}).leaveOut(&r)
			var got []string
			for _, p := range r.Peers {
				got = append(got, p.Addr.String())
			}
			if s := strings.Join(got, " "); !all && s != want || all && len(got) != 4 || r.Dropped != 4-len(got) {
				t.Errorf("at %d: %s, %d dropped", at, s, r.Dropped)
			}
		}
	}
}

// The same rules hold for UDP trackers, which the actors ask.
func TestWhereUDPTrackersOfStrangersMayBe(t *testing.T) {
	inside, outside := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		url           string
		addr          netip.Addr
		torrent, user bool
	}{
		"outside":               {"udp://t.example:80", outside, true, true},
		"a tracker inside":      {"udp://t.example:80/announce", inside, true, true},
		"something else inside": {"udp://t.example:53", inside, false, true},
	} {
		for from, want := range map[world.Origin]bool{world.FromTorrent: c.torrent, world.FromUser: c.user} {
			if _, err := NewHTTP(HTTPOptions{}).Permit(c.url, from, c.addr, long); (err == nil) != want {
				t.Errorf("%s, origin %d: %v", name, from, err)
			}
			if _, err := NewHTTP(HTTPOptions{AllowPrivate: true}).Permit(c.url, from, c.addr, long); err != nil {
				t.Errorf("%s, origin %d, although all is allowed: %v", name, from, err)
			}
		}
	}
	h := NewHTTP(HTTPOptions{})
	for i := range serversAtOnce + 1 {
		wait, err := h.Permit(fmt.Sprintf("udp://t%d.example:80", i), world.FromTorrent, outside, long)
		if err != nil || (wait > 0) != (i == serversAtOnce) {
			t.Errorf("server %d of an address waits %v, %v", i, wait, err)
		}
	}
	r := announce.Reply{Peers: []announce.Peer{{Addr: netip.MustParseAddrPort("127.0.0.1:1")}, {Addr: netip.MustParseAddrPort("192.0.2.7:1")}}}
	if h.LeaveOut(&r, outside); len(r.Peers) != 1 || r.Warning == "" {
		t.Errorf("%+v", r)
	}
}
