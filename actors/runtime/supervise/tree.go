// Package supervise builds every actor of the program, so that all actors are
// in one supervision tree, and every event in it is recorded.
//
// A Tree makes Props. An actor that is spawned from them
//   - is recorded from spawn to stop, with its failures, what its supervisor
//     decided, and the cause of each (see Event); this costs no allocation a
//     message;
//   - is restarted by a Strategy of this package: with backoff, jitter and a
//     budget, and an answer for when the budget is spent;
//   - never runs on after a failure: a failed incarnation sees Restarting,
//     Stopping and Stopped, and nothing else;
//   - cannot hang the tree by a panic in one of those three handlers: it is
//     recorded and goes no further;
//   - gets no user message while it stops;
//   - hears of the end of another only after all that the other had sent to it.
//
// An actor that cannot go on, for a reason that is no bug, calls Fail.
package supervise

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
	"kouzui/actors/world"
)

// Config is what a Tree is built from.
type Config struct {
	System *actor.ActorSystem
	Clock  world.Clock
	Chance world.Chance
	Sinks  []event.Sink

	// Sample is how often the mailboxes are looked at; 0 means never. If it is
	// set, the tree also remembers when messages were sent, which costs a call of
	// the clock for each message, about 100 ns; and it measures some of the
	// messages, unless there is a Meter.
	Sample time.Duration

	// Meter is what the mailboxes of a simulated world sum up, which measure every
	// message. The tree records the sums as events of kind Worked, and those of
	// its own measurements too.
	Meter *work.Meter

	// Measurable allows Look in a tree whose Sample is 0. While nobody looks, each
	// message is counted twice for that, which BenchmarkTell does not notice.
	Measurable bool

	// Dispatcher runs the mailboxes; nil means dispatch.New(0). Blocking runs
	// those of actors that may block; nil means a dispatch.Blocking. If they have
	// a method Close, Shutdown calls it.
	Dispatcher, Blocking actor.Dispatcher

	// Mailbox makes the mailboxes; nil means the lock-free unbounded one of the
	// library.
	Mailbox actor.MailboxProducer
}

// Tree is the supervision tree of one actor system. It is safe for concurrent
// use.
type Tree struct {
	Config
	inject      atomic.Pointer[Injector]
	notes       atomic.Bool
	looked      atomic.Pointer[work.Meter] // of the Look under way; nil: nobody looks
	rounds      atomic.Int64               // of measuring; in each, relatively many of the first messages are measured
	deadLetters atomic.Uint64
	letters     *eventstream.Subscription
	shutdown    sync.Once

	mu    sync.Mutex // guards what follows, the fields of nodes, and the order of events
	seq   uint64
	nodes map[string]*node // by path

	sampler  world.Timer   // nil: mailboxes are not sampled
	workday  world.Timer   // until work is recorded again; nil: never
	spans    int           // at whose ends the timer has been set
	root     string        // path of the first root
	begun    time.Time     // from which what is measured counts
	measures bool          // mailboxes do not measure: the tree does
	used     time.Duration // processor time of the process, when work was recorded last
}

// New returns the tree of a system that has no actors yet.
func New(c Config) *Tree {
	if c.Dispatcher == nil {
		c.Dispatcher = dispatch.New(0)
	}
	if c.Blocking == nil {
		c.Blocking = new(dispatch.Blocking)
	}
	if c.Mailbox == nil {
		c.Mailbox = actor.UnboundedLockfree()
	}
	t := &Tree{Config: c, nodes: map[string]*node{}, begun: c.Clock.Now()}
	t.letters = c.System.EventStream.Subscribe(t.deadLetter)
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.Sample > 0 {
		t.sampling()
	}
	if c.Meter == nil && c.Sample > 0 {
		t.measures, t.Meter = true, work.NewMeter(dispatch.Processors())
		t.used, _ = dispatch.TimeUsed()
	}
	if t.Meter != nil {
		t.recording()
	}
	return t
}

// Spawn starts a root: an actor without a parent, supervised by guardian. A
// guardian cannot escalate any further; it stops the root instead.
func (t *Tree) Spawn(name string, props *actor.Props, guardian Strategy) (*actor.PID, error) {
	t.mu.Lock()
	t.root = cmp.Or(t.root, name)
	t.mu.Unlock()
	props = props.Clone(actor.WithGuardian(&supervisor{tree: t, strategy: guardian}))
	return t.System.Root.SpawnNamed(props, name)
}

// Stop stops a root. It does not wait until the root has stopped.
func (t *Tree) Stop(root *actor.PID) {
	if t.stop(root, ReasonShutdown, 0) != nil {
		t.System.Root.Stop(root)
	}
}

// Shutdown stops the roots and everything under them, then the system and its
// dispatcher. It gives up waiting when ctx ends, and returns an error that
// names the actors that had not stopped by then. A tree is shut down once;
// later calls do nothing.
func (t *Tree) Shutdown(ctx context.Context, roots ...*actor.PID) error {
	var err error
	t.shutdown.Do(func() { err = t.shutDown(ctx, roots) })
	return err
}

func (t *Tree) shutDown(ctx context.Context, roots []*actor.PID) error {
	t.stopSampling()
	var waiting []<-chan struct{}
	for _, pid := range roots {
		if stopped := t.stop(pid, ReasonShutdown, 0); stopped != nil {
			waiting = append(waiting, stopped)
			t.System.Root.Stop(pid)
		}
	}
	var err error
	for _, stopped := range waiting {
		select {
		case <-stopped:
		case <-ctx.Done():
			err = fmt.Errorf("%w: still running: %s", ctx.Err(), strings.Join(t.running(), ", "))
		}
	}
	t.stopRecording()
	t.RecordWork()
	t.System.EventStream.Unsubscribe(t.letters)
	if !t.System.IsStopped() {
		t.System.Shutdown()
	}
	// Close of a dispatcher waits for its mailboxes: if an actor hangs, the
	// dispatcher is left running.
	for _, d := range []actor.Dispatcher{t.Dispatcher, t.Blocking} {
		if d, ok := d.(interface{ Close() }); ok && err == nil {
			d.Close()
		}
	}
	return err
}

func (t *Tree) running() []string {
	var paths []string
	for _, n := range t.Snapshot() {
		paths = append(paths, n.Path)
	}
	return paths
}

// Node is one actor as Snapshot saw it.
type Node struct {
	Path         string
	Kind         string
	Parent       string
	Incarnation  int
	State        State
	Restarts     int
	LastReason   string // of its last failure
	MailboxDepth int
}

// Snapshot lists the actors that live now, by path.
func (t *Tree) Snapshot() []Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	nodes := make([]Node, 0, len(t.nodes))
	for _, n := range t.nodes {
		nodes = append(nodes, Node{
			Path:         n.path,
			Kind:         n.kind,
			Parent:       n.parentPath(),
			Incarnation:  n.incarnation,
			State:        n.state,
			Restarts:     max(n.incarnation-1, 0),
			LastReason:   n.lastReason,
			MailboxDepth: n.depth(),
		})
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Path, b.Path) })
	return nodes
}

// MailboxOf is the mailbox of the actor at path, as Config.Mailbox or
// WithMailbox has made it; nil: there is no such actor.
func (t *Tree) MailboxOf(path string) actor.Mailbox {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.nodes[path]; n != nil {
		return n.mailbox
	}
	return nil
}

// DeadLetters counts the messages that had no receiver, including those of
// types that are not recorded as events.
func (t *Tree) DeadLetters() uint64 { return t.deadLetters.Load() }

func (t *Tree) deadLetter(published any) {
	letter, ok := published.(*actor.DeadLetterEvent)
	if !ok {
		return
	}
	t.deadLetters.Add(1)
	discard(letter.Message)
	switch letter.Message.(type) {
	case actor.SystemMessage, actor.MailboxMessage, actor.IgnoreDeadLetterLogging:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.record(&event.Event{Kind: event.DeadLetter, Actor: letter.PID.GetId(), MessageType: typeOf(letter.Message)})
}

// record numbers the event and hands it to the sinks. t.mu is held.
func (t *Tree) record(e *event.Event) uint64 { return t.recordAt(t.Clock.Now(), e) }

func (t *Tree) recordAt(now time.Time, e *event.Event) uint64 {
	t.seq++
	e.Seq = t.seq
	e.Time = now
	for _, s := range t.Sinks {
		s.Record(e)
	}
	return e.Seq
}

// typeOf is the name of a message's type. The contents of a message are never
// logged.
func typeOf(message any) string {
	if f, ok := message.(*farewell); ok {
		message = f.terminated
	}
	_, message, _ = actor.UnwrapEnvelope(message)
	return fmt.Sprintf("%T", message)
}

// since is how long ago an event was, 0 if it never happened.
func (t *Tree) since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return t.Clock.Now().Sub(at)
}
