// Package proxy is the actor that stands for one worker where the sweep is. It
// starts the worker's process, if that is ours, and watches the worker. When
// the process ends, the proxy fails, and its restart starts another. The proxy
// of a worker that came by itself ends with the worker, and at its own failure.
package proxy

import (
	"fmt"
	"path"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
)

// Config is what a proxy is built from.
type Config struct {
	Subject job.Subject
	ID      string // of its worker
	// Launch starts the process of a worker that joins with that ID, and calls
	// ended once, when the process has ended. To stop it, stop is called. Nil: the
	// worker is not ours.
	Launch func(id string, ended func(error)) (stop func(), err error)
}

// Adopt: sweep to a proxy, when its worker has joined.
type Adopt struct {
	Worker *actor.PID
	Label  string
}

// Ready: proxy to the sweep: the worker understands the experiment.
type Ready struct {
	Name, Label string
	Plays       job.Job // see job.Ready
	Last        *job.Played
}

// Played: proxy to the sweep, as the worker has said it.
type Played struct {
	Name    string
	Job     job.Job
	Outcome job.Outcome
}

// Lost: proxy to the sweep: the worker has ended.
type Lost struct {
	Name   string
	Reason string // empty: it has left in good order
}

// Refused: proxy to the sweep: the worker understands another experiment.
type Refused struct{ Label, Reason string }

// New returns a proxy.
func New(c Config) actor.Actor { return &proxy{Config: c} }

type proxy struct {
	Config
	name   string
	worker *actor.PID // nil: it has not joined, or has ended
	label  string
	stop   func() // nil: there is no process
	reason string // why the worker is dismissed
	over   bool   // the worker is dismissed, and none takes its place
}

// ended: proxy to itself, when its process has ended.
type ended struct{ err error }

func (p *proxy) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		p.name = path.Base(c.Self().Id)
		if supervise.Incarnation(c) > 1 {
			p.lose(c, "its proxy has failed")
			if p.Launch == nil { // the worker, which watches the proxy, joins again
				supervise.StopSelf(c, supervise.ReasonNormal)
				return
			}
		}
		p.launch(c)
	case *Adopt:
		p.adopt(c, m)
	case *wrapperspb.StringValue:
		p.heard(c, m.Value)
	case *job.Play:
		p.say(c, job.Remote{Play: m})
	case *job.Dismiss:
		p.dismiss(c, m)
	case *ended:
		p.stop = nil
		reason := p.why(exit(m.err))
		p.lose(c, reason)
		if p.over {
			supervise.StopSelf(c, supervise.ReasonNormal)
			return
		}
		supervise.Fail(fmt.Errorf("the process of the worker has ended: %s", reason))
	case *actor.Terminated:
		if p.worker == nil || !m.Who.Equal(p.worker) {
			return
		}
		if p.stop != nil { // the process has more to say about why
			p.halt()
			return
		}
		p.lose(c, p.why("the connection has ended"))
		supervise.StopSelf(c, supervise.ReasonNormal)
	case *actor.Restarting, *actor.Stopping:
		p.halt()
	}
}

func exit(err error) string {
	if err == nil {
		return "it has ended by itself"
	}
	return err.Error()
}

func (p *proxy) launch(c actor.Context) {
	if p.Launch == nil {
		return
	}
	deliver := supervise.Deliver(c)
	stop, err := p.Launch(p.ID, func(err error) { deliver(&ended{err}) })
	if err != nil {
		supervise.Fail(err)
	}
	p.stop = stop
}

// halt ends the process.
func (p *proxy) halt() {
	if p.stop != nil {
		p.stop()
	}
}

func (p *proxy) lose(c actor.Context, reason string) {
	p.worker = nil
	c.Send(c.Parent(), &Lost{p.name, reason})
}

// adopt welcomes the worker, a second time if it has not heard the first.
func (p *proxy) adopt(c actor.Context, m *Adopt) {
	if p.worker != nil && !p.worker.Equal(m.Worker) {
		c.Unwatch(p.worker)
	}
	p.worker, p.label = m.Worker, m.Label
	c.Watch(p.worker)
	p.say(c, job.Remote{Welcome: &job.Welcome{Experiment: p.Subject.Experiment}})
}

// why is the reason for which the worker is lost: that of its dismissal, if it
// was dismissed. Its job is not to blame if the sweep has no more to do.
func (p *proxy) why(otherwise string) string {
	if p.over || p.reason != "" {
		return p.reason
	}
	return otherwise
}

// dismiss ends the worker: for good if the sweep has no more to do.
func (p *proxy) dismiss(c actor.Context, m *job.Dismiss) {
	if p.over {
		return
	}
	p.reason, p.over = m.Reason, m.Reason == ""
	p.say(c, job.Remote{Dismiss: m})
	p.halt()
	if p.over && p.worker == nil && p.stop == nil {
		supervise.StopSelf(c, supervise.ReasonNormal)
	}
}

// say sends to the worker.
func (p *proxy) say(c actor.Context, m job.Remote) {
	if p.worker == nil {
		return
	}
	text, err := job.Encode(m)
	if err != nil {
		supervise.Fail(err)
	}
	c.Request(p.worker, wrapperspb.String(text)) // a bare Send would not tell the worker who we are
}

// heard takes what the worker says.
func (p *proxy) heard(c actor.Context, text string) {
	m, err := job.Decode(text)
	if err != nil || p.worker == nil || !p.worker.Equal(c.Sender()) {
		return
	}
	switch {
	case m.Ready != nil && m.Ready.Digest != p.Subject.Digest:
		reason := fmt.Sprintf("it makes experiment %.12s of what the sweep calls %.12s", m.Ready.Digest, p.Subject.Digest)
		c.Send(c.Parent(), &Refused{p.label, reason})
		p.say(c, job.Remote{Dismiss: &job.Dismiss{Reason: reason}})
	case m.Ready != nil:
		c.Send(c.Parent(), &Ready{p.name, p.label, m.Ready.Plays, m.Ready.Last})
	case m.Played != nil:
		c.Send(c.Parent(), &Played{p.name, m.Played.Job, m.Played.Outcome})
	case m.Leave != nil:
		p.say(c, job.Remote{Dismiss: &job.Dismiss{}})
		p.lose(c, "")
		if p.Launch == nil {
			supervise.StopSelf(c, supervise.ReasonNormal)
		}
	}
}
