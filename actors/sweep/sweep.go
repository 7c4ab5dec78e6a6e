// Package sweep is the root of a sweep: it has the jobs of an experiment played
// by workers in other processes, on this machine and on others, and loses none.
//
//	sweep                   gives jobs, takes outcomes
//	├ journal               writes what has come out
//	└ worker-<n>            the proxy of a worker; starts its process if it is ours
//
// In the process of a worker there is
//
//	worker                  joins the sweep, again and again
//	└ player                plays a job; the only one that blocks
//
// What is lost with an actor: with sweep the leases, as its children end with
// it and the workers join anew (jobs are asked of the Keeper again, and what
// has come out of the journal); with journal nothing, as sweep has written
// again what was not; with a proxy its process and the job there, which is
// given again at once; with worker or player the process.
package sweep

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/journal"
	"kouzui/actors/sweep/proxy"
	"kouzui/actors/world"
)

// Name is that of a sweep's actor, to which workers of other processes send.
const Name = "sweep"

// Open tells which actors other processes may send to: the sweep and its
// proxies.
func Open(path string) bool { return path == Name || strings.HasPrefix(path, Name+"/worker-") }

// DefaultLease is how long a worker may play one job, unless told otherwise.
const DefaultLease = 10 * time.Minute

// MaxWorkers is how many workers a sweep takes.
const MaxWorkers = 1000

// Keeper remembers, outside the tree, what the program has asked for.
type Keeper interface{ Jobs() []job.Job }

// Config is what a sweep is built from.
type Config struct {
	Clock   world.Clock
	Subject job.Subject
	Keeper  Keeper
	Lease   time.Duration
	Local   int // workers of our own
	Journal *actor.Props
	// Proxy makes the proxy of a worker with that ID, which is ours or has joined.
	Proxy func(id string, ours bool) *actor.Props
	// NewID makes an ID for a worker of ours: nobody else can guess it.
	NewID func() string
	// Notify passes on Played, Disagreed, PutAside, Refused and Failed. All but
	// Refused may come again for the same job after the sweep has failed.
	Notify func(any)
}

// AddJobs: a command of the program to the sweep, after the keeper has them.
type AddJobs struct{ Jobs []job.Job }

// Close: a command of the program to the sweep: all workers are dismissed. The
// sweep calls Done when the last one has gone.
type Close struct{ Done func() }

// Played: sweep to the program: what has come out of a job.
type Played struct {
	Job     job.Job
	Outcome job.Outcome
}

// Disagreed: sweep to the program: two workers have played a job, and something
// else has come out.
type Disagreed struct {
	Job        job.Job
	One, Other job.Record
}

// PutAside: sweep to the program: a job has ended so many workers, and is given
// to no more.
type PutAside struct {
	Job    job.Job
	Deaths int
}

// Refused: sweep to the program: a worker may not join.
type Refused struct{ Worker, Reason string }

// Failed: sweep to the program: nothing more can come.
type Failed struct{ Err error }

// ErrGivenUp: supervision could not keep the journal, or any worker, alive.
var ErrGivenUp = errors.New("supervision gave up")

// Strategy answers the failures of a sweep's children. A proxy fails when its
// process ends, and many processes may be killed in the course of a long sweep;
// so the budget is large, and spent only by one that ends again and again.
func Strategy() supervise.Strategy {
	b := supervise.DefaultBackoff
	b.Base = 50 * time.Millisecond
	b.Cap = 5 * time.Second
	b.Healthy = 10 * time.Second
	b.Budget = 100
	b.WhenSpent = supervise.ThenStop
	return b
}

// New returns a sweep that is yet to be started.
func New(c Config) actor.Actor { return &sweep{Config: c} }

type sweep struct {
	Config
	ledger  *ledger
	journal *actor.PID
	proxies map[string]*actor.PID // by name
	ids     map[string]string     // names by the IDs of workers
	joined  int                   // proxies of workers that are not ours, ever
	timer   supervise.Timer
	ending  bool   // children stop because the sweep does
	closed  func() // nil: the program has not asked to close, or knows
}

// due: sweep to itself, by a timer, when a lease may have ended.
type due struct{}

func (s *sweep) Receive(c actor.Context) {
	now := s.Clock.Now()
	switch m := c.Message().(type) {
	case *actor.Started:
		s.start(c, now)
	case *AddJobs:
		s.ledger.add(m.Jobs, now)
	case *journal.Loaded:
		s.ledger.load(m.Records, now)
	case *journal.Written:
		s.ledger.written(m.Record)
	case *journal.Failed:
		s.Notify(&Failed{m.Err})
	case *wrapperspb.StringValue:
		s.join(c, m.Value)
	case *proxy.Ready:
		s.ledger.ready(m.Name, m.Label, m.Plays, m.Last, now)
	case *proxy.Played:
		s.ledger.played(m.Name, m.Job, m.Outcome, now)
	case *proxy.Lost:
		s.ledger.lost(m.Name, m.Reason, now)
	case *proxy.Refused:
		s.Notify(&Refused{m.Label, m.Reason})
	case *due:
		s.ledger.expire(now)
	case *Close:
		s.ending, s.closed = true, m.Done
		for _, pid := range s.proxies {
			c.Send(pid, &job.Dismiss{})
		}
		s.close()
	case *actor.Terminated:
		s.gone(c, m.Who, now)
	case *actor.Restarting, *actor.Stopping:
		s.ending = true
		s.timer.Stop()
		return
	default:
		return
	}
	s.carryOut(c)
	s.setTimer(c)
}

func (s *sweep) start(c actor.Context, now time.Time) {
	s.ledger = newLedger(s.Lease)
	s.proxies, s.ids = map[string]*actor.PID{}, map[string]string{}
	s.ledger.add(s.Keeper.Jobs(), now)
	var err error
	if s.journal, err = c.SpawnNamed(s.Journal, "journal"); err != nil {
		supervise.Fail(err)
	}
	for range s.Local {
		s.spawn(c, s.NewID(), true)
	}
}

// spawn starts the proxy of a worker.
func (s *sweep) spawn(c actor.Context, id string, ours bool) *actor.PID {
	s.joined++
	name := fmt.Sprintf("worker-%d", s.joined)
	pid, err := c.SpawnNamed(s.Proxy(id, ours), name)
	if err != nil {
		supervise.Fail(err)
	}
	s.proxies[name], s.ids[id] = pid, name
	return pid
}

// join has a worker welcomed by its proxy, which is a new one if the worker
// comes by itself and for the first time.
func (s *sweep) join(c actor.Context, text string) {
	m, err := job.Decode(text)
	if err != nil || m.Join == nil || c.Sender() == nil || s.ending {
		return
	}
	refuse := func(reason string) {
		s.Notify(&Refused{m.Join.Label, reason})
		if text, err := job.Encode(job.Remote{Dismiss: &job.Dismiss{Reason: reason}}); err == nil {
			c.Request(c.Sender(), wrapperspb.String(text))
		}
	}
	pid := s.proxies[s.ids[m.Join.ID]]
	switch {
	case m.Join.Build != s.Subject.Build:
		refuse(fmt.Sprintf("it is of build %.12s, and the sweep of %.12s: copy the program from one machine to all", m.Join.Build, s.Subject.Build))
		return
	case pid == nil && len(s.proxies) >= MaxWorkers:
		refuse(fmt.Sprintf("there are %d workers", MaxWorkers))
		return
	case pid == nil:
		pid = s.spawn(c, m.Join.ID, false)
	}
	c.Send(pid, &proxy.Adopt{Worker: c.Sender(), Label: m.Join.Label})
}

// gone takes it that a child has stopped for good.
func (s *sweep) gone(c actor.Context, who *actor.PID, now time.Time) {
	if who.Equal(s.journal) && !s.ending {
		s.Notify(&Failed{fmt.Errorf("the journal: %w", ErrGivenUp)})
		return
	}
	for name, pid := range s.proxies {
		if !who.Equal(pid) {
			continue
		}
		delete(s.proxies, name)
		for id, of := range s.ids {
			if of == name {
				delete(s.ids, id)
			}
		}
		s.ledger.lost(name, "supervision has given it up", now)
	}
	switch {
	case s.ending:
		s.close()
	case len(s.proxies) == 0 && s.Local > 0:
		s.Notify(&Failed{fmt.Errorf("all workers: %w", ErrGivenUp)})
	}
}

// close tells the program when the last worker has gone.
func (s *sweep) close() {
	if s.closed != nil && len(s.proxies) == 0 {
		s.closed()
		s.closed = nil
	}
}

// carryOut does what the core has decided.
func (s *sweep) carryOut(c actor.Context) {
	e := s.ledger.take()
	for _, r := range e.write {
		c.Send(s.journal, &journal.Write{Record: r})
	}
	for _, g := range e.give {
		c.Send(s.proxies[g.worker], &job.Play{Job: g.job})
	}
	for _, name := range e.dismiss {
		c.Send(s.proxies[name], &job.Dismiss{Reason: fmt.Sprintf("its job has taken more than %v", s.Lease)})
	}
	for _, m := range e.tell {
		s.Notify(m)
	}
}

// setTimer wakes the core when it wants to be woken.
func (s *sweep) setTimer(c actor.Context) {
	if at, ok := s.ledger.next(s.Clock.Now()); ok {
		s.timer.SetBy(c, s.Clock, at, &due{})
	}
}
