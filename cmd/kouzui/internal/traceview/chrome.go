package traceview

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

// chromeEvent is one entry of the Trace Event Format that chrome://tracing and
// Perfetto read. Times are microseconds.
type chromeEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	Time     int64          `json:"ts"`
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	ID       int            `json:"id,omitempty"`
	Binding  string         `json:"bp,omitempty"` // of the end of a flow
	Scope    string         `json:"s,omitempty"`  // of an instant
	Colour   string         `json:"cname,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

// Phases of that format.
const (
	phaseBegin     = "B"
	phaseEnd       = "E"
	phaseInstant   = "i"
	phaseCounter   = "C"
	phaseMetadata  = "M"
	phaseFlowStart = "s"
	phaseFlowStep  = "t"
	phaseFlowEnd   = "f"
)

// Chrome writes a trace for chrome://tracing and Perfetto. Each actor is a
// track. Its life is a slice, in which each incarnation and each time without
// one is a slice. Failures are instants, and an arrow leads from each failure
// to the restart or stop that follows. The length of a mailbox is a counter.
func Chrome(w io.Writer, r *trace.Reader) error {
	x := &export{
		out: bufio.NewWriter(w), start: r.Header.StartedAt, tracks: map[string]*track{},
		failures: map[string]arrow{}, answers: map[uint64]arrow{}, links: map[string]arrow{},
	}
	fmt.Fprintf(x.out, `{"displayTimeUnit":"ms","otherData":%s,"traceEvents":[`, encoded(r.Header))
	x.put(chromeEvent{Name: "process_name", Phase: phaseMetadata, Args: map[string]any{"name": "kouzui " + r.Header.Run}})
	for e := range r.Events() {
		x.now = max(x.now, e.Time.Sub(x.start).Microseconds())
		x.event(e)
	}
	for _, path := range slices.Sorted(maps.Keys(x.tracks)) {
		x.close(x.tracks[path])
	}
	x.out.WriteString("\n]}\n")
	if x.err == nil {
		x.err = x.out.Flush()
	}
	if x.err == nil {
		x.err = r.Err()
	}
	return x.err
}

func encoded(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // nothing but texts, numbers and maps of them
	}
	return raw
}

type export struct {
	out    *bufio.Writer
	start  time.Time
	now    int64 // of the event at hand
	some   bool  // something has been written
	err    error
	tracks map[string]*track // by the actor's path
	arrows int               // drawn

	// These lead from a failure to its consequence: failures without a directive
	// yet, by the actor that failed; failures by the number of their directive;
	// and failures by the actor that restarts or stops because of them.
	failures map[string]arrow
	answers  map[uint64]arrow
	links    map[string]arrow
}

// track is the row of one actor.
type track struct {
	id     int
	open   int    // slices: 0 no life, 1 a life, 2 a phase of it
	phase  string // the inner slice
	answer uint64 // the last directive about it
}

// arrow leads along a failure and its escalations.
type arrow []point

type point struct {
	time  int64
	track int
}

func (x *export) put(e chromeEvent) {
	if x.err != nil {
		return
	}
	e.Process = 1
	if x.some {
		x.out.WriteByte(',')
	}
	x.some = true
	x.out.WriteByte('\n')
	_, x.err = x.out.Write(encoded(e))
}

func (x *export) track(actor string) *track {
	t := x.tracks[actor]
	if t == nil {
		t = &track{id: len(x.tracks) + 1}
		x.tracks[actor] = t
		x.put(chromeEvent{Name: "thread_name", Phase: phaseMetadata, Thread: t.id, Args: map[string]any{"name": actor}})
		x.put(chromeEvent{Name: "thread_sort_index", Phase: phaseMetadata, Thread: t.id, Args: map[string]any{"sort_index": t.id}})
	}
	return t
}

func (x *export) event(e *event.Event) {
	if e.Kind == event.Dropped {
		x.put(chromeEvent{Name: "events lost", Phase: phaseInstant, Scope: "g", Time: x.now, Args: map[string]any{"lost": e.Lost}})
		return
	}
	if e.Kind == event.Worked { // of many actors, not of one
		return
	}
	t := x.track(e.Actor)
	switch e.Kind {
	case event.Spawned:
		x.close(t)
		x.begin(t, path.Base(e.Actor), map[string]any{"seq": e.Seq, "kind": e.ActorKind, "strategy": e.Strategy})
	case event.Started, event.Restarted:
		x.turn(t, fmt.Sprintf("incarnation %d", e.Incarnation), "", about(e))
		x.answered(e.Actor, t)
	case event.Fault, event.DeadLetter, event.Note:
		x.instant(e, t)
	case event.Failed, event.Escalated:
		x.turn(t, "down", "terrible", nil)
		x.instant(e, t)
		x.failures[e.Actor] = append(slices.Clip(x.answers[e.Cause]), point{x.now, t.id})
		delete(x.answers, e.Cause)
	case event.Directive:
		delete(x.answers, t.answer)
		t.answer = e.Seq
		if a, ok := x.failures[e.Actor]; ok {
			x.answers[e.Seq] = a
			delete(x.failures, e.Actor)
		}
	case event.Restarting:
		if t.phase != "down" {
			x.turn(t, "restarting", "bad", nil)
		}
		x.link(e)
	case event.Stopping:
		x.turn(t, "stopping", "grey", about(e))
		x.link(e)
	case event.Stopped:
		x.answered(e.Actor, t)
		x.close(t)
		delete(x.answers, t.answer)
		delete(x.failures, e.Actor)
	case event.Mailbox:
		x.put(chromeEvent{Name: "mailbox " + e.Actor, Phase: phaseCounter, Time: x.now, Thread: t.id, Args: map[string]any{"messages": e.Depth}})
	}
}

// begin opens a slice.
func (x *export) begin(t *track, name string, args map[string]any) {
	x.put(chromeEvent{Name: name, Category: "life", Phase: phaseBegin, Time: x.now, Thread: t.id, Args: args})
	t.open++
}

func (x *export) end(t *track) {
	x.put(chromeEvent{Phase: phaseEnd, Time: x.now, Thread: t.id})
	t.open--
}

// turn closes the slice of the actor's phase and opens that of the next.
func (x *export) turn(t *track, name, colour string, args map[string]any) {
	if t.open == 0 {
		x.begin(t, "life", nil) // its spawn is lost
	}
	if t.open == 2 {
		x.end(t)
	}
	x.put(chromeEvent{Name: name, Category: "life", Phase: phaseBegin, Time: x.now, Thread: t.id, Colour: colour, Args: args})
	t.open++
	t.phase = name
}

// close closes all open slices of a track.
func (x *export) close(t *track) {
	for t.open > 0 {
		x.end(t)
	}
	t.phase = ""
}

func (x *export) instant(e *event.Event, t *track) {
	name, colour := string(e.Kind), ""
	switch e.Kind {
	case event.Failed, event.Escalated:
		name, colour = name+": "+clean(e.Reason), "terrible"
	case event.Fault:
		name += ": " + clean(e.Reason)
	case event.Note:
		name = e.Note
	}
	x.put(chromeEvent{Name: name, Category: string(e.Kind), Phase: phaseInstant, Scope: "t", Time: x.now, Thread: t.id, Colour: colour, Args: about(e)})
}

// link remembers because of which failure the actor restarts or stops.
func (x *export) link(e *event.Event) {
	if a, ok := x.answers[e.Cause]; ok {
		x.links[e.Actor] = a
	}
}

// answered draws the arrow from the failure to here.
func (x *export) answered(actor string, t *track) {
	a, ok := x.links[actor]
	if !ok {
		return
	}
	delete(x.links, actor)
	x.arrows++
	for i, p := range append(slices.Clip(a), point{x.now, t.id}) {
		e := chromeEvent{Name: "answer", Category: "failure", Phase: phaseFlowStep, Time: p.time, Thread: p.track, ID: x.arrows}
		switch i {
		case 0:
			e.Phase = phaseFlowStart
		case len(a):
			e.Phase, e.Binding = phaseFlowEnd, "e"
		}
		x.put(e)
	}
}

// about is the details of an event.
func about(e *event.Event) map[string]any {
	args := map[string]any{"seq": e.Seq}
	for key, value := range map[string]string{
		"reason": e.Reason, "message_type": e.MessageType, "stack": e.Stack,
	} {
		if value != "" {
			args[key] = value
		}
	}
	for key, value := range map[string]int64{
		"cause": int64(e.Cause), "down_us": e.Down.Microseconds(), "waited_us": e.Waited.Microseconds(),
		"kept": int64(e.Kept), "lost": int64(e.Lost), "depth": int64(e.Depth),
	} {
		if value != 0 {
			args[key] = value
		}
	}
	for _, d := range e.Detail {
		if d.Numeric {
			args[d.Key] = d.Number
		} else {
			args[d.Key] = d.Text
		}
	}
	return args
}
