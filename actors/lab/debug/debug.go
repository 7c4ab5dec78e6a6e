// Package debug stops a simulated run at any moment, shows what is inside, and
// goes on from there, or back.
//
// A run is the same for the same scenario and seed, to the last message. So the
// debugger goes back by playing the run again, to an earlier moment: nothing
// is saved but the number of that moment.
//
// A moment is where a run can pause: before an actor handles a message, and
// before time goes on. Between two moments everything happens. What decides
// where to pause is a Stop.
package debug

import (
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/world/sim"
)

// Errors with which a debugger does not arrive where it was sent.
var (
	// ErrEnded: the run is over.
	ErrEnded = errors.New("the run has ended")
	// ErrInterrupted: Interrupt was called; the run has paused where it was.
	ErrInterrupted = errors.New("interrupted")
	// ErrNever: it has not happened before.
	ErrNever = errors.New("this has not happened before")
)

// mostEvents bounds the events of the trace that are kept: 80 MB. Of a run that
// has more, the oldest half is forgotten.
const mostEvents = 1 << 18

// Debugger holds one run. All methods but Interrupt are called by one
// goroutine.
type Debugger struct {
	scenario    *lab.Scenario
	options     lab.Options
	interrupted atomic.Bool

	resume func() (struct{}, bool) // lets the run go on until it pauses
	drop   func()                  // ends it where it is
	stop   Stop                    // where to pause

	// The following belong to the run that is being played.
	inside   *lab.Inside
	moment   sim.Moment
	moments  uint64        // that there were, the present one included
	messages uint64        // whose handling has begun, or is about to
	elapsed  time.Duration // all up to this time has happened
	actor    string        // that has handled the last message; empty: time has gone on since
	events   []*event.Event
	recorded uint64 // events, those that were forgotten included
	result   *lab.Result
	failed   error
}

// errNoMoment is about a scenario such as one of hostile nodes alone: the run
// ends before any of them comes.
var errNoMoment = errors.New("nothing happens in this run")

// errAbandoned is what a run panics with that is not to go on.
var errAbandoned = errors.New("the run is not to go on")

// New plays a scenario up to its first moment. Of the options, Pause, Journal
// and Hash are the debugger's; sinks of Trace are given each run anew. The
// error is about a scenario that cannot be played.
func New(s *lab.Scenario, o lab.Options) (*Debugger, error) {
	d := &Debugger{scenario: s, options: o}
	err := d.restart()
	return d, err
}

// Close ends the run.
func (d *Debugger) Close() {
	if d.drop != nil {
		d.drop()
		d.drop = nil
	}
}

// Interrupt has the run pause at its next moment. It may be called from any
// goroutine.
func (d *Debugger) Interrupt() { d.interrupted.Store(true) }

// restart plays the run again up to its first moment.
func (d *Debugger) restart() error {
	d.Close()
	d.inside, d.moment, d.result, d.failed = nil, sim.Moment{}, nil, nil
	d.moments, d.messages, d.elapsed, d.actor = 0, 0, 0, ""
	d.events, d.recorded = nil, 0
	d.resume, d.drop = iter.Pull(d.play)
	err := d.advance(func(*Debugger) bool { return true })
	switch {
	case d.failed != nil:
		return d.failed
	case d.inside == nil:
		return errNoMoment
	}
	return err
}

// play is a run, which pauses where it yields.
func (d *Debugger) play(yield func(struct{}) bool) {
	defer func() {
		if r := recover(); r != nil && r != any(errAbandoned) {
			panic(r)
		}
	}()
	o := d.options
	o.Journal = sim.NewJournal(false)
	events := &sink{debugger: d}
	o.Trace = append([]event.Sink{events}, o.Trace...)
	o.Pause = func(inside *lab.Inside, m *sim.Moment) {
		d.inside = inside
		d.arrive(m)
		if (d.stop(d) || d.interrupted.Load()) && !yield(struct{}{}) {
			events.over = true
			panic(errAbandoned)
		}
	}
	d.result, d.failed = lab.Run(d.scenario.Clone(), o)
}

// arrive notes that the run has reached a moment.
func (d *Debugger) arrive(m *sim.Moment) {
	d.moments++
	d.actor = d.moment.Actor
	d.elapsed = d.inside.World().Elapsed()
	if m.Actor != "" {
		d.messages++
	}
	d.moment = *m
}

// sink keeps the events of one run.
type sink struct {
	debugger *Debugger
	over     bool // the run was ended at a moment, and what it says now does not count
}

// Record implements event.Sink.
func (s *sink) Record(e *event.Event) {
	d := s.debugger
	if s.over {
		return
	}
	if len(d.events) == mostEvents {
		d.events = append(d.events[:0], d.events[mostEvents/2:]...)
	}
	d.events = append(d.events, e)
	d.recorded++
}

// advance lets the run go on until a later moment at which to stop.
func (d *Debugger) advance(stop Stop) error {
	if d.Ended() {
		return ErrEnded
	}
	d.stop = stop
	if _, more := d.resume(); !more {
		d.Close()
		if d.failed != nil {
			return d.failed
		}
		d.elapsed, d.actor, d.moment = d.result.Virtual, d.moment.Actor, sim.Moment{}
		return ErrEnded
	}
	if d.interrupted.Swap(false) {
		return ErrInterrupted
	}
	return nil
}

// Ended tells whether the run is over.
func (d *Debugger) Ended() bool { return d.drop == nil }

// Result is that of a run that has ended; nil: it has not.
func (d *Debugger) Result() *lab.Result { return d.result }

// Next lets the run go on until the next moment at which to stop.
func (d *Debugger) Next(stop Stop) error { return d.advance(stop) }

// Step goes on to before the nth of the messages that come next.
func (d *Debugger) Step(n uint64) error { return d.advance(atMessage(d.messages + n)) }

// GoTo goes to a place, forwards or back.
func (d *Debugger) GoTo(p Place) error {
	if p.passed(d) {
		if err := d.restart(); err != nil {
			return err
		}
	}
	if !d.Ended() && p.reached(d) {
		return nil
	}
	return d.advance(p.reached)
}

// Back goes back by n messages: to before the nth that was handled before this
// moment. If there were fewer, it goes to the start.
func (d *Debugger) Back(n uint64) error {
	next := d.messages // the number of the message that is about to be handled
	if d.moment.Actor == "" {
		next++
	}
	if n >= next {
		return d.restart()
	}
	return d.GoTo(AtMessage(next - n))
}

// Last goes back to the last moment before this one at which to stop. The run
// is played twice: to count, and to go there. stop is called once the run has
// begun again.
func (d *Debugger) Last(stop func() Stop) error {
	here, ended := d.moments, d.Ended()
	if err := d.restart(); err != nil {
		return err
	}
	at, last := stop(), uint64(0)
	err := d.advance(func(d *Debugger) bool {
		if !ended && d.moments >= here {
			return true
		}
		if at(d) {
			last = d.moments
		}
		return false
	})
	switch {
	case errors.Is(err, ErrEnded) && ended, err == nil && !ended:
	default:
		return err
	}
	if last == 0 {
		return ErrNever // and all is as it was before
	}
	return d.GoTo(atMoment(last))
}
