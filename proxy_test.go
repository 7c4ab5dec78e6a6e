package kouzui_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"kouzui"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/wire/announce"
)

// Peers and trackers are connected to by the proxy, which looks names up.
func TestProxy(t *testing.T) {
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	ports := make(chan string, 10)
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ports <- r.URL.Query().Get("port")
		_, _ = w.Write(announce.AppendReply(nil, announce.Reply{Peers: []announce.Peer{{Addr: netip.MustParseAddrPort("192.0.2.7:6881")}}}, true))
	}))
	defer tracker.Close()
	proxy := &hostile.SOCKS{User: "user", Password: "secret", Leads: func(addr string) string {
		return map[string]string{"tracker.example:80": tracker.Listener.Addr().String(), "192.0.2.7:6881": peer.Addr().String()}[addr]
	}}
	addr, err := proxy.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, _ := stage.Torrent(t, 100_000, 32<<10)
	m.Announce = [][]string{{"udp://udp.example:6969/announce"}, {"http://tracker.example/announce"}}
	client, err := kouzui.Open(kouzui.Config{Dir: t.TempDir(), Proxy: "socks5://user:secret@" + addr}) // where it listens is not said
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(context.Background()) })
	if _, err := client.AddMetainfo(m, kouzui.Options{}); err != nil {
		t.Fatal(err)
	}
	conn, err := peer.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if port := <-ports; port != "1" {
		t.Errorf("the tracker is told that we listen at port %s", port)
	}
	if asked := proxy.Asked(); !slices.Contains(asked, "tracker.example:80") || !slices.Contains(asked, "192.0.2.7:6881") {
		t.Errorf("the proxy is asked for %v", asked)
	}

	for field, c := range map[string]kouzui.Config{
		"Proxy": {Proxy: "http://user:secret@192.0.2.1:1"}, "DHT": {Proxy: "socks5://192.0.2.1:1", DHT: &kouzui.DHT{}},
	} {
		_, err := kouzui.Open(c)
		wrong := new(kouzui.OptionError)
		if !errors.As(err, &wrong) || wrong.Field != field || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
