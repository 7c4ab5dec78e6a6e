package session

import (
	"net/netip"
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

func TestWhereSocketsAreBound(t *testing.T) {
	for _, c := range []struct{ listener, host, v4, v6 string }{
		{"[::]:6881", "", "0.0.0.0:6881", "[::]:6881"},
		{"0.0.0.0:6881", "", "0.0.0.0:6881", "[::]:6881"},
		{"127.0.0.1:6881", "localhost", "127.0.0.1:6881", ""},
		{"[::1]:6881", "::1", "", "[::1]:6881"},
		{"", "", "0.0.0.0:0", "[::]:0"},
		{"", "::", "0.0.0.0:0", "[::]:0"},
		{"", "127.0.0.1", "127.0.0.1:0", ""},
		{"", "::1", "", "[::1]:0"},
		{"", "localhost", "", ""},
	} {
		var listener netip.AddrPort
		if c.listener != "" {
			listener = netip.MustParseAddrPort(c.listener)
		}
		for family, want := range []string{c.v4, c.v6} {
			got, ok := socketAddr(family, listener, c.host)
			if ok != (want != "") || ok && got.String() != want {
				t.Errorf("listening at %q, host %q: %v, %v, want %q", c.listener, c.host, got, ok, want)
			}
		}
	}
	for host, want := range map[string][2]bool{
		"": {true, true}, "::": {true, true}, "0.0.0.0": {true, true}, "localhost": {true, true}, "127.0.0.1": {true, false}, "::1": {false, true},
	} {
		if got := Families(host); got != want {
			t.Errorf("host %q: families %v, want %v", host, got, want)
		}
	}
}

// A socket that was restarted, or bound while another session lived, is told
// where it was.
func TestSocketsAreBoundAtTheListenersPort(t *testing.T) {
	s := newScene(t, true)
	s.Tell(&messages.SocketStarted{Socket: s.socket.PID})
	s.Quiet(s.socket)
	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	if m := stage.Next[*messages.BindSocket](s.socket); m.Addr != listenAddr || m.Before.IsValid() {
		t.Errorf("%+v", m)
	}
	bound := netip.AddrPortFrom(listenAddr.Addr(), 7000)
	s.Tell(&messages.SocketReady{Addr: bound})
	s.Tell(&messages.SocketStarted{Socket: s.socket.PID})
	if m := stage.Next[*messages.BindSocket](s.socket); m.Addr != listenAddr || m.Before != bound {
		t.Errorf("%+v", m)
	}
}

func TestSocketsAreBoundWithoutAListener(t *testing.T) {
	s := newScene(t, false)
	s.Tell(&messages.SocketStarted{Socket: s.socket.PID})
	if m := stage.Next[*messages.BindSocket](s.socket); m.Addr != netip.AddrPortFrom(listenAddr.Addr(), 0) {
		t.Errorf("%+v", m)
	}
	s.Crash()
	stage.Next[*messages.BindSocket](s.socket)
}
