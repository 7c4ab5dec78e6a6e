package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"kouzui/actors/runtime/event"
)

// maxLine bounds a line of a trace file in bytes.
const maxLine = 1 << 20

var (
	// ErrNoTrace means that a file is something else than a trace.
	ErrNoTrace = errors.New("not a " + Version + " file")
	// ErrTooLong means that a line is longer than any that File writes.
	ErrTooLong = fmt.Errorf("longer than %d bytes", maxLine)
)

// Reader reads what File has written. It holds one line at a time.
type Reader struct {
	Header Header

	in     *bufio.Reader
	part   []byte // what there is of a line whose end has not come yet
	lines  int    // read so far
	stacks stackTexts
	err    error
}

// Read reads the header; the events follow. If r ends before the header does,
// the error is io.ErrUnexpectedEOF.
func Read(r io.Reader) (*Reader, error) {
	t := &Reader{in: bufio.NewReaderSize(r, 1<<16)}
	raw, err := t.line()
	switch {
	case err == io.EOF && len(t.part) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrNoTrace)
	case err == io.EOF && t.part[0] == '{':
		return nil, io.ErrUnexpectedEOF
	case err == io.EOF, errors.Is(err, ErrTooLong):
		return nil, ErrNoTrace
	case err != nil:
		return nil, err
	}
	var head struct {
		Kind event.Kind `json:"kind"`
		Header
	}
	if json.Unmarshal(raw, &head) != nil || head.Kind != event.Header {
		return nil, ErrNoTrace
	}
	if head.Version != Version {
		return nil, fmt.Errorf("%w: its version is %q", ErrNoTrace, head.Version)
	}
	t.Header = head.Header
	return t, nil
}

// line returns the next whole line, valid until the next call.
func (t *Reader) line() ([]byte, error) {
	for {
		chunk, err := t.in.ReadSlice('\n')
		if err == nil && len(t.part) == 0 {
			t.lines++
			return chunk, nil
		}
		t.part = append(t.part, chunk...)
		switch {
		case len(t.part) > maxLine:
			return nil, fmt.Errorf("line %d: %w", t.lines+1, ErrTooLong)
		case err == nil:
			whole := t.part
			t.part = nil
			t.lines++
			return whole, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// Next returns the next event. At the end of what has been written so far it
// returns io.EOF; called again later, it goes on with what has come since.
func (t *Reader) Next() (*event.Event, error) {
	raw, err := t.line()
	if err != nil {
		return nil, err
	}
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return nil, fmt.Errorf("line %d: %w", t.lines, err)
	}
	return t.event(&l), nil
}

// Torn tells whether the last line has no end, because it is still being
// written or a crash cut it short. The lines before it are whole.
func (t *Reader) Torn() bool { return len(t.part) > 0 }

// Events yields the events up to the end, or to an error, see Err.
func (t *Reader) Events() iter.Seq[*event.Event] {
	return func(yield func(*event.Event) bool) {
		for {
			e, err := t.Next()
			if err != nil {
				if err != io.EOF {
					t.err = err
				}
				return
			}
			if !yield(e) {
				return
			}
		}
	}
}

// Err is why Events ended early, or nil.
func (t *Reader) Err() error { return t.err }

// line is an event in the form of the file.
type line struct {
	Kind        event.Kind   `json:"kind"`
	Seq         uint64       `json:"seq"`
	Time        int64        `json:"time"`
	Actor       string       `json:"actor"`
	Incarnation int          `json:"incarnation"`
	Cause       uint64       `json:"cause"`
	Origin      uint64       `json:"origin"`
	ActorKind   string       `json:"actor_kind"`
	Parent      string       `json:"parent"`
	Strategy    string       `json:"strategy"`
	Reason      string       `json:"reason"`
	MessageType string       `json:"message_type"`
	Stack       int          `json:"stack"`
	StackText   string       `json:"stack_text"`
	Action      event.Action `json:"action"`
	Attempt     int          `json:"attempt"`
	BudgetLeft  *int         `json:"budget_left"`
	Delay       int64        `json:"delay_us"`
	Down        int64        `json:"down_us"`
	Kept        int          `json:"kept"`
	Lost        int          `json:"lost"`
	Depth       int          `json:"depth"`
	Waited      int64        `json:"waited_us"`
	Note        string       `json:"note"`
	Detail      details      `json:"detail"`
	Work        *event.Work  `json:"work"`
}

// maxStackText bounds the bytes of the stacks that a Reader remembers.
const maxStackText = 64 << 20

// stackTexts are the stacks that later lines may name by their numbers. They
// are forgotten when File forgets its own; those of a file that File has not
// written may be forgotten earlier.
type stackTexts struct {
	text  map[int]string
	bytes int
}

func (s *stackTexts) add(number int, text string) {
	if s.bytes += len(text); s.text == nil || len(s.text) == maxStacks || s.bytes > maxStackText {
		s.text, s.bytes = map[int]string{}, len(text)
	}
	s.text[number] = text
}

func (t *Reader) event(l *line) *event.Event {
	if l.StackText != "" {
		t.stacks.add(l.Stack, l.StackText)
	}
	e := &event.Event{
		Kind:        l.Kind,
		Seq:         l.Seq,
		Time:        t.Header.StartedAt.Add(micro(l.Time)),
		Actor:       l.Actor,
		Incarnation: l.Incarnation,
		Cause:       l.Cause,
		Origin:      l.Origin,
		ActorKind:   l.ActorKind,
		Parent:      l.Parent,
		Strategy:    l.Strategy,
		Reason:      l.Reason,
		MessageType: l.MessageType,
		Stack:       t.stacks.text[l.Stack],
		Action:      l.Action,
		Attempt:     l.Attempt,
		Delay:       micro(l.Delay),
		Down:        micro(l.Down),
		Kept:        l.Kept,
		Lost:        l.Lost,
		Depth:       l.Depth,
		Waited:      micro(l.Waited),
		Note:        l.Note,
		Detail:      l.Detail,
		Work:        l.Work,
	}
	switch {
	case l.BudgetLeft != nil:
		e.BudgetLeft = *l.BudgetLeft
	case l.Action == event.ActionRestart:
		e.BudgetLeft = -1
	}
	return e
}

func micro(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// details keep the order in which they were written.
type details []event.Detail

// UnmarshalJSON takes an object of texts and whole numbers.
func (d *details) UnmarshalJSON(raw []byte) error {
	keys := json.NewDecoder(bytes.NewReader(raw))
	if t, err := keys.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("detail is no object")
	}
	keys.UseNumber()
	for keys.More() {
		key, err := keys.Token()
		if err != nil {
			return err
		}
		value, err := keys.Token()
		if err != nil {
			return err
		}
		item := event.Detail{Key: key.(string)} // Token has seen to it
		switch v := value.(type) {
		case string:
			item.Text = v
		case json.Number:
			if item.Number, err = v.Int64(); err != nil {
				return fmt.Errorf("detail %s: %w", item.Key, err)
			}
			item.Numeric = true
		default:
			return fmt.Errorf("detail %s is neither text nor number", item.Key)
		}
		*d = append(*d, item)
	}
	return nil
}
