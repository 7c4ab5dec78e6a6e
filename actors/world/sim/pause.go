package sim

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Moment is where a run can pause: before an actor handles a message or, if
// Actor is empty, before time goes on to what is due next, or to the limit of
// Run.
type Moment struct {
	At      time.Duration // of what is about to happen, since the start
	Actor   string        // path of the actor that is about to handle Message
	Message any           // without what it travels in
	From    string        // path of the actor that has sent it; empty: none has
	Cause   uint64        // the event of the trace that it stems from; 0: none is known
}

// pauses is what is kept only in a run that can pause.
type pauses struct {
	before func(*Moment)
	moment Moment
	acting string // path of the actor whose message is being handled; empty: none
}

// Pause has before called at each moment of the run. The moment is before's
// only until it returns. This changes nothing in a run, but that more is kept
// of messages and timers. Call it before the first host is added.
func (s *Sim) Pause(before func(*Moment)) { s.pauses = &pauses{before: before} }

// handling is called before a mailbox has its actor handle a message.
func (p *pauses) handling(m *mailbox, message any) {
	p.moment = Moment{m.sim.Elapsed(), m.path, bare(message), m.senders.taken, m.cause.event}
	p.before(&p.moment)
	p.acting = m.path
}

// goingOn is called before time goes on.
func (p *pauses) goingOn(at int64) {
	p.acting = ""
	p.moment = Moment{At: time.Duration(at)}
	p.before(&p.moment)
}

// senders are the paths of those that have sent the messages of a mailbox; nil:
// the run cannot pause.
type senders struct {
	waiting [3]fifo[string] // of the system's messages, and of the others by lane
	taken   string          // of the message that was taken last
}

func (s *Sim) newSenders() *senders {
	if s.pauses == nil {
		return nil
	}
	return &senders{}
}

// sentTo notes who sends a message; lane -1 is that of the system.
func (p *pauses) sentTo(m *mailbox, lane int) {
	if p != nil {
		m.senders.waiting[1+lane].push(p.acting)
	}
}

// sign has what is sent from now on come from an actor, and returns from whom
// it came before.
func (p *pauses) sign(actor string) (before string) {
	if p != nil {
		before, p.acting = p.acting, actor
	}
	return before
}

// take notes that a message was taken from a lane.
func (s *senders) take(lane int) {
	if s != nil {
		s.taken = s.waiting[1+lane].pop()
	}
}

// untake puts back the sender of a message that goes back to where it was.
func (s *senders) untake() {
	if s != nil {
		s.waiting[1].unpop(s.taken)
	}
}

// Box is what is in a mailbox.
type Box struct {
	Actor     any      // the actor itself
	Letters   []Letter // in the order in which they will be handled
	Under     *Letter  // that is being handled on a core; nil: none is
	Suspended bool     // messages of users wait until a supervisor has decided
	Held      bool     // the actor hangs
}

// Letter is a message in a mailbox.
type Letter struct {
	Message any    // without what it travels in
	From    string // path of the actor that has sent it; empty: none has
	Cause   uint64 // the event of the trace that it stems from; 0: none is known
	System  bool   // it is of the actor system
}

// OpenMailbox looks into a mailbox that Host.Mailbox or Host.Together has made,
// in a run that can pause; nil: it is none.
func OpenMailbox(of actor.Mailbox) *Box {
	m, is := of.(*mailbox)
	if !is || m.senders == nil {
		return nil
	}
	b := &Box{Suspended: m.suspended, Held: m.held}
	if named, is := m.invoker.(interface{ Actor() actor.Actor }); is {
		b.Actor = named.Actor()
	}
	if l := &m.load; l.message != nil {
		b.Under = &Letter{bare(l.message), m.senders.taken, m.cause.event, l.lane < 0}
	}
	for i, queue := range []*fifo[any]{&m.system, &m.user[0], &m.user[1]} {
		causes := m.causes[i].waiting()
		for k, message := range queue.waiting() {
			letter := Letter{Message: bare(message), From: m.senders.waiting[i].waiting()[k], System: i == 0}
			if k < len(causes) {
				letter.Cause = causes[k].event
			}
			b.Letters = append(b.Letters, letter)
		}
	}
	return b
}
