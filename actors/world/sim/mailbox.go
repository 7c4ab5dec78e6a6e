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
	waiting   bool // it is in the list of those that can have the next turn
}

func (m *mailbox) PostUserMessage(message any) {
	if w := m.life.host.watcher; w != nil {
		if message = w.Sent(m.path, message); message == nil {
			return
		}
	}
	m.user.push(message)
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
}

func (m *mailbox) Start() {}

func (m *mailbox) UserMessageCount() int { return m.user.len() }

func (m *mailbox) wake() {
	if !m.waiting && !m.held && (m.system.len() > 0 || !m.suspended && m.user.len() > 0) {
		m.waiting = true
		m.sim.ready = append(m.sim.ready, m)
	}
}

// Hold implements supervise.Holds.
func (m *mailbox) Hold(d time.Duration, first any) {
	m.held = true
	m.user.unpop(first)
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
	m.handle()
	m.wake()
}

func (m *mailbox) handle() {
	var message any
	defer func() {
		if r := recover(); r != nil {
			m.invoker.EscalateFailure(r, message)
		}
	}()
	if m.system.len() == 0 {
		message = m.user.pop()
		m.enter(message)
		m.invoker.InvokeUserMessage(message)
		return
	}
	message = m.system.pop()
	m.enter(message)
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
	_, message, _ = actor.UnwrapEnvelope(message)
	if m, is := message.(interface{ Unwrap() any }); is { // addressed to one incarnation
		message = m.Unwrap()
	}
	if w != nil {
		w.Handled(m.path, message)
	}
	if m.sim.journal != nil {
		m.sim.journal.step(m.sim.now, m.path, reflect.TypeOf(message))
	}
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
