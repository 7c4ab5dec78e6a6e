package sim

import (
	"reflect"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is a mailbox whose actor handles one message at a turn. Between two
// messages anything else can happen, as in a world with threads.
type mailbox struct {
	sim       *Sim
	life      *life
	invoker   actor.MessageInvoker
	path      string
	system    fifo[any]
	user      [2]fifo[any] // by lane
	causes    [3]causes    // of system, and of user by lane
	cause     cause        // of the message that is being handled
	senders   *senders     // of system, and of user by lane; nil: the run cannot pause
	previous  *Leg         // of the last message that stems from no timer of its actor
	kind      string       // of the actor
	together  *together    // nil: it has a thread of control of its own
	blocking  bool         // its actor may block
	suspended bool
	held      bool // its actor hangs
	waiting   bool // it is in the list of those that can have the next turn, or has a core
	load      load
	ranked    rank
}

func (m *mailbox) PostUserMessage(message any) {
	if w := m.life.host.watcher; w != nil {
		if message = w.Sent(m.path, message); message == nil {
			return
		}
	}
	if keepsOut := m.life.host.Run.KeepsOut; keepsOut != nil && keepsOut(message, m.UserMessageCount()) {
		return
	}
	lane := 0
	if of := m.life.host.Run.Lane; of != nil {
		lane = of(message)
	}
	m.user[lane].push(message)
	m.causes[1+lane].pushed(m.sim, 1, m.sim.origin.next)
	m.sim.pauses.sentTo(m, lane)
	m.sent(lane)
	m.posted(1)
}

func (m *mailbox) PostSystemMessage(message any) {
	m.system.push(message)
	m.causes[0].pushed(m.sim, 1, m.sim.origin.next)
	m.sim.pauses.sentTo(m, -1)
	m.posted(1)
}

// posted sees to it that n messages get their turns.
func (m *mailbox) posted(n int) {
	if m.together != nil {
		m.together.add(m, n)
	} else {
		m.wake()
	}
}

func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, d actor.Dispatcher) {
	m.invoker = invoker
	m.blocking = d == dispatcher{blocking: true}
	if named, is := invoker.(interface{ Path() string }); is {
		m.path = named.Path()
	}
	if of, is := invoker.(interface{ Kind() string }); is {
		m.kind = of.Kind()
	}
	m.measure()
}

func (m *mailbox) Start() {}

func (m *mailbox) UserMessageCount() int { return m.user[0].len() + m.user[1].len() }

func (m *mailbox) wake() {
	if !m.waiting && m.ready() {
		m.waiting = true
		if c := m.life.host.Cores; c != nil {
			c.enter(m)
		} else {
			m.sim.ready.add(m)
		}
	}
}

func (m *mailbox) ready() bool {
	return !m.held && (m.system.len() > 0 || !m.suspended && m.UserMessageCount() > 0)
}

// Hold implements supervise.Holds.
func (m *mailbox) Hold(d time.Duration, first any) {
	m.hold(true)
	m.user[0].unpop(first)
	if m.sim.follows {
		m.causes[1].unpop(m.cause)
	}
	m.senders.untake()
	m.unsent()
	m.sim.at(m.sim.now+int64(d), Timer, m.life, func() {
		m.hold(false)
		m.posted(m.UserMessageCount())
	})
}

// hold also holds all that share a thread of control with the actor.
func (m *mailbox) hold(held bool) {
	if m.held = held; m.together != nil {
		m.together.held = held
	}
}

func (m *mailbox) take() {
	m.waiting = false
	if m.held || m.life.over() {
		return
	}
	m.life.host.steps++
	message, lane := m.next()
	m.handle(message, lane >= 0)
	m.wake()
}

// next takes the next message; those of the system, whose lane is -1, come
// first.
func (m *mailbox) next() (message any, lane int) {
	switch {
	case m.system.len() > 0:
		message, lane = m.system.pop(), -1
	case m.user[0].len() > 0:
		message, lane = m.user[0].pop(), 0
	default:
		message, lane = m.user[1].pop(), 1
	}
	m.cause = m.causes[1+lane].taken(m.sim, 1, 0)
	m.waited()
	m.senders.take(lane)
	return message, lane
}

func (m *mailbox) handle(message any, user bool) {
	if p := m.sim.pauses; p != nil {
		p.handling(m, message)
	}
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	m.sim.stem(m.cause)
	m.enter(message)
	if user {
		m.invoker.InvokeUserMessage(message)
		return
	}
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspended = true
	case *actor.ResumeMailbox:
		m.suspended = false
		if m.together != nil {
			m.together.add(m, m.UserMessageCount())
		}
	default:
		m.invoker.InvokeSystemMessage(message)
	}
}

func (m *mailbox) enter(message any) {
	w := m.life.host.watcher
	if w == nil && m.sim.journal == nil {
		return
	}
	message = bare(message)
	if w != nil {
		w.Handled(m.path, message)
	}
	if m.sim.journal != nil {
		m.sim.journal.step(m.sim.now, m.path, reflect.TypeOf(message))
	}
}

// waited notes that the message which was taken had waited until now.
func (m *mailbox) waited() {
	m.passed(Mailbox)
	if l := m.cause.leg; l != nil {
		l.met(m.kind, m.path, m.previous)
		if !(l.What == Timer && l.path == m.path) {
			m.previous = l
		}
	}
}

// passed notes that time has passed by what until the message got here.
func (m *mailbox) passed(what Sort) {
	m.cause = m.sim.passBy(m.cause, what, m.life.host, m.kind, m.path)
}

// bare is a message without what it travels in.
func bare(message any) any {
	_, message, _ = actor.UnwrapEnvelope(message)
	if m, is := message.(interface{ Unwrap() any }); is { // addressed to one incarnation
		message = m.Unwrap()
	}
	return message
}

// dispatcher stands for what runs mailboxes in the real world.
type dispatcher struct{ blocking bool }

func (dispatcher) Throughput() int { return 1 }

func (dispatcher) Schedule(func()) { panic("sim: mailboxes are run by the loop") }
