// Package mailbox makes mailboxes that differ from the usual one: in the order
// of their messages, in how many may wait, and in whether several actors share
// one thread of control.
//
// The usual mailbox is the lock-free one of the actor library. Those of this
// package have a lock, and are for experiments.
package mailbox

import (
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// Rule is how messages of users wait. Those of the actor system are always
// handled first, and are never lost.
type Rule struct {
	// ControlFirst lets control overtake what comes from connections, see
	// messages.OfConnection.
	ControlFirst bool
	// Most is how many messages may wait before some are not let in; 0: any
	// number. Those are refused for which there is a refusal, see
	// messages.Refuse, or else those that may be lost, see
	// messages.MayBeDropped.
	Most   int
	Refuse bool
}

// Lane is where a message waits: lane 0 is emptied before lane 1.
func (r Rule) Lane(message any) int {
	if r.ControlFirst && messages.OfConnection(bare(message)) {
		return 1
	}
	return 0
}

// KeepsOut tells whether a message is not let in, where so many wait.
func (r Rule) KeepsOut(message any, waiting int) bool {
	switch {
	case r.Most == 0 || waiting < r.Most:
		return false
	case r.Refuse:
		return messages.Refuse(bare(message))
	}
	return messages.MayBeDropped(bare(message))
}

// bare is a message without what it travels in. A message that tells the end of
// another actor waits behind the last words of that actor, wherever those are.
func bare(message any) any {
	_, message, _ = actor.UnwrapEnvelope(message)
	switch m := message.(type) {
	case interface{ Unwrap() any }: // addressed to one incarnation
		return m.Unwrap()
	case interface{ Deceased() *actor.PID }:
		return &messages.PeerGone{}
	}
	return message
}

// box is a mailbox.
type box struct {
	rule       Rule
	together   *Together // nil: it has a thread of control of its own
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	mu        sync.Mutex // guards what follows
	system    queue
	user      [2]queue // by lane
	suspended bool
	scheduled bool // its run is under way, or will be
}

// New makes mailboxes that keep to a rule.
func New(r Rule) actor.MailboxProducer {
	return func() actor.Mailbox { return &box{rule: r} }
}

// PostUserMessage implements actor.Mailbox.
func (b *box) PostUserMessage(message any) {
	b.mu.Lock()
	if b.rule.KeepsOut(message, b.waiting()) {
		b.mu.Unlock()
		return
	}
	b.user[b.rule.Lane(message)].push(message)
	b.posted()
}

// PostSystemMessage implements actor.Mailbox.
func (b *box) PostSystemMessage(message any) {
	b.mu.Lock()
	b.system.push(message)
	b.posted()
}

// posted sees to it that a message is handled that has been entered. It lets go
// of the lock.
func (b *box) posted() {
	if b.together != nil {
		b.mu.Unlock()
		b.together.add(b, 1)
		return
	}
	begin := !b.scheduled && b.ready()
	b.scheduled = b.scheduled || begin
	b.mu.Unlock()
	if begin {
		b.dispatcher.Schedule(b.run)
	}
}

// ready tells whether a message can be handled. b.mu is held.
func (b *box) ready() bool { return b.system.len() > 0 || !b.suspended && b.waiting() > 0 }

func (b *box) waiting() int { return b.user[0].len() + b.user[1].len() }

// run handles messages until none is left that can be.
func (b *box) run() {
	for n := 1; b.handle(); n++ {
		if n%b.dispatcher.Throughput() == 0 {
			runtime.Gosched()
		}
	}
}

// handle handles one message; false if there is none.
func (b *box) handle() bool {
	b.mu.Lock()
	if !b.ready() {
		b.scheduled = false
		b.mu.Unlock()
		return false
	}
	if b.system.len() > 0 {
		message := b.system.pop()
		b.control(message)
		b.mu.Unlock()
		b.invoke(message, b.invoker.InvokeSystemMessage)
		return true
	}
	lane := &b.user[0]
	if lane.len() == 0 {
		lane = &b.user[1]
	}
	message := lane.pop()
	b.mu.Unlock()
	b.invoke(message, b.invoker.InvokeUserMessage)
	return true
}

// control carries out what the actor system says to the mailbox itself. b.mu is
// held.
func (b *box) control(message any) {
	switch message.(type) {
	case *actor.SuspendMailbox:
		b.suspended = true
	case *actor.ResumeMailbox:
		if b.suspended = false; b.together != nil {
			b.together.add(b, b.waiting())
		}
	}
}

// invoke hands a message to the actor, and a panic of the actor to its
// supervisor.
func (b *box) invoke(message any, with func(any)) {
	switch message.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
		return
	}
	defer func() {
		if r := recover(); r != nil {
			b.invoker.EscalateFailure(r, message)
		}
	}()
	with(message)
}

// RegisterHandlers implements actor.Mailbox.
func (b *box) RegisterHandlers(invoker actor.MessageInvoker, d actor.Dispatcher) {
	b.invoker, b.dispatcher = invoker, d
}

// Start implements actor.Mailbox.
func (*box) Start() {}

// UserMessageCount implements actor.Mailbox.
func (b *box) UserMessageCount() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting()
}
