package hostile

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// WebSeed is one kind of hostile web seed (BEP 19).
type WebSeed struct {
	Name   string
	Most   int64 // requests that it may get before it is left alone for long
	Answer http.HandlerFunc
}

// ServedSeed counts the requests to a web seed.
type ServedSeed struct {
	URL    string
	asked  atomic.Int64
	server *http.Server
}

// Asked is how many requests there were, including those that it was redirected
// to.
func (s *ServedSeed) Asked() int64 { return s.asked.Load() }

// Close ends the server and its connections.
func (s *ServedSeed) Close() { _ = s.server.Close() }

// Serve runs the web seed on an address of this machine until Close.
func (w WebSeed) Serve() (*ServedSeed, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &ServedSeed{URL: fmt.Sprintf("http://%v/content", l.Addr())}
	s.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		w.Answer(out, r)
	})}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// WebSeeds are all kinds that there are, of a torrent of one file with this
// content.
func WebSeeds(content []byte) []WebSeed {
	serve := func(w http.ResponseWriter, r *http.Request, data []byte) {
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(data))
	}
	spoiled := func(every int) http.HandlerFunc {
		data := bytes.Clone(content)
		for i := 0; i < len(data); i += every {
			data[i]++
		}
		return func(w http.ResponseWriter, r *http.Request) { serve(w, r, data) }
	}
	// raw answers with text, in which FIRST, LAST, SIZE and LENGTH stand for what
	// was asked for, and body for the right bytes.
	raw := func(text string, body func(asked []byte) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var first, last int
			if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil || first > last || last >= len(content) {
				http.Error(w, "no range", http.StatusBadRequest)
				return
			}
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			n := last + 1 - first
			head := strings.NewReplacer("FIRST", fmt.Sprint(first), "LAST", fmt.Sprint(last), "SIZE", fmt.Sprint(len(content)), "LENGTH", fmt.Sprint(n), "\n", "\r\n").Replace(text)
			_, _ = buffered.WriteString(head)
			if body != nil {
				_, _ = buffered.Write(body(content[first : last+1]))
			}
			_ = buffered.Flush()
		}
	}
	all := func(asked []byte) []byte { return asked }
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	const ok = "HTTP/1.1 206 Partial Content\n"
	return []WebSeed{
		{"all is wrong", 6, spoiled(1)},
		{"a byte in each block is wrong", 6, spoiled(16 << 10)},
		{"serves no parts", 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }},
		{"serves a page instead", 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>please log in</html>")) }},
		{"serves another part", 1, raw(ok+"Content-Range: bytes 0-9/SIZE\nContent-Length: 10\n\n0123456789", nil)},
		{"serves another file", 1, raw(ok+"Content-Range: bytes FIRST-LAST/99999999\nContent-Length: LENGTH\n\n", all)},
		{"says nothing of the part", 1, raw(ok+"Content-Length: LENGTH\n\n", all)},
		{"says that a part is endless", 1, raw(ok+"Content-Range: bytes FIRST-99999999999999999999/*\nContent-Length: 99999999999999999999\n\n", nil)},
		{"sends more", 6, raw(ok+"Content-Range: bytes FIRST-LAST/SIZE\n\n", func(asked []byte) []byte { return append(bytes.Clone(asked), "more"...) })},
		{"breaks off", 1, raw(ok+"Content-Range: bytes FIRST-LAST/SIZE\nContent-Length: LENGTH\n\n", func(asked []byte) []byte { return asked[:len(asked)/2] })},
		{"hangs up", 2, raw("", nil)},
		{"speaks no HTTP", 1, raw("220 FTP server ready\n", nil)},
		{"has endless headers", 1, raw(ok, func([]byte) []byte { return bytes.Repeat([]byte("X-Header: x\r\n"), 100_000) })},
		{"is a bomb", 1, status(http.StatusOK, "Content-Encoding", "gzip")},
		{"leads nowhere", 5, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }},
		{"leads to a file", 1, status(http.StatusFound, "Location", "file:///etc/passwd")},
		{"has nothing", 1, status(http.StatusNotFound)},
		{"is shorter", 1, status(http.StatusRequestedRangeNotSatisfiable)},
		{"is always busy", 1, status(http.StatusServiceUnavailable, "Retry-After", "0")},
		{"is busy for ever", 1, status(http.StatusTooManyRequests, "Retry-After", "99999999999999999999")},
	}
}
