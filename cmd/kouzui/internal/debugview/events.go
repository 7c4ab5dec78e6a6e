package debugview

import (
	"fmt"
	"slices"
	"strings"

	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/traceview"
)

// found is the event that was waited for; nil: none was.
func (s *Session) found() *event.Event {
	if s.matched == nil {
		return nil
	}
	events := s.Debugger.Events(0)
	for _, e := range slices.Backward(events) {
		if s.matched(e) {
			return e
		}
	}
	return nil
}

func (s *Session) events(args []string) error {
	all := s.Debugger.Events(0)
	if len(args) > 0 && !counts(args[0]) {
		which := debug.Actor(args[0])
		all = slices.DeleteFunc(slices.Clone(all), func(e *event.Event) bool { return !which.Match(e.Actor) })
		args = args[1:]
	}
	n, err := number(args, preset)
	if err != nil {
		return err
	}
	all = all[max(0, len(all)-int(min(n, uint64(len(all))))):]
	return s.tell(all, true, false)
}

// tell shows events of the trace: all that were asked for, or not; with the
// call stacks of failures, or without.
func (s *Session) tell(events []*event.Event, whole, stacks bool) error {
	return s.write(func() (lines []string) {
		if !whole {
			lines = append(lines, "… what came before is not kept")
		}
		for _, e := range events {
			text := s.sentence(e)
			if stacks {
				text += traceview.Paint(s.Colour).Stack(e)
			}
			lines = append(lines, strings.Split(text, "\n")...)
		}
		return lines
	}, func() (lines []any) {
		for _, e := range events {
			lines = append(lines, newEvent(e))
		}
		return lines
	})
}

func (s *Session) why(args []string) error {
	p := s.Debugger.Position()
	seq := p.Moment.Cause
	if len(args) > 0 {
		n, err := number([]string{strings.TrimPrefix(args[0], "#")}, 0)
		if err != nil {
			return err
		}
		if seq = n; seq > p.Recorded {
			return fmt.Errorf("there is no event #%d yet", seq)
		}
	}
	if seq == 0 {
		return s.say("nothing is known that led to this")
	}
	chain, whole := s.Debugger.Why(seq)
	return s.tell(chain, whole, true)
}
