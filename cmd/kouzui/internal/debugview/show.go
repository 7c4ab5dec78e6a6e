package debugview

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"kouzui/actors/lab"
	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/actors/world/sim"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/traceview"
	"kouzui/wire/metainfo"
)

// How much is shown at once, unless more is asked for.
const (
	mostAtFirst = 60  // actors whose trees are drawn at first; of more, the nodes are listed
	mostActors  = 200 // of a tree
	mostNodes   = 200
	mostBoxes   = 40 // mailboxes of many
	mostLetters = 10 // of each of them
	mostOfOne   = 200
	mostLinks   = 100
	preset      = 10 // of what is due, and of events
	mostWords   = 200
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

func (s *Session) nodes(args []string) error {
	all := s.Debugger.Participants()
	if len(args) > 0 {
		all = slices.DeleteFunc(all, func(p lab.Participant) bool { return p.Name != args[0] })
	}
	return s.write(func() []string {
		var b bytes.Buffer
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "node\tstate\tprocess\tactors\trestarts\twaiting\thave\tconnections\t")
		for _, p := range all[:min(len(all), mostNodes)] {
			fmt.Fprintln(t, s.row(p))
		}
		t.Flush()
		lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
		return more(trimmed(lines), len(all)-mostNodes, "nodes")
	}, func() (lines []any) {
		for _, p := range all {
			lines = append(lines, newNode(p))
		}
		return lines
	})
}

func trimmed(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// more adds how many there are beside those that are shown.
func more(lines []string, n int, what string) []string {
	if n > 0 {
		lines = append(lines, fmt.Sprintf("… %d more %s", n, what))
	}
	return lines
}

// row is a participant as a row of the table of nodes.
func (s *Session) row(p lab.Participant) string {
	if p.Host == nil {
		return fmt.Sprintf("%s\t%s at %s s\t\t\t\t\t\t\t", p.Name, p.State, seconds(p.Comes))
	}
	if p.Tree == nil {
		return fmt.Sprintf("%s\t%s\t%d\t\t\t\t\t%d\t", p.Name, p.State, p.Host.Lives(), len(p.Host.Connections()))
	}
	actors, restarts, waiting := count(p.Tree)
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%s\t%d\t", p.Name, p.State, p.Host.Lives(), actors, restarts, waiting,
		units.Percent(p.Progress.Have, p.Length), len(p.Host.Connections()))
}

func count(t *supervise.Tree) (actors, restarts, waiting int) {
	for _, n := range t.Snapshot() {
		actors, restarts, waiting = actors+1, restarts+n.Restarts, waiting+n.MailboxDepth
	}
	return actors, restarts, waiting
}

func (s *Session) tree(args []string) error {
	which := debug.Actor("*")
	if len(args) > 0 {
		which = debug.Actor(args[0])
	}
	all := s.Debugger.Actors(which)
	if len(all) == 0 && len(args) > 0 {
		return exit.Usagef("", "no actor %q runs now", metainfo.Clean(args[0], mostWords))
	}
	return s.write(func() []string {
		if len(all) == 0 {
			return []string{"no actor runs"}
		}
		var b bytes.Buffer
		shown := all[:min(len(all), mostActors)]
		t := traceview.Tree{
			Header: trace.Header{Run: s.Run, StartedAt: lab.Epoch}, At: lab.Epoch.Add(s.Debugger.Position().Elapsed),
			Paint: traceview.Paint(s.Colour), Width: s.Width(),
		}
		for _, n := range shown {
			t.Lives = append(t.Lives, trace.Life{Node: n, Depth: n.MailboxDepth})
		}
		if err := t.Write(&b); err != nil {
			return nil
		}
		return more(strings.Split(strings.TrimRight(b.String(), "\n"), "\n"), len(all)-len(shown), "actors")
	}, func() (lines []any) {
		for _, n := range all {
			lines = append(lines, newActor(n))
		}
		return lines
	})
}

// boxes are the mailboxes of the actors that are meant: of one all, of many
// those that are not empty.
func (s *Session) boxes(args []string) (paths []string, found map[string]*sim.Box, one bool, err error) {
	found = map[string]*sim.Box{}
	which := debug.Actor("*")
	if len(args) > 0 {
		which = debug.Actor(args[0])
	}
	actors := s.Debugger.Actors(which)
	if len(args) > 0 && strings.Contains(args[0], "/") && !strings.Contains(args[0], "*") {
		n, err := s.Debugger.Actor(which)
		if err != nil {
			return nil, nil, false, err
		}
		actors, one = []supervise.Node{n}, true
	}
	if len(actors) == 0 && len(args) > 0 {
		return nil, nil, false, exit.Usagef("", "no actor %q runs now", metainfo.Clean(args[0], mostWords))
	}
	for _, n := range actors {
		if b := s.Debugger.Box(n.Path); b != nil && (one || len(b.Letters) > 0 || b.Under != nil) {
			paths, found[n.Path] = append(paths, n.Path), b
		}
	}
	return paths, found, one, nil
}

func (s *Session) mailbox(args []string) error {
	paths, found, one, err := s.boxes(args)
	if err != nil {
		return err
	}
	if len(args) > 1 {
		return s.letter(args, paths, found, one)
	}
	return s.write(func() (lines []string) {
		most := mostLetters
		if one {
			most = mostOfOne
		}
		for _, path := range paths[:min(len(paths), mostBoxes)] {
			b := found[path]
			lines = append(lines, fmt.Sprintf("%s: %s waiting%s", s.paint().Bold(brief(path)), units.Count(len(b.Letters), "message"), state(b)))
			if u := b.Under; u != nil {
				lines = append(lines, fmt.Sprintf("   on a core: %s from %s%s", debug.Name(u.Message), from(u.From), because(u.Cause)))
			}
			for i, l := range b.Letters[:min(len(b.Letters), most)] {
				lines = append(lines, fmt.Sprintf("%4d  %s from %s%s", i+1, debug.Name(l.Message), from(l.From), because(l.Cause)))
			}
			lines = more(lines, len(b.Letters)-most, "messages")
		}
		if len(paths) == 0 {
			return []string{"no message waits"}
		}
		return more(lines, len(paths)-mostBoxes, "mailboxes")
	}, func() (lines []any) {
		for _, path := range paths {
			for i, l := range found[path].Letters {
				lines = append(lines, newLetter(path, i+1, l))
			}
		}
		return lines
	})
}

// letter shows what one message holds.
func (s *Session) letter(args, paths []string, found map[string]*sim.Box, one bool) error {
	n, err := number(args[1:], 1)
	switch {
	case err != nil:
		return err
	case !one:
		return exit.Usagef("", "%q must be one actor, such as leech-002/scheduler", args[0])
	case n > uint64(len(found[paths[0]].Letters)):
		return exit.Usagef("", "%s has %s waiting", brief(paths[0]), units.Count(len(found[paths[0]].Letters), "message"))
	}
	return s.read(paths[0], "", found[paths[0]].Letters[n-1].Message)
}

// state is what keeps a mailbox from going on.
func state(b *sim.Box) string {
	switch {
	case b.Held:
		return "; the actor hangs"
	case b.Suspended:
		return "; suspended, as a failure is not answered yet"
	}
	return ""
}

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

// participant is the node or foe of a name.
func (s *Session) participant(name string) (lab.Participant, error) {
	all := s.Debugger.Participants()
	i := slices.IndexFunc(all, func(p lab.Participant) bool { return p.Name == name })
	if i < 0 {
		return lab.Participant{}, exit.Usagef("", "there is no node %q; nodes lists them", metainfo.Clean(name, mostWords))
	}
	return all[i], nil
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

func (s *Session) links(args []string) error {
	p, err := s.participant(args[0])
	if err != nil {
		return err
	}
	var all []sim.Connection
	if p.Host != nil {
		all = p.Host.Connections()
	}
	return s.write(func() []string {
		if len(all) == 0 {
			return []string{p.Name + " has no connections"}
		}
		var b bytes.Buffer
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "link\twith\tqueued\tbuffered\tin flight\tarrived\tin hand\t")
		for _, c := range all[:min(len(all), mostLinks)] {
			way := "to "
			if c.Inbound {
				way = "from "
			}
			with := way + c.Other
			if !c.Shaken {
				with += ", no handshake"
			}
			fmt.Fprintf(t, "%d\t%s\t%d\t%s\t%s\t%d\t%d\t\n", c.ID, with, c.Queued, units.Bytes(c.Buffered), units.Bytes(c.Flying), c.Arrived, c.Delivered)
		}
		t.Flush()
		return more(trimmed(strings.Split(strings.TrimRight(b.String(), "\n"), "\n")), len(all)-mostLinks, "connections")
	}, func() (lines []any) {
		for _, c := range all {
			lines = append(lines, newConnection(p.Name, c))
		}
		return lines
	})
}

func (s *Session) pending(args []string) error {
	node := ""
	if len(args) > 0 && !counts(args[0]) {
		p, err := s.participant(args[0])
		if err != nil {
			return err
		}
		node, args = p.Name, args[1:]
	}
	n, err := number(args, preset)
	if err != nil {
		return err
	}
	due, all := s.Debugger.Due(node, int(min(n, mostOfOne)))
	return s.write(func() (lines []string) {
		for _, d := range due {
			text := s.paint().Faint(fmt.Sprintf("%12s s  ", seconds(d.At)))
			switch {
			case d.By != "":
				text += brief(d.By) + ": "
			case d.Host != "":
				text += d.Host + ": "
			}
			lines = append(lines, text+metainfo.Clean(d.What, mostWords))
		}
		if all == 0 {
			return []string{"nothing is due"}
		}
		return more(lines, all-len(due), "are due")
	}, func() (lines []any) {
		for _, d := range due {
			lines = append(lines, newDue(d))
		}
		return lines
	})
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

// say tells people something that is no line of JSON.
func (s *Session) say(words string) error {
	return s.write(func() []string { return []string{words} }, func() []any { return nil })
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
