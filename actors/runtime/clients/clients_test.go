package clients

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers at loopback. A request for /hold is answered when it has been
// let go.
func serve(t *testing.T, most int) (addr string, let chan struct{}, held chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	let, held = make(chan struct{}), make(chan struct{}, most)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer Serve(r.Context())()
		if r.URL.Path == "/hold" {
			held <- struct{}{}
			<-let
		}
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(Bound(s, l, most))
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return l.Addr().String(), let, held
}

// dial connects from an address of loopback.
func dial(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Skipf("no second address of loopback: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func ask(t *testing.T, conn net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, conn net.Conn) {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// The oldest connection of the host that has the most makes room, whatever the
// others of that host have sent of their requests.
func TestAHostKeepsNobodyOut(t *testing.T) {
	const most = 20
	addr, _, _ := serve(t, most)
	early := dial(t, "127.0.0.3", addr) // waits longest, but is alone
	var crowd []net.Conn
	for range 3 * most {
		conn := dial(t, "127.0.0.1", addr)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost"); err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, conn)
	}
	honest := dial(t, "127.0.0.2", addr)
	ask(t, honest, "/")
	answered(t, honest)
	ask(t, early, "/")
	answered(t, early)
	if _, err := io.Copy(io.Discard, crowd[0]); err != nil && !isReset(err) {
		t.Error(err)
	}
	last := crowd[len(crowd)-1]
	if _, err := io.WriteString(last, ": x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answered(t, last)
}

func isReset(err error) bool {
	_, is := err.(*net.OpError)
	return is
}

// Whom a handler serves makes room for nobody; whoever comes then waits.
func TestWhoIsServedIsLeftAlone(t *testing.T) {
	addr, let, held := serve(t, 2)
	var served []net.Conn
	for range 2 {
		conn := dial(t, "127.0.0.1", addr)
		ask(t, conn, "/hold")
		served = append(served, conn)
		<-held
	}
	late := dial(t, "127.0.0.2", addr)
	ask(t, late, "/")
	close(let)
	for _, conn := range append(served[:1:1], late) {
		answered(t, conn)
	}
}

// handed is a listener of connections that a test hands to it.
type handed chan net.Conn

func (h handed) Accept() (net.Conn, error) { return <-h, nil }
func (handed) Close() error                { return nil }
func (handed) Addr() net.Addr              { return nil }

// Close ends an Accept that waits for room. Its connection is closed too, and
// not given to a server that has ended.
func TestCloseEndsWhoWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(handed, 2)
		b := Bound(new(http.Server), l, 1).(*bounded)
		near, served := net.Pipe()
		defer served.Close()
		l <- near
		first, err := b.Accept()
		if err != nil {
			t.Fatal(err)
		}
		b.set(first.(*client), true)

		near, late := net.Pipe()
		l <- near
		accepted := make(chan error)
		go func() {
			_, err := b.Accept()
			accepted <- err
		}()
		synctest.Wait()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-accepted; err != net.ErrClosed {
			t.Fatalf("Accept returns %v", err)
		}
		if _, err := late.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("who waits reads %v", err)
		}
	})
}
