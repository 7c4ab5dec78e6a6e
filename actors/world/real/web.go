package real

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"kouzui/actors/runtime/clients"
	"kouzui/actors/world"
)

const maxRequestHeader = 16 << 10 // bytes

// Web serves HTTP.
type Web struct{}

var _ world.Web = Web{}

// Serve implements world.Web. A connection carries one request.
func (Web) Serve(addr string, limits world.WebLimits, handle func(world.WebRequest, func(world.WebResponse)), failed func(error)) (world.Listener, error) {
	socket, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, cause(err)
	}
	s := &webServer{limits: limits, handle: handle, addr: addrPort(socket.Addr()), ended: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: limits.Header,
		ReadTimeout:       limits.Timeout,
		WriteTimeout:      3 * limits.Timeout, // from the end of the header: waiting for respond, and writing the answer
		MaxHeaderBytes:    maxRequestHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // errors of clients are not logged
	}
	s.http.SetKeepAlivesEnabled(false)
	go func() {
		defer close(s.ended)
		if err := s.http.Serve(clients.Bound(s.http, socket, limits.Conns)); !errors.Is(err, http.ErrServerClosed) {
			failed(cause(err))
		}
	}()
	return s, nil
}

type webServer struct {
	limits   world.WebLimits
	handle   func(world.WebRequest, func(world.WebResponse))
	http     *http.Server
	addr     netip.AddrPort
	ended    chan struct{}
	handlers sync.WaitGroup
}

func (s *webServer) Addr() netip.AddrPort { return s.addr }

// Close implements world.Listener. It does not wait for answers.
func (s *webServer) Close() {
	_ = s.http.Close()
	<-s.ended
	s.handlers.Wait()
}

func (s *webServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handlers.Add(1)
	defer s.handlers.Done()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET is answered", http.StatusMethodNotAllowed)
		return
	case r.ContentLength != 0: // net/http would wait for the body before it answers
		http.Error(w, "a question has no body", http.StatusBadRequest)
		return
	case len(r.URL.RawQuery) > s.limits.Query:
		http.Error(w, "the query is too long", http.StatusRequestURITooLong)
		return
	}
	clients.Serve(r.Context())
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	ctx, stop := context.WithTimeout(r.Context(), s.limits.Timeout)
	defer stop()

	answer := make(chan world.WebResponse, 1)
	s.handle(world.WebRequest{
		Remote: netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port()),
		Path:   r.URL.Path,
		Query:  r.URL.RawQuery,

		Forwarded: strings.Join(r.Header.Values("X-Forwarded-For"), ","),
	}, func(a world.WebResponse) {
		select {
		case answer <- a:
		default:
		}
	})
	var a world.WebResponse
	select {
	case a = <-answer:
	case <-ctx.Done():
		a = s.limits.Late
	}
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, _ = w.Write(a.Body) // an error means that the client has gone
}
