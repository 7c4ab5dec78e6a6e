// Package trackerserver is an HTTP tracker: announces by BEP 3, 7 and 23,
// scrapes by BEP 48. It serves whoever asks, within its Limits, from memory.
//
// The actor owns the Table and answers queries. Serve is its front: the front
// binds the socket, and goes on when the actor is restarted. Meanwhile queries
// wait in the mailbox, or are answered with status 503 and a failure reason.
// The peers' next announces fill the table again.
package trackerserver

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/wire/announce"
)

// Config is what the actor is built from.
type Config struct {
	World  *world.World
	Limits Limits
}

// Query: front to tracker. The tracker calls Respond once.
type Query struct {
	From  netip.Addr // who asks, or the reverse proxy
	Path  string
	Query string // as it came
	// Forwarded is for whom a reverse proxy asks, see world.WebRequest.
	Forwarded string
	Respond   func(world.WebResponse)
}

// IgnoreDeadLetterLogging keeps queries to a tracker that has ended out of the
// log.
func (*Query) IgnoreDeadLetterLogging() {}

// QueryCounts: whoever shows the tracker to the tracker. The tracker calls
// Reply once.
type QueryCounts struct{ Reply func(Counts) }

// IgnoreDeadLetterLogging keeps questions to a tracker that has ended out of
// the log.
func (*QueryCounts) IgnoreDeadLetterLogging() {}

// expire: the tracker to itself, by a timer.
type expire struct{}

// New returns a tracker with an empty table.
func New(cfg Config) actor.Actor { return &tracker{cfg: cfg} }

type tracker struct {
	cfg   Config
	rnd   *rand.Rand
	table *Table
	timer world.Timer
}

func (t *tracker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		t.rnd = t.cfg.World.Chance.Source(c.Self().Id)
		t.table = NewTable(t.cfg.Limits)
		t.expireLater(c)
	case *Query:
		m.Respond(t.answer(m, t.cfg.World.Clock.Now()))
	case *QueryCounts:
		m.Reply(t.table.Counts())
	case *expire:
		t.table.Expire(t.cfg.World.Clock.Now())
		t.expireLater(c)
	case *actor.Restarting, *actor.Stopping:
		if t.timer != nil {
			t.timer.Stop()
		}
	}
}

func (t *tracker) expireLater(c actor.Context) {
	every := max(t.table.limits.Interval/2, time.Second)
	t.timer = supervise.SendAfter(c, t.cfg.World.Clock, every, &expire{})
}

func (t *tracker) answer(q *Query, now time.Time) world.WebResponse {
	switch q.Path {
	case "/announce":
		return body(t.announce(q, now))
	case "/scrape":
		return body(t.scrape(q))
	}
	return world.WebResponse{Status: http.StatusNotFound, Type: "text/plain", Body: []byte("announce at /announce\n")}
}

func (t *tracker) announce(q *Query, now time.Time) []byte {
	r, err := announce.ParseRequest(q.Query)
	if err != nil {
		return announce.AppendFailure(nil, err.Error())
	}
	reply := t.table.Announce(r, t.table.limits.source(q.From, q.Forwarded), now, t.rnd)
	if slices.Contains(strings.Split(q.Query, "&"), "no_peer_id=1") {
		for i := range reply.Peers {
			reply.Peers[i].HasID = false
		}
	}
	return announce.AppendReply(nil, reply, r.Compact)
}

func (t *tracker) scrape(q *Query) []byte {
	hashes, err := announce.ParseScrapeRequest(q.Query)
	if err != nil {
		return announce.AppendFailure(nil, err.Error())
	}
	files, err := t.table.Scrape(hashes)
	if err != nil {
		return announce.AppendFailure(nil, err.Error())
	}
	return announce.AppendScrape(nil, files)
}

func body(b []byte) world.WebResponse { return world.WebResponse{Type: "text/plain", Body: b} }

// Bounds of what the front's clients cost.
const (
	maxConns       = 1000
	headerTimeout  = 2 * time.Second
	requestTimeout = 5 * time.Second // for a request to arrive, and then for its answer
)

// Serve answers HTTP at addr with the tracker at pid, until the listener is
// closed. failed is called at most once, when serving ends by itself.
func Serve(web world.Web, addr string, root *actor.RootContext, pid *actor.PID, failed func(error)) (world.Listener, error) {
	limits := world.WebLimits{
		Conns:   maxConns,
		Query:   announce.MaxQuery,
		Header:  headerTimeout,
		Timeout: requestTimeout,
		Late: world.WebResponse{
			Status: http.StatusServiceUnavailable,
			Type:   "text/plain",
			Body:   announce.AppendFailure(nil, "the tracker is not ready, try again"),
		},
	}
	return web.Serve(addr, limits, func(r world.WebRequest, respond func(world.WebResponse)) {
		root.Send(pid, &Query{From: r.Remote.Addr(), Path: r.Path, Query: r.Query, Forwarded: r.Forwarded, Respond: respond})
	}, failed)
}
