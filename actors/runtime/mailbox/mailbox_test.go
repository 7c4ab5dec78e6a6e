package mailbox

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/dispatch"
	"kouzui/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader records what it reads. A message "panic" makes it panic, after which
// it is suspended, as by its supervisor.
type reader struct {
	actor.Mailbox
	name  string
	log   *log
	calls atomic.Int32
}

// log is what several readers have read, in order.
type log struct {
	mu    sync.Mutex
	lines []string
	busy  atomic.Int32 // readers that read at this moment
	most  atomic.Int32
}

func (r *reader) InvokeUserMessage(message any) {
	if n := r.log.busy.Add(1); n > r.log.most.Load() {
		r.log.most.Store(n)
	}
	defer r.log.busy.Add(-1)
	if message == "panic" {
		panic(message)
	}
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.log.lines = append(r.log.lines, fmt.Sprintf("%s %v", r.name, message))
}

func (r *reader) InvokeSystemMessage(any) { r.calls.Add(1) }

func (r *reader) EscalateFailure(any, any) { r.PostSystemMessage(&actor.SuspendMailbox{}) }

// later is a dispatcher that runs mailboxes when it is told to.
type later struct{ due []func() }

func (*later) Throughput() int       { return 10 }
func (l *later) Schedule(run func()) { l.due = append(l.due, run) }
func (l *later) runAll() {
	for len(l.due) > 0 {
		run := l.due[0]
		l.due = l.due[1:]
		run()
	}
}

func (l *log) reader(name string, box actor.Mailbox, d actor.Dispatcher) *reader {
	r := &reader{Mailbox: box, name: name, log: l}
	box.RegisterHandlers(r, d)
	box.Start()
	return r
}

func have(piece uint32) *messages.PeerHave { return &messages.PeerHave{Pieces: []uint32{piece}} }

// Control overtakes what comes from connections, within each of which the order
// is kept.
func TestControlFirst(t *testing.T) {
	for controlFirst, want := range map[bool][]any{
		false: {have(1), "a", have(2), "b"},
		true:  {"a", "b", have(1), have(2)},
	} {
		l, d := &log{}, &later{}
		r := l.reader("", New(Rule{ControlFirst: controlFirst})(), d)
		for _, m := range []any{have(1), "a", have(2), "b"} {
			r.PostUserMessage(m)
		}
		d.runAll()
		var lines []string
		for _, m := range want {
			lines = append(lines, fmt.Sprintf(" %v", m))
		}
		if !slices.Equal(l.lines, lines) {
			t.Errorf("control first %v: %q, want %q", controlFirst, l.lines, lines)
		}
	}
}

// While too much waits, rates are dropped, or else connections refused, and
// nothing else is lost.
func TestFullMailboxes(t *testing.T) {
	for refuse, want := range map[bool][]string{
		false: {" a", " b", " *messages.AdoptLink", " c"},
		true:  {" a", " b", " *messages.PeerRates", " c"},
	} {
		l, d, link := &log{}, &later{}, &closing{}
		r := l.reader("", New(Rule{Most: 2, Refuse: refuse})(), d)
		for _, m := range []any{"a", "b", &messages.PeerRates{}, &messages.AdoptLink{Link: link}, "c"} {
			r.PostUserMessage(m)
		}
		d.runAll()
		for i, line := range l.lines {
			for name, part := range map[string]string{" *messages.AdoptLink": "&{0x", " *messages.PeerRates": "&{0 <nil>"} {
				if len(line) > 5 && line[1:min(len(line), 1+len(part))] == part {
					l.lines[i] = name
				}
			}
		}
		if !slices.Equal(l.lines, want) || (link.err != nil) != refuse {
			t.Errorf("refuse %v: %q, want %q; the link was closed with %v", refuse, l.lines, want, link.err)
		}
	}
}

// closing is a link that remembers why it was closed.
type closing struct {
	messages.Link
	err error
}

func (c *closing) Close(err error) { c.err = err }

// Actors that share a thread of control are served in the order in which their
// messages were sent. One that has failed keeps its messages until it is
// resumed, and does not keep the others from theirs.
func TestTogetherInOrder(t *testing.T) {
	l, d := &log{}, &later{}
	boxes := Granularity{Shared: true}.Engine(Rule{}, nil)
	a, b := l.reader("a", boxes(), d), l.reader("b", boxes(), d)
	a.PostUserMessage(1)
	b.PostUserMessage(2)
	a.PostUserMessage("panic")
	a.PostUserMessage(3)
	b.PostUserMessage(4)
	d.runAll()
	a.PostUserMessage(5)
	d.runAll()
	if n := a.UserMessageCount(); n != 2 {
		t.Errorf("%d messages wait for an actor that has failed", n)
	}
	b.PostUserMessage(6)
	a.PostSystemMessage(&actor.ResumeMailbox{})
	a.PostUserMessage(7)
	d.runAll()
	if want := []string{"a 1", "b 2", "b 4", "b 6", "a 3", "a 5", "a 7"}; !slices.Equal(l.lines, want) {
		t.Errorf("%q, want %q", l.lines, want)
	}
}

// However many goroutines send, and bring or do not bring goroutines of their
// own: one message at a time is handled, none is lost, and those of one sender
// to one receiver stay in order.
func TestTogetherOneAtATime(t *testing.T) {
	for _, name := range Granularities.Names() {
		t.Run(name, func(t *testing.T) {
			const senders, readers, each = 8, 3, 300
			workers, blocking := dispatch.New(4), new(dispatch.Blocking)
			granularity, err := Granularities.Make(name)
			if err != nil {
				t.Fatal(err)
			}
			boxes := granularity.Engine(Rule{}, blocking)
			if boxes == nil {
				boxes = New(Rule{})
			}
			l := &log{}
			var to []*reader
			for i := range readers {
				to = append(to, l.reader(fmt.Sprint(i), boxes(), workers))
			}
			var sent sync.WaitGroup
			for s := range senders {
				sent.Go(func() {
					for i := range each {
						to[i%readers].PostUserMessage([2]int{s, i})
					}
				})
			}
			sent.Wait()
			for l.count() < senders*each {
				runtime.Gosched()
			}
			workers.Close()
			blocking.Close()
			if most := l.most.Load(); granularity.Shared && most != 1 {
				t.Errorf("%d messages were handled at a time", most)
			}
			last := map[string]int{}
			for _, line := range l.lines {
				var r string
				var s, i int
				if _, err := fmt.Sscanf(line, "%s [%d %d]", &r, &s, &i); err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprint(r, s)
				if before, is := last[key]; is && i <= before {
					t.Fatalf("reader %s has read message %d of sender %d after %d", r, i, s, before)
				}
				last[key] = i
			}
		})
	}
}

func (l *log) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}
