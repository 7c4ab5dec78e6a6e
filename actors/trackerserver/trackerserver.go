// Package trackerserver is a tracker over HTTP (announces by BEP 3, 7 and 23,
// scrapes by BEP 48) and UDP (BEP 15). It serves whoever asks, within its
// Limits, from memory.
//
// The actor owns the Table and answers queries. Serve and ServeUDP are its
// fronts: a front binds the socket, and goes on when the actor is restarted.
// Meanwhile queries wait in the mailbox, or are answered with status 503 and a
// failure reason. The peers' next announces fill the table again; connection
// IDs stay valid.
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
	"kouzui/messages"
	"kouzui/wire/announce"
)

// Config is what the actor is built from.
type Config struct {
	World  *world.World
	Limits Limits
	Key    Key // by which connection IDs are made, of UDP
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

// AnswerDatagrams: front to tracker: what has come over UDP. The tracker calls
// Respond once, with the answers.
type AnswerDatagrams struct {
	Datagrams []messages.Datagram
	Respond   func([]messages.Datagram)
}

// IgnoreDeadLetterLogging keeps datagrams to a tracker that has ended out of
// the log.
func (*AnswerDatagrams) IgnoreDeadLetterLogging() {}

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
	timer supervise.Timer // of the next expire
}

func (t *tracker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		t.rnd = t.cfg.World.Chance.Source(c.Self().Id)
		t.table = NewTable(t.cfg.Limits)
		t.expireLater(c)
	case *Query:
		m.Respond(t.answer(m, t.cfg.World.Clock.Now()))
	case *AnswerDatagrams:
		t.answerAll(m, t.cfg.World.Clock.Now())
	case *QueryCounts:
		m.Reply(t.table.Counts())
	case *expire:
		t.table.Expire(t.cfg.World.Clock.Now())
		t.expireLater(c)
	case *actor.Restarting, *actor.Stopping:
		t.timer.Stop()
	}
}

func (t *tracker) expireLater(c actor.Context) {
	every := max(t.table.limits.Interval/2, time.Second)
	t.timer.SetAfter(c, t.cfg.World.Clock, every, &expire{})
}

// answerAll responds even if it panics: the front takes more only then.
func (t *tracker) answerAll(m *AnswerDatagrams, now time.Time) {
	var answers []messages.Datagram
	defer func() { m.Respond(answers) }()
	for _, d := range m.Datagrams {
		if data := t.table.answerUDP(d.Data, d.Addr, &t.cfg.Key, now, t.rnd); data != nil {
			answers = append(answers, messages.Datagram{Addr: d.Addr, Data: data})
		}
	}
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
	from := t.table.limits.source(q.From, q.Forwarded)
	reply := t.table.Announce(r, from, now, t.rnd)
	reply.External = from
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

// ServeUDP answers UDP at addr with the tracker at pid, until the socket is
// closed. failed is called at most once, when serving ends by itself.
func ServeUDP(packets world.Packets, addr netip.AddrPort, root *actor.RootContext, pid *actor.PID, failed func(error)) (world.PacketSocket, error) {
	opened := make(chan world.PacketSocket, 1)
	socket, err := packets.Bind(addr, func(batch []messages.Datagram) {
		socket := <-opened
		opened <- socket
		root.Send(pid, &AnswerDatagrams{Datagrams: batch, Respond: func(answers []messages.Datagram) {
			if len(answers) > 0 {
				_, _ = socket.Send(answers) // who asked asks again
			}
			socket.Done()
		}})
	}, failed)
	if err == nil {
		opened <- socket
	}
	return socket, err
}
