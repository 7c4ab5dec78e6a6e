package observe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"
)

// opened is a Server that shows nothing, as the tree is not looked at.
func opened(t *testing.T, log zerolog.Logger, handler http.Handler) *Server {
	t.Helper()
	s, err := New(Config{Addr: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // connections that hang are cut
	s.listener = &counted{Listener: s.listener}
	s.serve(handler)
	return s
}

// counted is a listener that counts the connections that are open.
type counted struct {
	net.Listener
	open, most atomic.Int32
}

type countedConn struct {
	net.Conn
	closed func()
}

func (l *counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.most.Store(max(l.most.Load(), l.open.Add(1)))
	return countedConn{conn, sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

func (c countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// get asks for a page on a connection of its own.
func get(t *testing.T, s *Server, conn net.Conn, header string) (status int) {
	t.Helper()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: close\r\n%s\r\n", s.token, header)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

var fine = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// Clients without the token cannot keep connections open, and only a few can be
// open at a time.
func TestStrangersAtTheLivePageAreBounded(t *testing.T) {
	s := opened(t, zerolog.Nop(), fine)
	for what, limit := range map[string]int64{
		"a header": int64(s.http.ReadHeaderTimeout), "a request": int64(s.http.ReadTimeout), "an answer": int64(s.http.WriteTimeout),
		"silence": int64(s.http.IdleTimeout), "a header's bytes": int64(s.http.MaxHeaderBytes),
	} {
		if limit <= 0 {
			t.Errorf("no limit for %s", what)
		}
	}
	var silent []net.Conn
	for range maxConns {
		silent = append(silent, dial(t, s))
	}
	for range maxConns { // the oldest make room
		silent = append(silent, dial(t, s))
	}
	late := dial(t, s)
	if status := get(t, s, late, ""); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if _, err := io.Copy(io.Discard, silent[0]); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the oldest is still open")
	}
	// The one that has just come is counted before another makes room for it.
	if most := s.listener.(*counted).most.Load(); most > maxConns+1 {
		t.Errorf("%d connections at a time", most)
	}
}

func TestAQuestionHasNoBody(t *testing.T) {
	s := opened(t, zerolog.Nop(), fine)
	for _, header := range []string{"Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"} {
		if status := get(t, s, dial(t, s), header); status != http.StatusBadRequest {
			t.Errorf("%q: status %d", header, status)
		}
	}
}

// Messages of net/http go to the log, each in one clean line, and not to the
// terminal.
func TestThePageWritesNothingToTheTerminal(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = write
	defer func() { os.Stderr = before }()
	var lines bytes.Buffer
	s := opened(t, zerolog.New(&lines), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh\x1b[2J") }))
	conn := dial(t, s)
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", s.token)
	if _, err := io.ReadAll(conn); err != nil { // until the server has hung up, after it has complained
		t.Fatal(err)
	}
	_ = s.Close()
	write.Close()
	if printed, err := io.ReadAll(read); err != nil || len(printed) > 0 {
		t.Errorf("%v, printed %q", err, printed)
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"level":"debug"`) ||
		!strings.Contains(got, "panic serving") || strings.Contains(got, "goroutine") || strings.Contains(got, `\u001b`) {
		t.Errorf("logged %q", got)
	}
}
