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
	user      fifo[any]
	suspended bool
	held      bool // its actor hangs
	waiting   bool // it is in the list of those that can have the next turn, or has a core
	load      load
}

func (m *mailbox) PostUserMessage(message any) {
	if w := m.life.host.watcher; w != nil {
		if message = w.Sent(m.path, message); message == nil {
			return
		}
	}
	m.user.push(message)
	m.sent()
	m.wake()
}

func (m *mailbox) PostSystemMessage(message any) {
	m.system.push(message)
	m.wake()
}

func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
	if named, is := invoker.(interface{ Path() string }); is {
		m.path = named.Path()
	}
	m.measure()
}

func (m *mailbox) Start() {}

func (m *mailbox) UserMessageCount() int { return m.user.len() }

func (m *mailbox) wake() {
	if !m.waiting && m.ready() {
		m.waiting = true
		if c := m.life.host.Cores; c != nil {
			c.enter(m)
		} else {
			m.sim.ready = append(m.sim.ready, m)
		}
	}
}

func (m *mailbox) ready() bool {
	return !m.held && (m.system.len() > 0 || !m.suspended && m.user.len() > 0)
}

// Hold implements supervise.Holds.
func (m *mailbox) Hold(d time.Duration, first any) {
	m.held = true
	m.user.unpop(first)
	m.unsent()
	m.sim.at(m.sim.now+int64(d), m.life, func() {
		m.held = false
		m.wake()
	})
}

func (m *mailbox) take() {
	m.waiting = false
	if m.held || m.life.over() {
		return
	}
	m.life.host.steps++
	m.handle(m.next())
	m.wake()
}

// next takes the next message; those of the system come first.
func (m *mailbox) next() (message any, user bool) {
	if m.system.len() == 0 {
		return m.user.pop(), true
	}
	return m.system.pop(), false
}

func (m *mailbox) handle(message any, user bool) {
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
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

// bare is a message without what it travels in.
func bare(message any) any {
	_, message, _ = actor.UnwrapEnvelope(message)
	if m, is := message.(interface{ Unwrap() any }); is { // addressed to one incarnation
		message = m.Unwrap()
	}
	return message
}

// dispatcher runs mailboxes of other kinds, which empty themselves at each
// turn.
type dispatcher struct {
	sim  *Sim
	life *life
}

func (d dispatcher) Throughput() int { return 1 << 30 }

func (d dispatcher) Schedule(run func()) { d.sim.ready = append(d.sim.ready, &emptying{d, run}) }

type emptying struct {
	dispatcher
	run func()
}

func (e *emptying) take() {
	if e.life.over() {
		return
	}
	if e.sim.journal != nil {
		e.sim.journal.step(e.sim.now, e.life.host.Name, nil)
	}
	e.life.host.steps++
	e.run()
}
