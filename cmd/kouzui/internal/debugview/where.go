package debugview

import (
	"fmt"
	"slices"
	"strings"

	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
)

// Begin does what a line says, which moves, and does not show where the run has
// paused: Overview does.
func (s *Session) Begin(line string) error {
	words := strings.Fields(line)
	c, err := find(words[0])
	if err == nil {
		err = c.do(s, words[1:])
	}
	if err != nil {
		return s.arrived(err)
	}
	return nil
}

// Overview shows where the run has paused and what is there: of one node, or of
// all if node is empty.
func (s *Session) Overview(node string) error {
	shows := []func([]string) error{s.tree, s.mailbox, s.pending}
	var of []string
	switch {
	case node == "" && !s.JSON && len(s.Debugger.Actors("*")) > mostAtFirst:
		shows[0] = func([]string) error {
			if err := s.nodes(nil); err != nil {
				return err
			}
			return s.say("tree NODE draws the supervision tree of one")
		}
	case node != "":
		p, err := s.participant(node)
		if err != nil {
			return err
		}
		if of = []string{node}; p.Tree == nil { // no actor of it runs
			shows = []func([]string) error{s.nodes, s.pending}
		}
	}
	for _, show := range slices.Concat([]func([]string) error{s.where}, shows) {
		if err := show(of); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) where([]string) error {
	p := s.Debugger.Position()
	fresh := p.Wrong[min(s.wrong, len(p.Wrong)):]
	s.wrong = len(p.Wrong)
	found := s.found()
	return s.write(func() (lines []string) {
		for _, err := range fresh {
			lines = append(lines, s.paint().Failure("a check has failed: ")+exit.OneLine(err))
		}
		if found != nil {
			lines = append(lines, s.sentence(found))
		}
		return append(lines, s.position(p))
	}, func() (lines []any) {
		if found != nil {
			lines = append(lines, newEvent(found))
		}
		return append(lines, newPosition(p))
	})
}

func (s *Session) position(p debug.Position) string {
	at := s.paint().Faint(seconds(p.Elapsed) + " s  ")
	switch m := p.Moment; {
	case p.Ended:
		text := fmt.Sprintf("%sthe run has ended, after %s", at, units.Count(int(p.Messages), "message"))
		if r := s.Debugger.Result(); r != nil {
			text += fmt.Sprintf(", with digest %016x", r.Sum)
		}
		return text
	case m.Actor == "":
		return fmt.Sprintf("%safter message %d; the next thing happens at %s s", at, p.Messages, seconds(p.Next))
	default:
		return fmt.Sprintf("%smessage %d: %s gets %s from %s%s", at, p.Messages,
			s.paint().Bold(brief(m.Actor)), s.paint().Bold(debug.Name(m.Message)), from(m.From), because(m.Cause))
	}
}

func because(cause uint64) string {
	if cause == 0 {
		return ""
	}
	return fmt.Sprintf(", which stems from event #%d", cause)
}
