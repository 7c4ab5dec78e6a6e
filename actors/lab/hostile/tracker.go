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

// Tracker is one way for a tracker to do harm. Whoever announces gets the same.
type Tracker struct {
	Name string
	// Fails is the phase at which an announce ends in failure; "": it gets a
	// reply, which says nothing of use.
	Fails world.Phase
	// Hangs: it would take for ever.
	Hangs  bool
	Answer func(*TrackerConn)
}

// TrackerConn is a tracker's side of one announce. What is written fails
// silently once the other side has closed; Open tells.
type TrackerConn struct {
	net.Conn
	Own     net.Addr // of the tracker
	Request *http.Request

	ctx    context.Context
	failed bool
}

// Served counts what a tracker was asked.
type Served struct {
	URL       string
	announces atomic.Int64
}

// Announces is how often it was asked, redirections of its own counted too.
func (s *Served) Announces() int64 { return s.announces.Load() }

// Serve answers on an address of this machine until ctx ends.
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

// Open tells whether nobody has ended the connection, as far as known.
func (c *TrackerConn) Open() bool { return !c.failed && c.ctx.Err() == nil }

// Say sends text as it is.
func (c *TrackerConn) Say(text string) {
	if _, err := io.WriteString(c, text); err != nil {
		c.failed = true
	}
}

// Reply sends a body as an honest server would.
func (c *TrackerConn) Reply(body string) {
	c.Say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(body)))
	c.Say(body)
}

// Redirect sends whoever asks elsewhere.
func (c *TrackerConn) Redirect(to string) {
	c.Say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + to + "\r\n\r\n")
}

// Drip sends text one byte at a time, over and over, until nobody listens.
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

// Hold says nothing until the other side has gone.
func (c *TrackerConn) Hold() { _, _ = io.Copy(io.Discard, c) }
