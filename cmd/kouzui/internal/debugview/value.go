package debugview

import (
	"fmt"
	"strings"

	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/units"
	"kouzui/wire/metainfo"
)

// read shows what a message holds.
func (s *Session) read(actor, field string, message any) error {
	v, err := s.Debugger.Read(message, field)
	if err != nil {
		return err
	}
	return s.value(actor, field, v)
}

func (s *Session) value(of, field string, v debug.Value) error {
	lines := v.Lines("")
	return s.write(func() []string { return lines }, func() []any { return []any{newValue(of, field, lines)} })
}

func (s *Session) message(args []string) error {
	m := s.Debugger.Position().Moment
	if m.Actor == "" {
		return s.say("no message is about to be handled: step goes on to the next")
	}
	return s.read(m.Actor, strings.Join(args, ""), m.Message)
}

func (s *Session) show(args []string) error {
	field := ""
	if len(args) > 1 {
		field = args[1]
	}
	if !strings.Contains(args[0], "/") {
		return s.showNode(args[0], field)
	}
	n, err := s.Debugger.Actor(debug.Actor(args[0]))
	if err != nil {
		return err
	}
	v, err := s.Debugger.Look(n.Path, field)
	if err != nil {
		return err
	}
	if !s.JSON && field == "" {
		if err := s.write(func() []string { return []string{s.about(n)} }, nil); err != nil {
			return err
		}
	}
	return s.value(n.Path, field, v)
}

// about is an actor on one line.
func (s *Session) about(n supervise.Node) string {
	text := fmt.Sprintf("%s: %s, %s, incarnation %d, %s waiting", s.paint().Bold(brief(n.Path)), n.Kind, n.State, n.Incarnation, units.Count(n.MailboxDepth, "message"))
	if n.LastReason != "" {
		text += ", last failure: " + metainfo.Clean(n.LastReason, mostWords)
	}
	return text
}

func (s *Session) showNode(name, field string) error {
	p, err := s.participant(name)
	if err != nil {
		return err
	}
	v, err := s.Debugger.Read(&p.Progress, field)
	if err != nil {
		return err
	}
	if !s.JSON && field == "" {
		if err := s.write(func() []string {
			return []string{fmt.Sprintf("%s: %s, %s, its process was ended %s; its client has told last:", s.paint().Bold(p.Name), p.Class, p.State, units.Count(p.Crashes, "time"))}
		}, nil); err != nil {
			return err
		}
	}
	return s.value(p.Name, field, v)
}
