package real

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kouzui/actors/world"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	must(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(body)
}

func TestWeb(t *testing.T) {
	limits := world.WebLimits{Conns: 4, Query: 100, Timeout: short, Late: world.WebResponse{Status: 503, Body: []byte("late")}}
	s, err := Web{}.Serve("127.0.0.1:0", limits, func(r world.WebRequest, respond func(world.WebResponse)) {
		if !r.Remote.Addr().IsLoopback() || r.Remote.Port() == 0 {
			t.Errorf("the request comes from %v", r.Remote)
		}
		if r.Path == "/never" {
			return
		}
		go func() {
			respond(world.WebResponse{Type: "text/x", Body: []byte(r.Path + " " + r.Query)})
			respond(world.WebResponse{Body: []byte("again")})
		}()
	}, func(err error) { t.Error("ended:", err) })
	must(t, err)
	url := "http://" + s.Addr().String()
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/a%20b?x=%00&y", "/a b x=%00&y", 200},
		{"/never", "late", 503},
		{"/x?" + strings.Repeat("q", 101), "the query is too long\n", 414},
	} {
		if status, body := get(t, url+c.path); status != c.status || body != c.body {
			t.Errorf("%s: %d %q", c.path, status, body)
		}
	}
	if _, err := (Web{}).Serve(s.Addr().String(), limits, nil, nil); err == nil {
		t.Error("bound twice")
	}
	s.Close()
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("open after Close")
	}
	if _, err := (Web{}).Serve("nonsense", limits, nil, nil); err == nil || errors.Is(err, errClosed) {
		t.Errorf("a nonsense address gives %v", err)
	}
}

// A client that sends its request too slowly is cut off.
func TestWebSlowClient(t *testing.T) {
	s, err := Web{}.Serve("127.0.0.1:0", world.WebLimits{Conns: 1, Timeout: short}, nil, nil)
	must(t, err)
	defer s.Close()
	conn, err := net.Dial("tcp", s.Addr().String())
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HT")
	must(t, err)
	_, _ = io.Copy(io.Discard, conn) // returns when the server ends the connection
}

// Half-open requests, of the same address too, keep nobody out, and end when
// the header is overdue.
func TestHalfOpenRequestsKeepNobodyOut(t *testing.T) {
	s, err := Web{}.Serve("127.0.0.1:0", world.WebLimits{Conns: 20, Query: 100, Header: short, Timeout: time.Hour},
		func(_ world.WebRequest, respond func(world.WebResponse)) {
			respond(world.WebResponse{Body: []byte("yes")})
		}, nil)
	must(t, err)
	defer s.Close()
	var last net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", s.Addr().String())
		must(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x")
		must(t, err)
		last = conn
	}
	if status, body := get(t, "http://"+s.Addr().String()); status != 200 || body != "yes" {
		t.Errorf("%d %q", status, body)
	}
	_, _ = io.Copy(io.Discard, last) // returns long before Timeout
}

// A body would be waited for before the answer is sent.
func TestAQuestionHasNoBody(t *testing.T) {
	s, err := Web{}.Serve("127.0.0.1:0", world.WebLimits{Conns: 1, Timeout: short}, nil, nil)
	must(t, err)
	defer s.Close()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String(), strings.NewReader("body"))
	must(t, err)
	answer, err := client.Do(r)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestNewWiresEverything(t *testing.T) {
	w := New(Options{})
	if w.Clock == nil || w.Chance == nil || w.Network == nil || w.Disk == nil || w.Trackers == nil || w.Web == nil {
		t.Errorf("something is missing: %+v", w)
	}
	fired := make(chan struct{})
	before := w.Clock.Now()
	w.Clock.AfterFunc(1, func() { close(fired) })
	<-fired
	if !w.Clock.Now().After(before) {
		t.Error("the clock stands still")
	}
	if w.Chance.Source("a").Uint64() == w.Chance.Source("a").Uint64() {
		t.Error("two sources are alike")
	}
}
