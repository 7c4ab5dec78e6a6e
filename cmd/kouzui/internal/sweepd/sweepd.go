// Package sweepd runs sweeps in a supervision tree of their own: Open begins
// one, Work is a worker's process.
package sweepd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/remote"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/journal"
	"kouzui/actors/sweep/proxy"
	"kouzui/actors/world/real"
)

// Config is what Open needs.
type Config struct {
	Experiment *experiment.Experiment
	Journal    string // path
	Workers    int    // processes on this machine
	Listen     string // HOST:PORT at which workers join; empty: only ours do
	Identity   []byte // as of remote.ReadIdentity; nil: one that only ours know
	Lease      time.Duration
	Sinks      []event.Sink
	// Refused is told of workers that may not join.
	Refused func(worker, reason string)
}

// loopback is where our own workers join when no others can.
const loopback = "127.0.0.1:0"

// Times that the end of a sweep may take.
const (
	dismissTime  = 2 * time.Second // until the last worker has gone
	shutdownTime = 250 * time.Millisecond
)

// Sweep plays the jobs of one experiment. It is an experiment.Runner.
type Sweep struct {
	Config
	tree   *supervise.Tree
	pid    *actor.PID
	remote *remote.Remote
	file   *file
	orders orders
	heard  *inbox
}

// Open begins a sweep: its workers start, and wait for jobs.
func Open(c Config) (*Sweep, error) {
	build, err := build()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c.Experiment)
	if err != nil {
		return nil, err
	}
	subject := job.Subject{Build: build, Experiment: string(text), Digest: string(c.Experiment.Digest())}
	s := &Sweep{Config: c, heard: newInbox()}
	if s.file, err = openFile(c.Journal); err != nil {
		return nil, err
	}
	if err := s.start(subject); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sweep) start(subject job.Subject) error {
	now := time.Now()
	listen, own, workers := s.Listen, s.Identity, s.Identity
	if listen == "" {
		listen = loopback
	}
	if own == nil {
		var err error
		if own, workers, err = remote.NewIdentities(now); err != nil {
			return err
		}
	}
	identity, err := remote.ReadIdentity(own, remote.Coordinator, now)
	if err != nil {
		return err
	}
	system := supervise.NewSystem(zerolog.Nop())
	s.tree = supervise.New(supervise.Config{System: system, Clock: real.Clock{}, Chance: real.Chance{}, Sinks: s.Sinks})
	s.remote, err = remote.Start(system, remote.Config{Listen: listen, Identity: identity, Open: sweep.Open, OwnHost: true})
	if err != nil {
		return err
	}
	config := sweep.Config{
		Clock: real.Clock{}, Subject: subject, Keeper: &s.orders, Lease: s.Lease, Local: s.Workers,
		NewID: rand.Text, Notify: s.heard.put,
		Journal: s.tree.Props("journal", func() actor.Actor {
			return journal.New(journal.Config{File: s.file, Header: journal.NewHeader(subject)})
		}, supervise.Blocking()),
		Proxy: func(id string, ours bool) *actor.Props {
			config := proxy.Config{Subject: subject, ID: id}
			if ours {
				config.Launch = func(id string, ended func(error)) (func(), error) {
					p, err := startProcess(s.Address(), birth{ID: id, Identity: workers}, ended)
					if err != nil {
						return nil, err
					}
					return p.kill, nil
				}
			}
			return s.tree.Props("proxy", func() actor.Actor { return proxy.New(config) })
		},
	}
	props := s.tree.Props("sweep", func() actor.Actor { return sweep.New(config) }, supervise.WithStrategy(sweep.Strategy()))
	s.pid, err = s.tree.Spawn(sweep.Name, props, sweep.Strategy())
	return err
}

// Address is the HOST:PORT at which workers join.
func (s *Sweep) Address() string { return s.remote.Address() }

// Run implements experiment.Runner.
func (s *Sweep) Run(ctx context.Context, jobs []experiment.Job, say func(experiment.Outcome)) error {
	w, texts, err := want(jobs)
	if err != nil {
		return err
	}
	s.orders.add(texts)
	s.tree.System.Root.Send(s.pid, &sweep.AddJobs{Jobs: texts})
	for len(w) > 0 {
		m, err := s.heard.next(ctx)
		if err != nil {
			return err
		}
		if r, is := m.(*sweep.Refused); is {
			s.Refused(r.Worker, r.Reason)
		}
		if err := w.hear(m, say); err != nil {
			return err
		}
	}
	return nil
}

// Close dismisses the workers, and ends the sweep.
func (s *Sweep) Close() error {
	if s.pid != nil {
		gone := make(chan struct{})
		s.tree.System.Root.Send(s.pid, &sweep.Close{Done: sync.OnceFunc(func() { close(gone) })})
		select {
		case <-gone:
		case <-time.After(dismissTime):
		}
	}
	if s.remote != nil {
		s.remote.Close()
	}
	if s.tree != nil {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		var roots []*actor.PID
		if s.pid != nil {
			roots = append(roots, s.pid)
		}
		_ = s.tree.Shutdown(ctx, roots...) // what has not stopped ends with the process
	}
	return s.file.Close()
}

// orders are the jobs that were asked for: a sweep that was restarted finds
// them there.
type orders struct {
	mu   sync.Mutex
	jobs []job.Job
}

func (o *orders) add(jobs []job.Job) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.jobs = append(o.jobs, jobs...)
}

// Jobs implements sweep.Keeper.
func (o *orders) Jobs() []job.Job {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]job.Job(nil), o.jobs...)
}

// inbox keeps what the sweep says until Run asks: the actor never waits.
type inbox struct {
	mu      sync.Mutex
	waiting []any
	come    chan struct{} // has room for one
}

func newInbox() *inbox { return &inbox{come: make(chan struct{}, 1)} }

func (b *inbox) put(m any) {
	b.mu.Lock()
	b.waiting = append(b.waiting, m)
	b.mu.Unlock()
	select {
	case b.come <- struct{}{}:
	default:
	}
}

func (b *inbox) next(ctx context.Context) (any, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.mu.Lock()
		if len(b.waiting) > 0 {
			m := b.waiting[0]
			b.waiting = b.waiting[1:]
			b.mu.Unlock()
			return m, nil
		}
		b.mu.Unlock()
		select {
		case <-b.come:
		case <-ctx.Done():
		}
	}
}
