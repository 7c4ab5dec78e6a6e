package real

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

const (
	maxRedirects   = 3
	maxReplyHeader = 64 << 10 // bytes
	maxReason      = 300      // bytes of why a request failed
)

// HTTPOptions says how HTTP works.
type HTTPOptions struct {
	Version string         // of this program, as servers are told it
	Roots   *x509.CertPool // trusted certificate authorities; nil: those of the system
	Source  *Source        // where connections and look-ups leave from; nil: anywhere
	// AllowPrivate lifts the bounds of where strangers' URLs may lead, and of the
	// peers that trackers may name.
	AllowPrivate bool
}

// HTTP fetches small things from servers that may be slow, hostile, or send too
// much. Every request has a connection of its own. Unless the Source has a
// proxy, proxies are taken from the environment (HTTP_PROXY, HTTPS_PROXY,
// NO_PROXY), except for servers on this machine.
type HTTP struct {
	client       http.Client
	options      HTTPOptions
	agent        string
	allowPrivate bool
	newcomers    newcomers
}

// NewHTTP returns a client. It keeps no connections, and need not be closed.
func NewHTTP(o HTTPOptions) *HTTP {
	h := &HTTP{options: o, agent: o.agent(), allowPrivate: o.AllowPrivate}
	transport := o.transport()
	transport.DisableKeepAlives = true
	h.client = http.Client{CheckRedirect: checkRedirect, Transport: transport}
	return h
}

// transport makes connections that a visit permits.
func (o *HTTPOptions) transport() *http.Transport {
	source := o.Source
	return &http.Transport{
		Proxy: o.Source.proxyOf,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) { // bounded by the request's context
			v, _ := ctx.Value(visitKey{}).(*visit)
			return source.dial(ctx, network, addr, v.enter)
		},
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots},
		DisableCompression:     true, // inflate has its own bounds, and a range is of the file as it is
		MaxResponseHeaderBytes: maxReplyHeader,
	}
}

// agent is as what we introduce ourselves.
func (o *HTTPOptions) agent() string {
	if o.Version == "" {
		return "kouzui"
	}
	return "kouzui/" + o.Version
}

// redirectError is the reason why a redirection is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

func checkRedirect(r *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return redirectError(fmt.Sprintf("more than %d redirections", maxRedirects))
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return redirectError("redirected to something that is not HTTP")
	case last.Scheme == "https" && r.URL.Scheme == "http":
		return redirectError("redirected from https to http")
	}
	r.Header.Del("Referer") // an announce URL can hold a user's key
	if v, is := r.Context().Value(visitKey{}).(*visit); is {
		v.next(r.URL)
	}
	return nil
}

// StatusError is an HTTP status other than success. 404 and 410 are also
// fs.ErrNotExist.
type StatusError int

func (e StatusError) Error() string {
	if text := http.StatusText(int(e)); text != "" {
		return fmt.Sprintf("%d %s", int(e), text)
	}
	return fmt.Sprint(int(e))
}

// Is implements errors.Is.
func (e StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && (e == http.StatusNotFound || e == http.StatusGone)
}

// get returns a body of at most limit bytes. If the status is not success, it
// returns both the body and the error.
func (h *HTTP) get(ctx context.Context, url string, v *visit, limit int) ([]byte, *world.AnnounceError) {
	var at progress
	traced := httptrace.WithClientTrace(httptrace.WithClientTrace(ctx, at.trace()), v.trace())
	r, err := http.NewRequestWithContext(context.WithValue(traced, visitKey{}, v), http.MethodGet, url, nil)
	if err != nil {
		return nil, &world.AnnounceError{Phase: world.PhaseURL, Err: errors.New("not a URL")}
	}
	if s := r.URL.Scheme; s != "http" && s != "https" || r.URL.Hostname() == "" {
		return nil, &world.AnnounceError{Phase: world.PhaseURL, Err: errors.New("not an http or https URL with a host")}
	}
	v.next(r.URL)
	r.Header.Set("User-Agent", h.agent)
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := h.client.Do(r)
	if err != nil {
		return nil, &world.AnnounceError{Phase: at.blame(err), Err: explain(ctx, err)}
	}
	defer answer.Body.Close()
	body, err := readLimited(answer.Body, limit)
	if err == nil {
		body, err = inflate(body, limit)
	}
	if status := answer.StatusCode; status/100 != 2 {
		return body, &world.AnnounceError{Phase: world.PhaseStatus, Err: StatusError(status)}
	}
	if err != nil {
		return nil, &world.AnnounceError{Phase: world.PhaseRead, Err: explain(ctx, err)}
	}
	return body, nil
}

func readLimited(r io.Reader, limit int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(body) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return body, err
}

// inflate unpacks a body if it begins like gzip. Some servers send gzip
// although it was not asked for and without saying so; neither bencode nor
// anything else that is fetched here begins like that.
func inflate(body []byte, limit int) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return readLimited(z, limit)
}

// progress is how far a request has come. Its hooks are called on several
// goroutines.
type progress struct{ phase atomic.Value }

func (p *progress) trace() *httptrace.ClientTrace {
	p.phase.Store(world.PhaseConnect)
	return &httptrace.ClientTrace{
		GetConn:           func(string) { p.phase.Store(world.PhaseConnect) },
		DNSStart:          func(httptrace.DNSStartInfo) { p.phase.Store(world.PhaseDNS) },
		ConnectStart:      func(string, string) { p.phase.Store(world.PhaseConnect) },
		TLSHandshakeStart: func() { p.phase.Store(world.PhaseTLS) },
		GotConn:           func(httptrace.GotConnInfo) { p.phase.Store(world.PhaseSend) },
		WroteRequest: func(w httptrace.WroteRequestInfo) {
			if w.Err == nil {
				p.phase.Store(world.PhaseRead)
			}
		},
	}
}

// blame is the phase in which the request failed with err.
func (p *progress) blame(err error) world.Phase {
	var (
		dns      *net.DNSError
		redirect redirectError
		barred   barredError
		proxy    *ProxyError
	)
	switch {
	case errors.As(err, &barred):
		return world.PhaseURL
	case errors.Is(err, errCrowded), errors.As(err, &proxy):
		return world.PhaseConnect
	case errors.As(err, &redirect):
		return world.PhaseStatus
	case errors.As(err, &dns):
		return world.PhaseDNS
	}
	return p.phase.Load().(world.Phase)
}

// explain shortens err to one line. The error of a cancelled context is
// returned as it is.
func explain(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() == context.Canceled {
		return context.Canceled
	}
	var dns *net.DNSError
	var proxy *ProxyError
	switch {
	case errors.As(err, &proxy):
		return proxy
	case errors.As(err, &dns) && dns.IsNotFound:
		return dnsError{dns}
	}
	return innermost(err)
}

// dnsError is a DNS error whose text does not name the DNS servers.
type dnsError struct{ *net.DNSError }

func (e dnsError) Error() string { return "no such host " + e.Name }
func (e dnsError) Unwrap() error { return e.DNSError }

// innermost removes the URL from err, which may contain a key of the user, and
// then does the same as cause.
func innermost(err error) error {
	var barred barredError
	if errors.As(err, &barred) {
		return barred
	}
	if errors.Is(err, errCrowded) {
		return errCrowded
	}
	var u *url.Error
	if errors.As(err, &u) && !u.Timeout() {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errTimedOut
	}
	err = cause(err)
	if text := metainfo.Clean(err.Error(), maxReason); text != err.Error() { // it quotes the server
		return errors.New(text)
	}
	return err
}
