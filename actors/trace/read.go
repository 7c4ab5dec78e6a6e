package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"kouzui/actors/supervise"
)

// maxLine bounds a line of a trace file in bytes.
const maxLine = 1 << 20

// Reader reads what File has written.
type Reader struct {
	Header  Header
	scanner *bufio.Scanner
	stacks  map[int]string
	err     error
}

type line struct {
	Kind        supervise.Kind   `json:"kind"`
	Seq         uint64           `json:"seq"`
	Time        int64            `json:"time"`
	Actor       string           `json:"actor"`
	Incarnation int              `json:"incarnation"`
	Cause       uint64           `json:"cause"`
	ActorKind   string           `json:"actor_kind"`
	Parent      string           `json:"parent"`
	Strategy    string           `json:"strategy"`
	Reason      string           `json:"reason"`
	MessageType string           `json:"message_type"`
	Stack       int              `json:"stack"`
	StackText   string           `json:"stack_text"`
	Action      supervise.Action `json:"action"`
	Attempt     int              `json:"attempt"`
	BudgetLeft  *int             `json:"budget_left"`
	Delay       int64            `json:"delay_us"`
	Down        int64            `json:"down_us"`
	Kept        int              `json:"kept"`
	Lost        int              `json:"lost"`
	Depth       int              `json:"depth"`
	Waited      int64            `json:"waited_us"`
}

// Read reads the header; the events follow through Events.
func Read(r io.Reader) (*Reader, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	t := &Reader{scanner: s, stacks: map[int]string{}}
	if !s.Scan() {
		return nil, fmt.Errorf("trace: no header: %w", orEOF(s.Err()))
	}
	var head struct {
		Kind supervise.Kind `json:"kind"`
		Header
	}
	if err := json.Unmarshal(s.Bytes(), &head); err != nil {
		return nil, fmt.Errorf("trace: header: %w", err)
	}
	if head.Kind != supervise.Header || head.Version != Version {
		return nil, fmt.Errorf("trace: not a %s file (%q)", Version, head.Version)
	}
	t.Header = head.Header
	return t, nil
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Events yields the events in the order of the file. A last line that a crash
// cut short is an error, see Err; what stands before it is good.
func (t *Reader) Events() iter.Seq[*supervise.Event] {
	return func(yield func(*supervise.Event) bool) {
		for t.scanner.Scan() {
			var l line
			if err := json.Unmarshal(t.scanner.Bytes(), &l); err != nil {
				t.err = fmt.Errorf("trace: %w", err)
				return
			}
			if !yield(t.event(&l)) {
				return
			}
		}
		t.err = t.scanner.Err()
	}
}

// Err is why Events ended early, or nil.
func (t *Reader) Err() error { return t.err }

func (t *Reader) event(l *line) *supervise.Event {
	if l.StackText != "" {
		t.stacks[l.Stack] = l.StackText
	}
	e := &supervise.Event{
		Kind:        l.Kind,
		Seq:         l.Seq,
		Time:        t.Header.StartedAt.Add(micro(l.Time)),
		Actor:       l.Actor,
		Incarnation: l.Incarnation,
		Cause:       l.Cause,
		ActorKind:   l.ActorKind,
		Parent:      l.Parent,
		Strategy:    l.Strategy,
		Reason:      l.Reason,
		MessageType: l.MessageType,
		Stack:       t.stacks[l.Stack],
		Action:      l.Action,
		Attempt:     l.Attempt,
		Delay:       micro(l.Delay),
		Down:        micro(l.Down),
		Kept:        l.Kept,
		Lost:        l.Lost,
		Depth:       l.Depth,
		Waited:      micro(l.Waited),
	}
	switch {
	case l.BudgetLeft != nil:
		e.BudgetLeft = *l.BudgetLeft
	case l.Action == supervise.ActionRestart:
		e.BudgetLeft = -1
	}
	return e
}

func micro(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
