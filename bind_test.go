package kouzui_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"testing"

	"kouzui"
	"kouzui/actors/lab/stage"
	"kouzui/wire/announce"
)

// Peers and trackers see the address that the client is bound to, and it
// listens there.
func TestBind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux all of 127.0.0.0/8 is this machine's")
	}
	bound := netip.MustParseAddr("127.0.0.9")
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	asked := make(chan string, 10)
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.RemoteAddr
		_, _ = w.Write(announce.AppendReply(nil, announce.Reply{Peers: []announce.Peer{{Addr: netip.MustParseAddrPort(peer.Addr().String())}}}, true))
	}))
	defer tracker.Close()
	m, _ := stage.Torrent(t, 100_000, 32<<10)
	m.Announce = [][]string{{tracker.URL + "/announce"}}
	client := open(t, kouzui.Config{Bind: bound, Listen: ":0"})
	if _, err := client.AddMetainfo(m, kouzui.Options{}); err != nil {
		t.Fatal(err)
	}
	conn, err := peer.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at, err := client.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, addr := range map[string]string{"the peer": conn.RemoteAddr().String(), "the tracker": <-asked, "who dials": at.String()} {
		if netip.MustParseAddrPort(addr).Addr() != bound {
			t.Errorf("%s sees %s", what, addr)
		}
	}

	for field, c := range map[string]kouzui.Config{
		"Bind": {Bind: netip.MustParseAddr("192.0.2.1")}, "Interface": {Interface: "nosuch0"},
	} {
		if _, err := kouzui.Open(c); err == nil {
			t.Error("opened")
		} else if wrong := new(kouzui.OptionError); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
