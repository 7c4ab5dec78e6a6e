package real

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

// fetched is what has come of a fetch.
type fetched struct {
	chunks []int
	data   []byte
	err    *world.FetchError
}

// fetch asks for a range and waits for the end.
func fetch(t *testing.T, c world.FetchClient, r world.FetchRange) (got fetched) {
	t.Helper()
	ended := make(chan error, 2)
	c.Fetch(r, func(blocks []*buffer.Block) {
		for _, b := range blocks {
			got.chunks = append(got.chunks, len(b.Bytes()))
			got.data = append(got.data, b.Bytes()...)
			b.Release()
		}
	}, func(err error) { ended <- err })
	if err := <-ended; err != nil && !errors.As(err, &got.err) {
		t.Fatalf("%v is no FetchError", err)
	}
	return got
}

func openFetcher(t *testing.T, o HTTPOptions, from world.Origin) world.FetchClient {
	c := NewHTTP(o).Fetcher(buffer.NewPool(4)).Open(from)
	t.Cleanup(c.Close)
	return c
}

// content is what honest servers have.
var content = bytes.Repeat([]byte("0123456789abcdef"), 64<<10>>4)

func honest(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(content))
}

// A server is asked over one connection, whatever the ranges.
func TestFetchedRanges(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(honest))
	s.Listener = &counting{s.Listener, &conns}
	s.Start()
	t.Cleanup(s.Close)
	c := openFetcher(t, HTTPOptions{}, world.FromUser)
	for _, r := range []world.FetchRange{
		{Offset: 0, Chunks: []int{16 << 10, 16 << 10, 5}},
		{Offset: 99, Chunks: []int{1}},
		{Offset: 64<<10 - 7, Chunks: []int{3, 4}},
		{Offset: 0, Chunks: []int{16 << 10, 16 << 10, 16 << 10, 16 << 10}},
	} {
		r.URL, r.Size = s.URL+"/x", int64(len(content))
		got := fetch(t, c, r)
		if want := content[r.Offset : r.Offset+r.Length()]; got.err != nil || !bytes.Equal(got.data, want) || fmt.Sprint(got.chunks) != fmt.Sprint(r.Chunks) {
			t.Errorf("of %d+%v come %v: %v", r.Offset, r.Chunks, got.chunks, got.err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What servers do that are broken, busy or lie, and what is made of it: of
// bytes 100 to 199.
func TestServersThatCannotBeUsed(t *testing.T) {
	ranged := func(header string, status int, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", header)
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
	}
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	right := content[100:200]
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		outcome world.FetchOutcome
		after   time.Duration
		say     string
		came    int
	}{
		"no ranges":                 {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }, world.FetchUseless, 0, "does not serve parts", 0},
		"another file":              {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, world.FetchUseless, 0, "has 6 bytes on the server", 0},
		"another range":             {ranged("bytes 0-99/65536", 206, right), world.FetchUseless, 0, "bytes 0 to 99 in place of 100 to 199", 0},
		"another size":              {ranged("bytes 100-199/65537", 206, right), world.FetchUseless, 0, "has 65537 bytes on the server, and 65536", 0},
		"a longer range":            {ranged("bytes 100-299/65536", 206, content[100:300]), world.FetchUseless, 0, "bytes 100 to 299", 0},
		"a longer body":             {ranged("bytes 100-199/*", 206, content[100:300]), world.FetchUseless, 0, "200 bytes in place of 100", 0},
		"a longer body in chunks":   {chunked("bytes 100-199/*", content[100:300]), world.FetchUseless, 0, "more than was asked for", 100},
		"no Content-Range":          {ranged("", 206, right), world.FetchUseless, 0, "does not say which bytes", 0},
		"nonsense as Content-Range": {ranged("bytes 199-100/-5", 206, right), world.FetchUseless, 0, "does not say which bytes", 0},
		"compressed":                {status(200, "Content-Encoding", "gzip"), world.FetchUseless, 0, "compressed", 0},
		"forbidden":                 {status(403), world.FetchUseless, 0, "403 Forbidden", 0},
		"missing":                   {status(404), world.FetchMissing, 0, "404 Not Found", 0},
		"shorter":                   {status(416), world.FetchMissing, 0, "416", 0},
		"busy":                      {status(503, "Retry-After", "7"), world.FetchBusy, 7 * time.Second, "503", 0},
		"busy for years":            {status(429, "Retry-After", "99999999999"), world.FetchBusy, maxRetryAfter, "429", 0},
		"busy, and says nonsense":   {status(503, "Retry-After", "-7"), world.FetchBusy, 0, "503", 0},
		"cut off":                   {hangsUp("bytes 100-199/65536", 100, right[:60]), world.FetchBroken, 0, "breaks off", 50},
		"cut off in chunks":         {chunked("bytes 100-199/65536", right[:60]), world.FetchBroken, 0, "breaks off", 50},
		"a loop":                    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, world.FetchUseless, 0, "redirections", 0},
		"leads to a file":           {status(302, "Location", "file:///etc/passwd"), world.FetchUseless, 0, "not HTTP", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.handler)
			got := fetch(t, openFetcher(t, HTTPOptions{}, world.FromUser), world.FetchRange{URL: s.URL + "/k3y", Offset: 100, Size: int64(len(content)), Chunks: []int{50, 50}})
			if got.err == nil || got.err.Outcome != c.outcome || got.err.After != c.after || !strings.Contains(got.err.Error(), c.say) {
				t.Fatalf("%+v, want outcome %d after %v with %q", got.err, c.outcome, c.after, c.say)
			}
			if len(got.data) != c.came || !bytes.Equal(got.data, right[:c.came]) {
				t.Errorf("%d bytes came, want %d", len(got.data), c.came)
			}
			if strings.Contains(got.err.Error(), "k3y") {
				t.Errorf("%q has a key of the URL", got.err)
			}
		})
	}
}

// The whole of a file may come from a server that serves no ranges.
func TestAWholeFileNeedsNoRanges(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "all of it") })
	got := fetch(t, openFetcher(t, HTTPOptions{}, world.FromUser), world.FetchRange{URL: s.URL, Size: 9, Chunks: []int{4, 5}})
	if got.err != nil || string(got.data) != "all of it" {
		t.Errorf("%q, %v", got.data, got.err)
	}
}

// A .torrent must not have us ask for things inside our own network, whatever
// its path looks like; nor may a server outside lead there.
func TestWebSeedsInsideOurNetwork(t *testing.T) {
	var asked atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); honest(w, r) })
	of := world.FetchRange{URL: s.URL + "/announce", Size: int64(len(content)), Chunks: []int{5}}
	if got := fetch(t, openFetcher(t, HTTPOptions{}, world.FromTorrent), of); got.err == nil || got.err.Outcome != world.FetchUseless || !strings.Contains(got.err.Error(), "--allow-private") || asked.Load() > 0 {
		t.Errorf("%v after %d requests", got.err, asked.Load())
	}
	for name, c := range map[string]world.FetchClient{
		"with AllowPrivate":    openFetcher(t, HTTPOptions{AllowPrivate: true}, world.FromTorrent),
		"by the user's choice": openFetcher(t, HTTPOptions{}, world.FromUser),
	} {
		if got := fetch(t, c, of); got.err != nil || len(got.data) != 5 {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

func TestFetchingOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(honest))
	t.Cleanup(s.Close)
	of := world.FetchRange{URL: s.URL, Size: int64(len(content)), Chunks: []int{5}}
	if got := fetch(t, openFetcher(t, HTTPOptions{Roots: rootsOf(s)}, world.FromUser), of); got.err != nil || string(got.data) != "01234" {
		t.Errorf("%q, %v", got.data, got.err)
	}
	if got := fetch(t, openFetcher(t, HTTPOptions{}, world.FromUser), of); got.err == nil || got.err.Outcome != world.FetchBroken {
		t.Errorf("a certificate of nobody: %v", got.err)
	}
}

// After cancel nothing is delivered, and Close ends what is under way.
func TestCancelledFetches(t *testing.T) {
	arrived, gone := make(chan bool), make(chan bool)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-r.Context().Done()
		gone <- true
	})
	c := openFetcher(t, HTTPOptions{}, world.FromUser)
	for _, end := range []func(cancel func()){func(cancel func()) { cancel() }, func(func()) { c.Close() }} {
		cancel := c.Fetch(world.FetchRange{URL: s.URL, Size: 9, Chunks: []int{9}},
			func([]*buffer.Block) { t.Error("something is delivered") }, func(err error) { t.Errorf("it is answered: %v", err) })
		<-arrived
		end(cancel)
		<-gone
	}
}

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-99/100", "bytes 5-6/*", "Bytes 1-0/9", "bytes */5", "bytes=0-1/2", "bytes 0-9223372036854775808/*", "bytes +1-2/3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, last, total, ok := parseContentRange(text)
		if ok && (first < 0 || last < first || total >= 0 && total <= last) {
			t.Errorf("%q is read as %d to %d of %d", text, first, last, total)
		}
		if after := parseRetryAfter(text, time.Unix(1, 0)); after < 0 || after > maxRetryAfter {
			t.Errorf("%q is read as %v", text, after)
		}
	})
}

// chunked answers with a body whose length is not told before.
func chunked(header string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", header)
		w.WriteHeader(http.StatusPartialContent)
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(body)
	}
}

// hangsUp answers with less than it says.
func hangsUp(header string, length int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		fmt.Fprintf(rw, "HTTP/1.1 206 Partial Content\r\nContent-Range: %s\r\nContent-Length: %d\r\n\r\n%s", header, length, body)
		_ = rw.Flush()
		_ = conn.Close()
	}
}

// counting counts the connections that a listener accepts.
type counting struct {
	net.Listener
	n *atomic.Int32
}

func (c *counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func rootsOf(s *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return roots
}
