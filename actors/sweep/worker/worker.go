// Package worker is the root actor of a worker's process. It joins a sweep in
// another process, plays what that gives it, and joins again when the
// connection or the sweep has ended. What it plays meanwhile is not lost.
package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/player"
	"kouzui/actors/world"
)

// Name is that of a worker's actor, to which the sweep sends.
const Name = "worker"

// Config is what a worker is built from.
type Config struct {
	Clock world.Clock
	Sweep *actor.PID // in another process
	Join  job.Join
	// Patience is how long the worker tries to join before it ends.
	Patience time.Duration
	// Understand reads an experiment: it returns its digest, and what plays its
	// jobs.
	Understand func(experiment string) (digest string, play player.Play, err error)
	Player     *actor.Props
	// Notify is told, at the end, why: nil if nothing is left to do.
	Notify func(error)
}

// Leave: a command of the program to the worker: the user wants it to end.
type Leave struct{}

// Errors that a worker ends with.
var (
	ErrDismissed = errors.New("the sweep has dismissed this worker")
	ErrNoSweep   = errors.New("no sweep answers")
	ErrLeft      = errors.New("the worker has left the sweep")
	ErrFailed    = errors.New("this worker has failed")
)

// Strategy answers a failure of the player, which is a failure of its job: it
// would fail again. The worker ends, and the sweep learns that its job was to
// blame.
const Strategy = supervise.StopChild

// New returns a worker.
func New(c Config) actor.Actor { return &worker{Config: c} }

// Times of a worker.
const (
	joinAgain = time.Second
	leaveTime = time.Second // for the sweep to dismiss one that leaves
)

type worker struct {
	Config
	player *actor.PID
	play   player.Play
	digest string
	proxy  *actor.PID  // nil: the worker is not welcome yet
	plays  job.Job     // empty: nothing
	last   *job.Played // since which it was given nothing: the sweep may not have heard
	since  time.Time   // when it began to join
	timer  supervise.Timer
	done   bool // the program knows that the worker ends
}

// join: worker to itself, by a timer, when it is to join again.
type join struct{}

// left: worker to itself, by a timer, when nobody has dismissed it.
type left struct{}

func (w *worker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		w.since = w.Clock.Now()
		var err error
		if w.player, err = c.SpawnNamed(w.Player, "player"); err != nil {
			supervise.Fail(err)
		}
		w.join(c)
	case *join:
		if w.proxy == nil {
			w.join(c)
		}
	case *wrapperspb.StringValue:
		if text, err := job.Decode(m.Value); err == nil && c.Sender() != nil {
			w.heard(c, text)
		}
	case *player.Played:
		w.plays, w.last = "", &job.Played{Job: m.Job, Outcome: m.Outcome}
		w.say(c, job.Remote{Played: w.last})
	case *Leave:
		w.say(c, job.Remote{Leave: &job.Leave{}})
		w.timer.Stop()
		if w.proxy == nil {
			w.end(ErrLeft)
			return
		}
		w.timer.SetAfter(c, w.Clock, leaveTime, &left{})
	case *left:
		w.end(ErrLeft)
	case *actor.Terminated:
		if !w.done {
			w.terminated(c, m.Who)
		}
	case *actor.Restarting, *actor.Stopping:
		w.timer.Stop()
		w.end(ErrFailed) // unless the program knows why
	}
}

// join asks the sweep, and asks again later in case nobody answers.
func (w *worker) join(c actor.Context) {
	if w.Clock.Now().Sub(w.since) > w.Patience {
		w.end(fmt.Errorf("%w within %v", ErrNoSweep, w.Patience))
		return
	}
	w.send(c, w.Sweep, job.Remote{Join: &w.Join})
	w.timer.SetAfter(c, w.Clock, joinAgain, &join{})
}

// heard takes what the sweep, or a proxy, says.
func (w *worker) heard(c actor.Context, m job.Remote) {
	switch {
	case m.Dismiss != nil && m.Dismiss.Reason == "":
		w.end(nil)
	case m.Dismiss != nil:
		w.end(fmt.Errorf("%w: %s", ErrDismissed, m.Dismiss.Reason))
	case m.Welcome != nil:
		w.welcome(c, m.Welcome)
	case m.Play != nil && w.proxy != nil && w.proxy.Equal(c.Sender()) && w.plays == "":
		w.plays, w.last = m.Play.Job, nil
		c.Send(w.player, &player.Start{Job: w.plays, Play: w.play})
	}
}

func (w *worker) welcome(c actor.Context, m *job.Welcome) {
	digest, play, err := w.Understand(m.Experiment)
	if err != nil {
		w.end(fmt.Errorf("the experiment of the sweep cannot be read: %w", err))
		return
	}
	if digest != w.digest { // what it plays is of another sweep
		w.digest, w.last = digest, nil
	}
	w.play = play
	w.timer.Stop()
	if w.proxy == nil || !w.proxy.Equal(c.Sender()) {
		w.proxy = c.Sender()
		c.Watch(w.proxy)
	}
	w.say(c, job.Remote{Ready: &job.Ready{Digest: digest, Plays: w.plays, Last: w.last}})
}

func (w *worker) terminated(c actor.Context, who *actor.PID) {
	switch {
	case who.Equal(w.player):
		w.end(fmt.Errorf("%w at the job %s", ErrFailed, w.plays))
	case w.proxy != nil && who.Equal(w.proxy):
		w.proxy, w.since = nil, w.Clock.Now()
		w.join(c)
	}
}

// say sends to the proxy, if there is one.
func (w *worker) say(c actor.Context, m job.Remote) {
	if w.proxy != nil {
		w.send(c, w.proxy, m)
	}
}

func (w *worker) send(c actor.Context, to *actor.PID, m job.Remote) {
	text, err := job.Encode(m)
	if err != nil {
		supervise.Fail(err)
	}
	c.Request(to, wrapperspb.String(text)) // a bare Send would not tell who we are
}

// end tells the program, once.
func (w *worker) end(err error) {
	if !w.done {
		w.done = true
		w.Notify(err)
	}
}
