package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"kouzui/wire/metainfo"
)

// steering is text that changes what a terminal shows, or hides in it.
const steering = "a\x1b[2J\x9b31m\u009b1m\u202eb\u2066\u200b\u2028\U000e0041\ufe01\x07c"

// steers returns the first character of an output that no output may have.
func steers(output []byte) string {
	for len(output) > 0 {
		r, n := utf8.DecodeRune(output)
		hidden := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector)
		if r == utf8.RuneError && n == 1 || hidden && r != '\n' && r != '\t' {
			return fmt.Sprintf("%q before %.60q", output[:n], output[n:])
		}
		output = output[n:]
	}
	return ""
}

// Nothing that steers comes through, from a torrent, its trackers or a peer, to
// any output of any command.
func TestNoTextFromOutsideSteers(t *testing.T) {
	pieces := make([]byte, 20)
	bencoded := func(s string) string { return fmt.Sprintf("%d:%s", len(s), s) }
	text := bencoded(steering)
	info := "d5:filesld6:lengthi16384e4:pathl" + text + "eed4:attr1:l6:lengthi0e4:pathl4:linke12:symlink pathl2:.." + text + "eee" +
		"4:name" + text + "12:piece lengthi16384e6:pieces" + bencoded(string(pieces)) + "6:source" + text + "e"
	const good = "/warning/announce" // the only one of use, which is asked last
	answers := map[string]func(http.ResponseWriter){
		"/failure/announce": func(w http.ResponseWriter) { fmt.Fprintf(w, "d14:failure reason%se", text) },
		"/warning/announce": func(w http.ResponseWriter) {
			fmt.Fprintf(w, "d8:intervali9e5:peers0:15:warning message%[1]s10:tracker id%[1]se", text)
		},
		"/garbage/announce": func(w http.ResponseWriter) { _, _ = io.WriteString(w, steering) },
		"/redirect/announce": func(w http.ResponseWriter) {
			w.Header()["Location"] = []string{"/" + steering}
			w.WriteHeader(http.StatusFound)
		},
		"/scheme/announce": func(w http.ResponseWriter) {
			w.Header()["Location"] = []string{"x" + steering + "://a/"}
			w.WriteHeader(http.StatusFound)
		},
		"/status/announce": func(w http.ResponseWriter) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 500 %s\r\nContent-Length: 0\r\n\r\n", steering)
				conn.Close()
			}
		},
	}
	var asked sync.Map // paths
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, true)
		if answer := answers[r.URL.Path]; answer != nil {
			answer(w)
		} else {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	withTrackers := func(paths ...string) string { // few trackers of one host are asked for a torrent
		tier := bencoded(server.URL + "/" + steering + "?" + steering)
		for _, path := range paths {
			tier += bencoded(server.URL + path)
		}
		return "d13:announce-listll" + tier + "el" + bencoded(server.URL+good) + "ee7:comment" + text + "10:created by" + text + "8:encoding" + text + "4:info" + info + "e"
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, raw := range map[string]string{
		"x.torrent": withTrackers("/failure/announce", "/garbage/announce"),
		"y.torrent": withTrackers("/redirect/announce", "/scheme/announce"),
		"z.torrent": withTrackers("/status/announce"),
	} {
		if err := os.WriteFile(file(name), []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	torrent, err := metainfo.ParseInfo([]byte(info))
	if err != nil {
		t.Fatal(err)
	}

	peer, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	go greet(peer, torrent, "d1:v"+text+"6:yourip"+text+"e")

	download := []string{"--listen", "127.0.0.1", "--listen-port", "0", "--peer", peer.Addr().String(), "--timeout", "2s", "-vv"}
	for _, args := range [][]string{
		{"info", "x.torrent"},
		slices.Concat([]string{"download", "x.torrent", "--trace", "trace", "--trace-domain"}, download),
		slices.Concat([]string{"download", "y.torrent", "--log", "log", "--log-format", "json", "--json"}, download),
		slices.Concat([]string{"download", "z.torrent", "--log", "text"}, download),
		{"trace", "tree", "trace"},
		{"trace", "tail", "trace", "-n", "1000"},
		{"trace", "stats", "trace"},
		{"verify", "x.torrent"},
		{"seed", "x.torrent"},
		{"tracker", "--listen", steering, "--only", "x.torrent"},
		{steering},
		{"download", steering},
		{"download", "magnet:?xt=urn:btih:" + steering + "&dn=" + steering},
	} {
		c := exec.Command("kouzui", args...)
		c.Dir = dir
		output, err := c.CombinedOutput()
		if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
			t.Fatal(err)
		}
		if found := steers(output); found != "" || len(output) == 0 {
			t.Errorf("%.50q writes %s", args, found)
		}
	}
	for _, name := range []string{"trace", "log", "text"} {
		content, err := os.ReadFile(file(name))
		if found := steers(content); found != "" || len(content) == 0 || err != nil {
			t.Errorf("%s has %s %v", name, found, err)
		}
	}
	for path := range answers {
		if _, is := asked.Load(path); !is {
			t.Errorf("%s was not asked", path)
		}
	}
}

// greet meets each peer with an extension handshake, and says no more.
func greet(l net.Listener, t *metainfo.Torrent, handshake string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		hello := "\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x00" + string(t.InfoHash[:]) + (steering + strings.Repeat("-", 20))[:20]
		n := len(handshake) + 2
		_, _ = io.WriteString(conn, hello+string([]byte{0, 0, byte(n >> 8), byte(n), 20, 0})+handshake)
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}()
	}
}
