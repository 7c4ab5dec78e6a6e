package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seq uint64, e event.Event) *event.Event {
	e.Seq = seq
	e.Time = epoch.Add(time.Duration(seq) * time.Millisecond)
	return &e
}

// life is a trace with every field in use.
var life = []*event.Event{
	at(1, event.Event{Kind: event.Spawned, Actor: "client/store", ActorKind: "store", Parent: "client", Strategy: "stop"}),
	at(2, event.Event{Kind: event.Started, Actor: "client/store", Incarnation: 1, Cause: 1}),
	at(3, event.Event{Kind: event.Failed, Actor: "client/store", Incarnation: 1, Cause: 2,
		Reason: "index out of range", MessageType: "*messages.StoreBlocks", Stack: "store.write store.go:7\nstore.Receive store.go:1\n", Depth: 3}),
	at(4, event.Event{Kind: event.Directive, Actor: "client/store", Cause: 3, Strategy: "one-for-one",
		Action: event.ActionRestart, Attempt: 1, BudgetLeft: 0, Delay: time.Second}),
	at(5, event.Event{Kind: event.Restarted, Actor: "client/store", Incarnation: 2, Cause: 4, Down: time.Second, Kept: 2}),
	at(6, event.Event{Kind: event.Mailbox, Actor: "client/store", Incarnation: 2, Cause: 5, Depth: 1, Waited: time.Minute}),
	at(7, event.Event{Kind: event.Failed, Actor: "client/store", Incarnation: 2, Cause: 5,
		Reason: "index out of range", Stack: "store.write store.go:7\nstore.Receive store.go:1\n"}),
	at(8, event.Event{Kind: event.Directive, Actor: "client/store", Cause: 7, Action: event.ActionRestart, BudgetLeft: -1}),
	at(9, event.Event{Kind: event.Stopped, Actor: "client/store", Incarnation: 2, Lost: 4, Reason: "normal"}),
	at(10, event.Event{Kind: event.Note, Actor: "client", Note: "announce", Detail: []event.Detail{
		event.Text("url", ""), event.Number("peers", 0), event.Number("seeders", 1<<60)}}),
	at(11, event.Event{Kind: event.Worked, Actor: "client", ActorKind: "store", Work: &event.Work{
		Span: time.Second, Cores: 2, Actors: 1, Handled: 3, Busy: 30, Busiest: 30, Waiting: 7,
		Waits: event.Histogram{2, 0, 1}, Service: event.Histogram{0, 3},
		Flows: []event.Flow{{From: "peer", Message: "StoreBlocks", Count: 3, Busy: 30, Bytes: 16 << 10}}}}),
}

var header = Header{
	Version: Version, Run: "r1", Build: "b1", Clock: "virtual", StartedAt: epoch,
	Configuration: map[string]string{"picker": "rarest"},
}

func TestAFileReadsBackAsItWasWritten(t *testing.T) {
	var out bytes.Buffer
	f := NewFile(&out, header)
	for _, e := range life {
		f.Record(e)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(out.String()) {
		if !json.Valid([]byte(l)) {
			t.Errorf("not JSON: %s", l)
		}
	}
	if n := strings.Count(out.String(), "stack_text"); n != 1 {
		t.Errorf("the stack stands there %d times, want once", n)
	}
	r, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(header, r.Header); diff != "" {
		t.Errorf("header: %s", diff)
	}
	var got []*event.Event
	for e := range r.Events() {
		got = append(got, e)
	}
	if diff := cmp.Diff(life, got); diff != "" || r.Err() != nil {
		t.Errorf("events: %v %s", r.Err(), diff)
	}
}

func TestWhatAFileCannotBeReadFrom(t *testing.T) {
	for name, content := range map[string]string{
		"nothing":       "",
		"no JSON":       "kouzui\n",
		"no header":     `{"kind":"spawned","version":"kouzui-trace/1"}` + "\n",
		"other version": `{"kind":"header","version":"kouzui-trace/2"}` + "\n",
	} {
		if _, err := Read(strings.NewReader(content)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r, err := Read(strings.NewReader(`{"kind":"header","version":"kouzui-trace/1"}` + "\n" + `{"kind":"spawned","seq":1}` + "\n" + `{"kind":"st`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range r.Events() {
		n++
	}
	if n != 1 || r.Err() != nil || !r.Torn() {
		t.Errorf("%d events, error %v, torn: %v, want one, none and true", n, r.Err(), r.Torn())
	}
}

// blocked is a writer whose writes wait until it is opened.
type blocked struct {
	bytes.Buffer
	reached, open chan struct{}
}

func (g *blocked) Write(p []byte) (int, error) {
	select {
	case g.reached <- struct{}{}:
	default:
	}
	<-g.open
	return g.Buffer.Write(p)
}

func TestASlowFileLosesEventsAndSaysSo(t *testing.T) {
	g := &blocked{reached: make(chan struct{}, 1), open: make(chan struct{})}
	f := newFile(g, header, 2)
	seq := uint64(1)
	record := func() {
		f.Record(at(seq, event.Event{Kind: event.Note, Reason: "x"}))
		seq++
	}
	record()
	<-g.reached // the first event is being written, two more fit
	for range 5 {
		record()
	}
	close(g.open)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Read(&g.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	accounted, lost := uint64(0), 0
	for e := range r.Events() {
		if e.Kind == event.Dropped {
			accounted += uint64(e.Lost)
			lost += e.Lost
		} else {
			accounted++
		}
		if e.Seq != accounted {
			t.Errorf("event %d after %d accounted for", e.Seq, accounted)
		}
	}
	if accounted != 6 || lost != 3 {
		t.Errorf("%d events accounted for, %d lost, want 6 and 3", accounted, lost)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestCloseReportsAFailedWriter(t *testing.T) {
	f := NewFile(full{}, header)
	if err := f.Close(); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

func TestTheConsoleGivesAFailureOneLine(t *testing.T) {
	var out bytes.Buffer
	c := NewConsole(zerolog.New(&out).Level(zerolog.InfoLevel))
	for _, e := range life {
		c.Record(e)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3: %s", len(lines), out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"level": "warn", "message": "actor failed", "actor": "client/store", "incarnation": 0.0,
		"reason": "index out of range", "action": "restart", "delay": 1000.0, "attempt": 1.0, "budget_left": 0.0,
		"at": "store.write store.go:7", "type": "*messages.StoreBlocks",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecentKeepsTheNewest(t *testing.T) {
	r := NewRecent(3)
	for _, e := range life[:5] {
		r.Record(e)
	}
	if diff := cmp.Diff(life[2:5], r.Events()); diff != "" {
		t.Error(diff)
	}
	events, next, more := r.After(4)
	if len(events) != 1 || next != 5 {
		t.Errorf("after 4: %d events, go on from %d", len(events), next)
	}
	r.Record(life[5])
	<-more
}

func TestWaitSeesWhatIsKeptAndWhatComes(t *testing.T) {
	r := NewRecent(8)
	r.Record(life[0])
	is := func(k event.Kind) func(*event.Event) bool {
		return func(e *event.Event) bool { return e.Kind == k }
	}
	if e, err := r.Wait(t.Context(), is(event.Spawned)); err != nil || e != life[0] {
		t.Errorf("%v, %v", e, err)
	}
	go r.Record(life[1])
	if e, err := r.Wait(t.Context(), is(event.Started)); err != nil || e != life[1] {
		t.Errorf("%v, %v", e, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Wait(ctx, is(event.Stopped)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	file := NewFile(&out, header)
	for _, e := range life {
		file.Record(e)
	}
	_ = file.Close()
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var replay Replay
		for e := range r.Events() {
			replay.Apply(e)
		}
		for _, n := range replay.Nodes() {
			if n.Restarts != max(n.Incarnation-1, 0) {
				t.Errorf("%d restarts in incarnation %d", n.Restarts, n.Incarnation)
			}
		}
	})
}
