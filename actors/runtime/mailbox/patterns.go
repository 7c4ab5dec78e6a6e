package mailbox

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/pattern"
)

// Mailbox is a pattern of mailboxes: how messages wait, and what makes the
// mailboxes of a real run.
type Mailbox struct {
	Rule
	Producer actor.MailboxProducer
}

// Mailboxes are those that a user can choose from.
var Mailboxes = pattern.NewKind[Mailbox]("mailbox", "how the messages of an actor wait", "lock-free", pattern.Everywhere, pattern.OfClient)

var _ = Mailboxes.Register("lock-free", "first come, first served, any number, without a lock", func() Mailbox {
	return Mailbox{Producer: actor.UnboundedLockfree()}
})

var _ = Mailboxes.Register("unbounded", "the same with a lock", func() Mailbox {
	return Mailbox{Producer: actor.Unbounded()}
}).In(pattern.Real)

var _ = Mailboxes.Register("priority", "control overtakes what comes from connections", func() Mailbox {
	return ruled(Rule{ControlFirst: true})
})

type bound struct {
	Most int `about:"messages that may wait before that begins"`
}

// Check refuses a mailbox that takes nothing of some messages at all.
func (b bound) Check() error {
	if b.Most == 0 {
		return errors.New("most must be 1 or more")
	}
	return nil
}

var _ = pattern.Keyed(Mailboxes, "dropping", "rates of peers are dropped while too much waits, as later ones tell more", bound{16}, func(b bound) Mailbox {
	return ruled(Rule{Most: b.Most})
})

var _ = pattern.Keyed(Mailboxes, "refusing", "connections that come in are closed while too much waits", bound{16}, func(b bound) Mailbox {
	return ruled(Rule{Most: b.Most, Refuse: true})
})

func ruled(r Rule) Mailbox { return Mailbox{r, New(r)} }

// Granularity is a pattern of how the actors of an engine, but for those that
// may block, share threads of control.
type Granularity struct {
	// Shared: they share one.
	Shared bool
	// Locked: each message brings a goroutine, which waits for a lock.
	Locked bool
}

// Granularities are those that a user can choose from.
var Granularities = pattern.NewKind[Granularity]("granularity", "how many threads of control an engine has", "split", pattern.Everywhere, pattern.OfClient)

var _ = Granularities.Register("split", "one for each actor", func() Granularity { return Granularity{} })

var _ = Granularities.Register("monolith", "one for all: the actors of an engine share a mailbox", func() Granularity {
	return Granularity{Shared: true}
})

var _ = Granularities.Register("mutex", "a goroutine for each message, which takes the one lock of the engine", func() Granularity {
	return Granularity{Shared: true, Locked: true}
}).In(pattern.Real)

// Engine makes the mailboxes of one engine; nil: those of all other actors.
// Goroutines are those of blocking, which has any number.
func (g Granularity) Engine(r Rule, blocking *dispatch.Blocking) actor.MailboxProducer {
	if !g.Shared {
		return nil
	}
	t := &Together{rule: r}
	if g.Locked {
		t.brings = blocking
	}
	return t.Mailbox
}
