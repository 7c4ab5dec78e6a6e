// Package observe shows a running client to a browser: its supervision tree,
// the failures and how supervision answers them, and its torrents. The same is
// there as metrics in Prometheus's text format, and as profiles.
//
// Package observe has no actor, and stands outside of the tree on purpose. It
// must be able to show a client whose actors hang, flood each other or fail one
// after the other, and nothing in it may delay an actor. It reads what is
// public anyway (Tree.Snapshot, the trace as one more sink, the events for
// Notify). Its only action is to kill an actor, which goes through Tree.Kill
// like every injected fault. It uses net/http directly: world.Web has neither
// POST nor answers without an end, and a simulated world needs no page.
package observe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kouzui/actors/runtime/clients"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const (
	// remembered is how many events of the trace are kept for the page: some
	// minutes of a storm, days of a quiet run.
	remembered = 1 << 14
	// sampling is how often the depths of mailboxes are looked at.
	sampling = time.Second
	// maxHeader bounds the header of a request in bytes.
	maxHeader = 16 << 10
	// maxConns is how many connections may be open at a time, those of pages among
	// them. Of those that are not being served, the one that has waited longest
	// makes room, see package clients.
	maxConns       = 64
	headerTimeout  = 2 * time.Second  // for the header of a request to arrive
	requestTimeout = 10 * time.Second // for a request to arrive, and for a frame or an answer to be sent
)

// ErrRemote: the address can be reached from other machines.
var ErrRemote = errors.New("not a loopback address")

// Config is what a Server is made from.
type Config struct {
	Addr string // "host:port"; port 0 for any free one
	// Remote allows an Addr that other machines can reach. Any client that has the
	// token can then see everything and kill actors, over plain HTTP.
	Remote  bool
	Version string // of the program
	// Log gets, at level debug, what net/http logs, such as a handler that
	// panicked.
	Log zerolog.Logger
}

// Server shows one client. It must be made before the client, because it is one
// of the client's sinks; it answers requests from Watch on.
type Server struct {
	Config
	listener net.Listener
	http     *http.Server
	token    string // in the address of the page
	session  string // in the cookie that the token is exchanged for
	recent   *trace.Recent
	model    *model
	tree     *supervise.Tree

	viewers chan struct{} // an element for each open stream
	ended   chan struct{} // closed by Close
	end     sync.Once
	running sync.WaitGroup
}

// New binds the address. Requests are answered from Watch on.
func New(c Config) (*Server, error) {
	if err := c.allowed(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, err
	}
	return &Server{
		Config:   c,
		listener: l,
		token:    rand.Text(),
		session:  rand.Text(),
		recent:   trace.NewRecent(remembered),
		model:    newModel(time.Now()),
		viewers:  make(chan struct{}, maxViewers),
		ended:    make(chan struct{}),
	}, nil
}

// allowed returns an error for an address that is not loopback, unless Remote
// is set. A name other than localhost may resolve to any address and counts as
// remote.
func (c Config) allowed() error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if c.Remote || host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %w", c.Addr, ErrRemote)
}

// URL is the address of the page, with the token. A browser is given a cookie
// for it. Programs send the token with each request, as Authorization: Bearer
// or as token in the query.
func (s *Server) URL() string {
	addr := s.listener.Addr().String()
	if host, _, _ := net.SplitHostPort(s.Addr); host == "localhost" {
		addr = fmt.Sprintf("localhost:%d", s.listener.Addr().(*net.TCPAddr).Port)
	}
	return "http://" + addr + "/?token=" + s.token
}

// Record implements event.Sink.
func (s *Server) Record(e *event.Event) { s.recent.Record(e) }

// Notify takes the events of the client, for actors.Options.Notify.
func (s *Server) Notify(event any) {
	switch m := event.(type) {
	case *messages.Progress:
		s.model.progress(m, "")
	case *messages.TorrentCompleted:
		s.model.progress(&m.Last, "")
	case *messages.TorrentDone:
		s.model.progress(&m.Last, "")
	case *messages.TorrentFailed:
		s.model.progress(&m.Last, m.Err.Error())
	case *messages.AddressesBlocked:
		s.model.blocked(m)
	case *messages.SendingMeasured:
		s.model.sendingMeasured(m)
	}
}

// Watch begins to show the tree. It returns at once.
func (s *Server) Watch(tree *supervise.Tree) {
	s.tree = tree
	s.running.Go(s.follow)
	s.serve(s.routes())
}

// serve answers on the listener until Close.
func (s *Server) serve(routes http.Handler) {
	s.http = &http.Server{
		Handler:           s.guarded(routes),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout, // routes for profiles lift this limit, see lasting
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(complaints{s.Log}, "", 0),
	}
	s.running.Go(func() { _ = s.http.Serve(clients.Bound(s.http, s.listener, maxConns)) })
}

// complaints is the log of net/http, which would otherwise write stacks to the
// terminal, over the live view.
type complaints struct{ zerolog.Logger }

func (c complaints) Write(line []byte) (int, error) {
	first, _, _ := strings.Cut(string(line), "\n")
	c.Debug().Str("said", metainfo.Clean(first, maxReason)).Msg("the live page's server complains")
	return len(line), nil
}

// follow updates the model from the recent events, until Close.
func (s *Server) follow() {
	sample := time.NewTicker(sampling)
	defer sample.Stop()
	var look *supervise.Look // nil: no page is open
	defer func() {
		if look != nil {
			look.Close()
		}
	}()
	for next := uint64(0); ; {
		events, total, more := s.recent.After(next)
		next = total
		if s.model.apply(events) {
			s.model.resync(s.tree.Snapshot())
		}
		select {
		case <-more:
		case <-sample.C:
			s.model.sample(s.tree.Snapshot())
			look = s.measure(look)
		case <-s.ended:
			return
		}
	}
}

// measure tells the model what actors have done since the last call, and goes
// on measuring for as long as a page is open.
func (s *Server) measure(look *supervise.Look) *supervise.Look {
	switch open := len(s.viewers) > 0; {
	case look != nil && open:
		s.model.worked(look.Take())
	case look != nil:
		look.Close()
		s.model.rested()
		return nil
	case open:
		return s.tree.Look()
	}
	return look
}

// Close tells the pages that the run has ended, and returns when all goroutines
// of the Server have ended.
func (s *Server) Close() error {
	s.end.Do(func() { close(s.ended) })
	if s.http == nil {
		return s.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.running.Wait()
	return err
}

// named tells whether the Host of a request is a name of this server. A page of
// another site whose name has been made to resolve to our address (DNS
// rebinding) sends that other name.
func (s *Server) named(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if asked, _, _ := net.SplitHostPort(s.Addr); strings.EqualFold(name, asked) && name != "" {
		return true
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	_, err = netip.ParseAddr(name)
	return err == nil
}
