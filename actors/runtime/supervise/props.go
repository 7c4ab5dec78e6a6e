package supervise

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Option changes how an actor is built.
type Option func(*recipe)

type recipe struct {
	strategy   Strategy
	dispatcher actor.Dispatcher
	mailbox    actor.MailboxProducer
}

// WithStrategy sets what happens to the actor's children when they fail. The
// default is DefaultBackoff.
func WithStrategy(s Strategy) Option { return func(r *recipe) { r.strategy = s } }

// WithMailbox sets what makes the actor's mailbox; nil: Config.Mailbox does.
func WithMailbox(p actor.MailboxProducer) Option {
	return func(r *recipe) {
		if p != nil {
			r.mailbox = p
		}
	}
}

// Blocking says that the actor may block in Receive, and must not run on the
// shared workers.
func Blocking() Option { return func(r *recipe) { r.dispatcher = nil } }

// Props describes actors of a kind. They may be spawned any number of times.
// The producer must only build a struct, because it also runs if the name turns
// out to be taken. An actor acquires resources in Started, and releases them in
// Restarting and in Stopping.
func (t *Tree) Props(kind string, producer actor.Producer, options ...Option) *actor.Props {
	r := recipe{
		strategy:   DefaultBackoff,
		dispatcher: t.Dispatcher,
		mailbox:    t.Mailbox,
	}
	for _, o := range options {
		o(&r)
	}
	blocking := r.dispatcher == nil
	if blocking {
		r.dispatcher = t.Blocking
	}
	return actor.PropsFromProducer(
		func() actor.Actor { return &supervised{inner: producer()} },
		actor.WithOnInit(func(c actor.Context) { t.spawned(kind, r.strategy.Name(), c) }),
		actor.WithMailbox(func() actor.Mailbox { return t.mailbox(r.mailbox(), blocking) }),
		actor.WithDispatcher(r.dispatcher),
		actor.WithSupervisor(&supervisor{tree: t, strategy: r.strategy}),
	)
}

func (t *Tree) mailbox(m actor.Mailbox, blocking bool) actor.Mailbox {
	one := &mailbox{Mailbox: m, clock: t.Clock, timing: t.timing(blocking)}
	if t.Sample > 0 {
		one.ages = &ages{start: t.Clock.Now()}
	}
	return newWhenReady(one)
}

// timing is what measures the messages of one actor; nil: nobody ever does, or
// the mailbox does.
func (t *Tree) timing(blocking bool) *timing {
	if !t.measures && !t.Measurable {
		return nil
	}
	return &timing{all: blocking, tree: t}
}
