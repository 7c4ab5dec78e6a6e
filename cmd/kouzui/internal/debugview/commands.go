package debugview

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
)

// command is a word with which lines begin.
type command struct {
	name, short string
	args        string // as the help shows them
	least, most int    // how many arguments
	moves       bool   // it lets the run go on, or goes back
	about       string
	do          func(*Session, []string) error
}

func (c *command) usage() string { return strings.TrimSpace(c.name + " " + c.args) }

// commands are in the order of the help. They are set below, because some of
// them list all.
var commands []command

func init() {
	commands = []command{
		{"step", "s", "[N]", 0, 1, true, "go on to the next message, or the Nth", (*Session).step},
		{"next", "n", "ACTOR [MESSAGE]", 1, 2, true, "go on until an actor is to handle a message", (*Session).next},
		{"run", "r", "[TIME]", 0, 1, true, "go to a time, as 12.3s or +50ms, or to the end", (*Session).run},
		{"until", "u", "WHAT [ACTOR]", 1, 2, true, "go on to a failure, a restart, a wrong check, ...", (*Session).until},
		{"watch", "w", "ACTOR [FIELD]", 1, 2, true, "go on until what an actor holds has changed", (*Session).watch},
		{"back", "b", "[N] | next ... | until ... | watch ...", 0, 3, true, "go back N messages, or to the last such moment", (*Session).back},
		{"goto", "g", "N | #SEQ", 1, 1, true, "go to message N, or to event SEQ of the trace", (*Session).goTo},
		{"where", "", "", 0, 0, false, "say where the run has paused", (*Session).where},
		{"nodes", "", "[NODE]", 0, 1, false, "list the nodes", (*Session).nodes},
		{"tree", "t", "[ACTOR]", 0, 1, false, "draw the supervision trees, or a part", (*Session).tree},
		{"mailbox", "m", "[ACTOR [N]]", 0, 2, false, "list the messages that wait, or show the Nth", (*Session).mailbox},
		{"message", "", "[FIELD]", 0, 1, false, "show the message that is to be handled next", (*Session).message},
		{"show", "p", "ACTOR [FIELD]", 1, 2, false, "show what an actor holds, or a field of it", (*Session).show},
		{"links", "l", "NODE", 1, 1, false, "list the connections of a node", (*Session).links},
		{"pending", "", "[NODE] [N]", 0, 2, false, "list what is due next: timers, arrivals, disks", (*Session).pending},
		{"events", "e", "[ACTOR] [N]", 0, 2, false, "list the last events of the trace", (*Session).events},
		{"why", "", "[SEQ]", 0, 1, false, "show what led to the message, or to an event", (*Session).why},
		{"help", "h", "", 0, 1, false, "list the commands", (*Session).help},
		{"quit", "q", "", 0, 0, false, "end", (*Session).quit},
	}
}

// find finds a command by its name, its short name, or the beginning of its
// name if no other begins so.
func find(word string) (*command, error) {
	var found []*command
	for i := range commands {
		c := &commands[i]
		if c.name == word || c.short == word {
			return c, nil
		}
		if strings.HasPrefix(c.name, word) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, exit.Usagef("", "there is no command %q; help lists the commands", word)
	}
	var names []string
	for _, c := range found {
		names = append(names, c.name)
	}
	return nil, exit.Usagef("", "%q may be %s", word, strings.Join(names, " or "))
}

// number is the first argument, or preset if there is none.
func number(args []string, preset uint64) (uint64, error) {
	if len(args) == 0 {
		return preset, nil
	}
	n, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil || n == 0 {
		return 0, exit.Usagef("", "%q must be a number from 1 on", args[0])
	}
	return n, nil
}

// counts tells whether an argument is meant to be a number.
func counts(arg string) bool { return arg[0] >= '0' && arg[0] <= '9' }

func (s *Session) step(args []string) error {
	n, err := number(args, 1)
	if err != nil {
		return err
	}
	return s.Debugger.Step(n)
}

// way makes what decides where to stop. It is called when the way begins.
type way func() debug.Stop

func (s *Session) next(args []string) error { return s.onwards(s.toNext, args) }

func (s *Session) toNext(args []string) (way, error) {
	message := ""
	if len(args) > 1 {
		message = args[1]
	}
	return func() debug.Stop { return debug.Handles(debug.Actor(args[0]), message) }, nil
}

func (s *Session) onwards(read func([]string) (way, error), args []string) error {
	w, err := read(args)
	if err != nil {
		return err
	}
	return s.Debugger.Next(w())
}

func (s *Session) run(args []string) error {
	if len(args) == 0 {
		err := s.Debugger.Next(func(*debug.Debugger) bool { return false })
		if s.Debugger.Ended() && s.Debugger.Result() != nil {
			return nil
		}
		return err
	}
	text, further := strings.CutPrefix(args[0], "+")
	at, err := units.ParseDuration(text)
	if err != nil || at < 0 {
		return exit.Usagef("", "%q must be a time since the start, such as 12.3s, or from now on, such as +50ms", args[0])
	}
	if further {
		at += s.Debugger.Position().Elapsed
	}
	return s.Debugger.GoTo(debug.AtTime(at))
}

// What until understands beside the kinds of events.
const (
	failure = "failure"
	restart = "restart"
	wrong   = "wrong"
)

// kinds are the kinds of events for which until waits.
var kinds = []event.Kind{
	event.Spawned, event.Started, event.Failed, event.Directive, event.Restarting, event.Restarted, event.Escalated,
	event.Stopping, event.Stopped, event.DeadLetter, event.Fault, event.Note,
}

// Whats is all for which until waits.
func Whats() []string {
	names := []string{failure, restart, wrong}
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return names
}

func (s *Session) until(args []string) error { return s.onwards(s.toUntil, args) }

func (s *Session) toUntil(args []string) (way, error) {
	actor := debug.Actor("*")
	if len(args) > 1 {
		actor = debug.Actor(args[1])
	}
	var fits func(*event.Event) bool
	switch kind := event.Kind(args[0]); {
	case args[0] == wrong && len(args) == 1:
		return s.Debugger.Wrong, nil
	case args[0] == failure:
		fits = debug.IsFailure
	case args[0] == restart:
		fits = func(e *event.Event) bool { return e.Kind == event.Restarted }
	case slices.Contains(kinds, kind):
		fits = func(e *event.Event) bool { return e.Kind == kind }
	default:
		return nil, exit.Usagef("", "%q is nothing that until knows; there are %s", args[0], strings.Join(Whats(), ", "))
	}
	s.matched = func(e *event.Event) bool { return fits(e) && actor.Match(e.Actor) }
	return func() debug.Stop { return s.Debugger.Records(s.matched) }, nil
}

func (s *Session) watch(args []string) error { return s.onwards(s.toWatch, args) }

func (s *Session) toWatch(args []string) (way, error) {
	path := args[0]
	n, err := s.Debugger.Actor(debug.Actor(path))
	if err != nil && strings.Count(path, "/") < 2 {
		return nil, err // the whole path may be of an actor that does not run now
	} else if err == nil {
		path = n.Path
	}
	field := ""
	if len(args) > 1 {
		field = args[1]
	}
	if err == nil {
		if _, err := s.Debugger.Look(path, field); err != nil {
			return nil, err
		}
	}
	return func() debug.Stop { return s.Debugger.Changes(path, field) }, nil
}

func (s *Session) back(args []string) error {
	ways := map[string]func([]string) (way, error){"next": s.toNext, "until": s.toUntil, "watch": s.toWatch}
	if len(args) == 0 || counts(args[0]) {
		n, err := number(args, 1)
		if err != nil {
			return err
		}
		return s.Debugger.Back(n)
	}
	c, err := find(args[0])
	if err != nil || ways[c.name] == nil || len(args)-1 < c.least || len(args)-1 > c.most {
		return exit.Usagef("", "back: it takes a number of messages, or next, until or watch with what they take")
	}
	w, err := ways[c.name](args[1:])
	if err != nil {
		return err
	}
	return s.Debugger.Last(w)
}

func (s *Session) goTo(args []string) error {
	text, event := strings.CutPrefix(args[0], "#")
	n, err := number([]string{text}, 0)
	switch {
	case err != nil:
		return err
	case event:
		return s.Debugger.GoTo(debug.AtEvent(n))
	}
	return s.Debugger.GoTo(debug.AtMessage(n))
}

func (s *Session) quit([]string) error {
	s.over = true
	return nil
}

func (s *Session) help(args []string) error {
	of := commands
	if len(args) > 0 {
		c, err := find(args[0])
		if err != nil {
			return err
		}
		of = []command{*c}
	}
	lines := []string{}
	for _, c := range of {
		name := fmt.Sprintf("%-2s%s", c.short, c.usage())
		if len(name) > helpColumn-2 {
			lines, name = append(lines, name), ""
		}
		lines = append(lines, fmt.Sprintf("%-*s%s", helpColumn, name, c.about))
	}
	if len(args) == 0 {
		lines = append(lines, "",
			"ACTOR is NODE/NAME, such as leech-002/scheduler, NODE for all of a node, or",
			"NODE/. for its root; * stands for any text. FIELD is a path in what an actor",
			"holds, such as swarm.goal or peers[3].rate. An empty line moves on as before.",
			"On a terminal, an interrupt lets a run pause, and a tab completes a name.")
	}
	return s.write(func() []string { return lines }, func() []any { return nil })
}

// helpColumn is where the help says what a command does.
const helpColumn = 26
