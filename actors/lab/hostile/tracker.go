package hostile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"kouzui/actors/world"
)

// Tracker is one kind of hostile tracker. It treats every announce alike.
type Tracker struct {
	Name string
	// Fails is the phase in which an announce must fail; empty: it gets a reply,
	// but a useless one.
	Fails world.Phase
	// Hangs says that the tracker keeps an announce waiting until its timeout.
	Hangs  bool
	Answer func(*TrackerConn)
}

// TrackerConn is the tracker's end of one announce. Writing does not fail: when
// the other side has closed the connection, Open returns false.
type TrackerConn struct {
	net.Conn
	Own     net.Addr // of the tracker
	Request *http.Request

	ctx    context.Context
	failed bool
}

// Served counts the requests to a tracker.
type Served struct {
	URL       string
	announces atomic.Int64
}

// Announces is how many requests there were, including those that it was
// redirected to.
func (s *Served) Announces() int64 { return s.announces.Load() }

// Serve runs the tracker on an address of this machine until ctx ends.
func (t Tracker) Serve(ctx context.Context) (*Served, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	s := &Served{URL: fmt.Sprintf("http://%v/announce", l.Addr())}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.announces.Add(1)
			go t.serve(ctx, conn)
		}
	}()
	return s, nil
}

func (t Tracker) serve(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	t.Answer(&TrackerConn{Conn: conn, Own: conn.LocalAddr(), Request: request, ctx: ctx})
}

// Open tells whether the connection is still open, as far as the tracker can
// know.
func (c *TrackerConn) Open() bool { return !c.failed && c.ctx.Err() == nil }

// Say sends text as it is.
func (c *TrackerConn) Say(text string) {
	if _, err := io.WriteString(c, text); err != nil {
		c.failed = true
	}
}

// Reply sends a body in a proper HTTP response.
func (c *TrackerConn) Reply(body string) {
	c.Say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body)))
	c.Say(body)
}

// Redirect sends a redirection.
func (c *TrackerConn) Redirect(to string) {
	c.Say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + to + "\r\n\r\n")
}

// Drip sends text one byte at a time, over and over, until the other side has
// closed the connection.
func (c *TrackerConn) Drip(text string, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for i := 0; c.Open(); i++ {
		c.Say(text[i%len(text):][:1])
		select {
		case <-ticker.C:
		case <-c.ctx.Done():
		}
	}
}

// Hold sends nothing, and waits until the other side has closed the connection.
func (c *TrackerConn) Hold() { _, _ = io.Copy(io.Discard, c) }
