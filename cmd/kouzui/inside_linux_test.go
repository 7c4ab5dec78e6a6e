package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kouzui/actors/lab/hostile"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// TestNothingLeavesBesideTheProxy: in a network from which a proxy is the only
// way out, downloads with the DHT on by default and with trackers and peers by
// name are complete, and no packet leaves, not even a look-up.
func TestNothingLeavesBesideTheProxy(t *testing.T) {
	if !namespacesPossible() {
		t.Skip("only root can make network namespaces, with ip, tc and sysctl")
	}
	f := newField(t)
	if err := os.WriteFile(filepath.Join(f.dir, "data"), bytes.Repeat([]byte("data"), 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	creates := func(arguments ...string) {
		f.ends(f.start(f.hosts[0], append([]string{"create", "data"}, arguments...)...), 0)
	}
	creates("-o", "seed.torrent") // it names nobody: the seed is outside
	creates("-o", "a.torrent", "--tracker", "udp://192.0.2.53:6969/announce", "--tracker", "udp://tracker.example:6969/announce", "--tracker", "http://tracker.example/announce")
	torrent, err := metainfo.Parse([]byte(f.read("a.torrent")))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/announce":
			_, _ = w.Write(announce.AppendReply(nil, announce.Reply{Peers: []announce.Peer{{Addr: netip.MustParseAddrPort("192.0.2.7:6881")}}}, true))
		case "/a.torrent":
			http.ServeFile(w, r, filepath.Join(f.dir, "a.torrent"))
		default:
			_, _ = w.Write([]byte("d5:filesd20:" + string(torrent.InfoHash[:]) + "d8:completei1e10:downloadedi0e10:incompletei0eeee"))
		}
	}))
	defer server.Close()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	f.serves("seeding", "seed", "seed.torrent", "-d", ".", "--listen", "127.0.0.1", "--listen-port", port)

	o := enterOutside(t)
	proxy := &hostile.SOCKS{User: "user", Password: "secret", Leads: func(addr string) string {
		switch addr {
		case "tracker.example:80":
			return server.Listener.Addr().String()
		case "192.0.2.7:6881":
			return "127.0.0.1:" + port
		}
		return ""
	}}
	addr, err := proxy.Serve(t.Context()) // inside; what it connects to is not
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", f.dir)
	t.Setenv("KOUZUI_DHT", "") // as by default
	t.Setenv("KOUZUI_NO_PORT_MAPPING", "")
	t.Setenv("KOUZUI_PROXY", "socks5://user:secret@"+addr)
	link := "magnet:?xt=urn:btih:" + torrent.InfoHash.String() + "&tr=udp://tracker.example:6969/announce&tr=http://tracker.example/announce&x.pe=peer.example:6881&x.pe=192.0.2.7:6881"
	does := func(want string, arguments ...string) {
		t.Helper()
		before := len(proxy.Asked())
		t.Setenv("XDG_STATE_HOME", t.TempDir()) // nothing is known
		r := f.start(f.hosts[0], arguments...)
		f.ends(r, 0)
		o.nothing(strings.Join(arguments, " "))
		if !slices.Contains(proxy.Asked()[before:], want) {
			t.Errorf("%s: the proxy is asked for %v", r, proxy.Asked()[before:])
		}
		if text := r.out.String() + r.err.String(); strings.Contains(text, "secret") {
			t.Errorf("%s: it shows the password: %s", r, text)
		}
	}
	does("192.0.2.7:6881", "download", "a.torrent", "-d", "torrent", "--timeout", "1m", "--trace", "run.jsonl", "--trace-domain", "-v")
	does("192.0.2.7:6881", "download", link, "-d", "link", "--timeout", "1m")
	does("tracker.example:80", "download", "http://tracker.example/a.torrent", "-d", "url", "--timeout", "1m", "--json")
	does("192.0.2.7:6881", "info", link, "--timeout", "1m")
	does("tracker.example:80", "info", "http://tracker.example/a.torrent", "--scrape")
	does("tracker.example:80", "seed", "a.torrent", "-d", "torrent", "--seed-time", "1s")
	for _, name := range []string{"torrent/data", "link/data", "url/data"} {
		if f.read(name) != f.read("data") {
			t.Errorf("%s is something else", name)
		}
	}
	trace := f.read("run.jsonl")
	if strings.Contains(trace, "secret") {
		t.Error("the trace has the password")
	}
	if n := strings.Count(trace, `"note":"announce_failed","detail":{"phase":"connect"}`); n != 2 {
		t.Errorf("%d announces over UDP have failed", n)
	}

	// What leaves is seen, or all of this would show nothing.
	t.Setenv("KOUZUI_PROXY", "")
	_ = os.Unsetenv("KOUZUI_PROXY")
	t.Setenv("KOUZUI_DHT", noDHT)
	for want, torrent := range map[string]string{`tracker\aexample`: "http://tracker.example/a.torrent", "to 192.0.2.53:6969 by protocol 17": "a.torrent"} {
		_ = f.start(f.hosts[0], "download", torrent, "-d", "open", "--timeout", "1s").Wait()
		if left := strings.Join(o.left(), "\n"); !strings.Contains(left, want) {
			t.Errorf("without a proxy, what has left has no %q:\n%s", want, left)
		}
	}
}

// TestWhatIsBoundStaysInside: of two ways out, everything takes the one that it
// is bound to: look-ups, trackers over HTTP and UDP, the DHT, and peers.
func TestWhatIsBoundStaysInside(t *testing.T) {
	if !namespacesPossible() {
		t.Skip("only root can make network namespaces, with ip, tc and sysctl")
	}
	f := newField(t)
	arguments := []string{"download", "-d", "down", "--timeout", "1s", "--peer", "192.0.2.7:6881", "--peer", "[2001:db8::7]:6881",
		"--dht", "on", "--dht-bootstrap", "192.0.2.66:6881", "--dht-bootstrap", "dht.example:6881"}
	for i, tracker := range []string{"http://192.0.2.69/announce", "udp://192.0.2.68:6969/announce", "http://tracker.example/announce", "udp://udp.example:6969/announce"} {
		name := fmt.Sprint("data", i)
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		f.ends(f.start(f.hosts[0], "create", name, "--tracker", tracker), 0)
		arguments = append(arguments, name+".torrent")
	}
	o := enterOutside(t)
	vpn := o.add("vpn", 98, 2)
	t.Setenv("HOME", f.dir)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	leaves := func(bound ...string) (out, in []string) {
		t.Helper()
		o.left()
		o.leftBy(vpn)
		f.ends(f.start(f.hosts[0], slices.Concat(arguments, bound)...), 2)
		return o.left(), o.leftBy(vpn)
	}
	holds := func(lines []string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
				t.Errorf("what has left has no %q:\n%s", want, strings.Join(lines, "\n"))
			}
		}
	}
	v4 := []string{"to 192.0.2.7:6881 by protocol 6", "to 192.0.2.69:80 by protocol 6", "to 192.0.2.68:6969 by protocol 17", "to 192.0.2.66:6881 by protocol 17",
		`tracker\aexample`, `udp\aexample`, `dht\aexample`}
	out, in := leaves("--interface", "vpn")
	if len(out) > 0 {
		t.Errorf("bound to an interface, %d packets take another:\n%s", len(out), strings.Join(out[:min(len(out), 10)], "\n"))
	}
	holds(in, append(v4, "to [2001:db8::7]:6881 by protocol 6")...)

	// Bound to an address, routes decide by which interface: all has this address.
	out, in = leaves("--bind", "10.98.0.2")
	for _, line := range slices.Concat(out, in) {
		if !strings.HasPrefix(line, "from 10.98.0.2") {
			t.Errorf("bound to an address, this leaves from another: %s", line)
		}
	}
	holds(slices.Concat(out, in), v4...)
}
