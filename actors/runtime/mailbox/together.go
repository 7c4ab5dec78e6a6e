package mailbox

import (
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Together lets several actors share one thread of control: their messages are
// handled one at a time, in the order in which they were sent, to whichever of
// them.
//
// If each message brings a goroutine, the goroutines wait for each other at a
// lock. Otherwise one goroutine at a time handles all that there is, as for one
// actor.
type Together struct {
	rule   Rule
	brings actor.Dispatcher // of the goroutines that messages bring; nil: they bring none
	turn   sync.Mutex       // held while a message that has brought a goroutine is handled

	mu        sync.Mutex // guards what follows
	line      queue      // of *box, one for each message
	scheduled bool
}

// Mailbox makes the mailbox of one of the actors.
func (t *Together) Mailbox() actor.Mailbox { return &box{rule: t.rule, together: t} }

// add enters n messages of a box into the line.
func (t *Together) add(b *box, n int) {
	t.mu.Lock()
	for range n {
		t.line.push(b)
	}
	begin := !t.scheduled && t.brings == nil && t.line.len() > 0
	t.scheduled = t.scheduled || begin
	t.mu.Unlock()
	if begin {
		b.dispatcher.Schedule(func() { t.run(b.dispatcher.Throughput()) })
	}
	if t.brings != nil {
		for range n {
			t.brings.Schedule(t.one)
		}
	}
}

// one handles the message whose turn it is, once those that are being handled
// are done.
func (t *Together) one() {
	t.turn.Lock()
	defer t.turn.Unlock()
	if b := t.next(); b != nil {
		b.handle()
	}
}

// run handles messages until there are none.
func (t *Together) run(throughput int) {
	n := 0
	for b := t.next(); b != nil; b = t.next() {
		b.handle()
		if n++; n%throughput == 0 {
			runtime.Gosched()
		}
	}
}

// next is the box whose turn it is. It may have nothing that can be handled: an
// actor that has failed reads nothing before it is restarted.
func (t *Together) next() *box {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line.len() == 0 {
		t.scheduled = false
		return nil
	}
	return t.line.pop().(*box)
}
