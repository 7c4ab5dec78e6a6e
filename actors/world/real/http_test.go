package real

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

const (
	long  = time.Minute
	short = 100 * time.Millisecond
)

var goodReply = string(announce.AppendReply(nil, announce.Reply{Interval: time.Hour, Seeders: 3}, true))

// ask announces to url and waits for the answer.
func ask(t *testing.T, h *HTTP, url string, timeout time.Duration) (announce.Reply, *world.AnnounceError) {
	t.Helper()
	type answer struct {
		reply announce.Reply
		err   error
	}
	answers := make(chan answer, 2)
	h.Announce(url, world.FromUser, announce.Request{Port: 1, NumWant: -1, Compact: true}, timeout, func(r announce.Reply, err error) {
		answers <- answer{r, err}
	})
	a := <-answers
	if a.err == nil {
		return a.reply, nil
	}
	var failed *world.AnnounceError
	if !errors.As(a.err, &failed) {
		t.Fatalf("%v is no AnnounceError", a.err)
	}
	if strings.ContainsAny(a.err.Error(), "\n\r") || strings.Contains(a.err.Error(), "info_hash") {
		t.Errorf("%q is not one short line", a.err)
	}
	return a.reply, failed
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handler)
	s.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(s.Close)
	return s
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}

func TestAnnounceReplies(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"plain": func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("User-Agent"); got != "kouzui/1.2" {
				t.Errorf("the tracker sees %q", got)
			}
			if _, err := announce.ParseRequest(r.URL.RawQuery); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, goodReply)
		},
		"gzip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped([]byte(goodReply)))
		},
		"gzip undeclared": func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(zipped([]byte(goodReply))) },
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Referer") != "" {
				t.Error("the announce URL was told to the next server")
			}
			if hops := len(r.URL.Path); hops < len("/ann")+3 {
				http.Redirect(w, r, r.URL.Path+"x?"+r.URL.RawQuery, http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, goodReply)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, handler)
			reply, err := ask(t, NewHTTP(HTTPOptions{Version: "1.2"}), s.URL+"/ann", long)
			if err != nil || reply.Seeders != 3 || reply.Interval != time.Hour {
				t.Errorf("%+v, %v", reply, err)
			}
		})
	}
}

func TestAnnounceNamesThePhaseThatFailed(t *testing.T) {
	big := append([]byte(goodReply), make([]byte, announce.MaxReply)...)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		timeout time.Duration
		phase   world.Phase
		text    string
	}{
		"status":       {handler: http.NotFound, phase: world.PhaseStatus, text: "404 Not Found"},
		"not bencode":  {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, phase: world.PhaseBencode},
		"long":         {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) }, phase: world.PhaseRead, text: "longer than"},
		"gzip bomb":    {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(zipped(big)) }, phase: world.PhaseRead, text: "longer than"},
		"gzip cut off": {handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(zipped(big)[:100]) }, phase: world.PhaseRead},
		"failure": {
			handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(announce.AppendFailure(nil, "go away")) },
			phase:   world.PhaseFailure, text: "go away",
		},
		"failure with a status": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write(announce.AppendFailure(nil, "go away"))
			},
			phase: world.PhaseFailure, text: "go away",
		},
		"hangs up": {
			handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			phase:   world.PhaseRead,
		},
		"hangs up in the body": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "d8:")
			},
			phase: world.PhaseRead,
		},
		"drips": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "d8:")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
			timeout: short, phase: world.PhaseRead, text: "timed out",
		},
		"silent": {
			handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			timeout: short, phase: world.PhaseRead, text: "timed out",
		},
		"redirects for ever": {
			handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
			phase:   world.PhaseStatus, text: "more than 3 redirections",
		},
		"redirects to a file": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			},
			phase: world.PhaseStatus, text: "not HTTP",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.handler)
			if c.timeout == 0 {
				c.timeout = long
			}
			reply, err := ask(t, NewHTTP(HTTPOptions{}), s.URL+"/announce", c.timeout)
			if err == nil || err.Phase != c.phase || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want phase %q and %q", err, c.phase, c.text)
			}
			if c.phase == world.PhaseFailure && reply.Failure != "go away" {
				t.Errorf("the reply came without its reason: %+v", reply)
			}
		})
	}
}

func TestAnnounceFailsBeforeTheServer(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	nobody := "http://" + socket.Addr().String() + "/announce"
	must(t, socket.Close())
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	for url, phase := range map[string]world.Phase{
		"udp://127.0.0.1/announce": world.PhaseURL,
		"http://":                  world.PhaseURL,
		"::":                       world.PhaseURL,
		nobody:                     world.PhaseConnect,
		strings.Replace(plain.URL, "http://", "https://", 1): world.PhaseTLS,
	} {
		if _, err := ask(t, NewHTTP(HTTPOptions{}), url, long); err == nil || err.Phase != phase {
			t.Errorf("%s: %v, want phase %q", url, err, phase)
		}
	}
}

// A host name for which no resolver is asked: the dot makes it absolute, and
// its label is too long.
func TestAnnounceFailsToResolve(t *testing.T) {
	_, err := ask(t, NewHTTP(HTTPOptions{}), "http://"+strings.Repeat("x", 64)+"./announce", long)
	if err == nil || err.Phase != world.PhaseDNS || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("got %v", err)
	}
}

func TestAnnounceOverTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://"+r.Host+"/", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, goodReply)
	}))
	s.Config.ErrorLog = nil
	s.TLS = &tls.Config{}
	s.StartTLS()
	defer s.Close()
	if _, err := ask(t, NewHTTP(HTTPOptions{}), s.URL, long); err == nil || err.Phase != world.PhaseTLS {
		t.Errorf("an unknown certificate gives %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	h := NewHTTP(HTTPOptions{Roots: roots})
	if reply, err := ask(t, h, s.URL, long); err != nil || reply.Seeders != 3 {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, err := ask(t, h, s.URL+"/down", long); err == nil || err.Phase != world.PhaseStatus {
		t.Errorf("a redirection to http gives %v", err)
	}
}

func TestAnnounceCancelled(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(left)
	})
	cancel := NewHTTP(HTTPOptions{}).Announce(s.URL, world.FromUser, announce.Request{}, long, func(announce.Reply, error) { t.Error("called") })
	<-arrived
	cancel()
	cancel()
	<-left
}

func TestFetchTorrent(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = io.WriteString(w, "d4:infode")
		case "/big":
			_, _ = w.Write(make([]byte, metainfo.MaxTorrent+1))
		default:
			http.NotFound(w, r)
		}
	})
	ctx, fetch := context.Background(), NewHTTP(HTTPOptions{}).FetchTorrent
	if got, err := fetch(ctx, s.URL+"/good"); err != nil || string(got) != "d4:infode" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := fetch(ctx, s.URL+"/big"); err == nil {
		t.Error("no bound")
	}
	if _, err := fetch(ctx, s.URL+"/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there gives %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := fetch(cancelled, s.URL+"/good"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
