package debugview

import (
	"fmt"
	"strings"

	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/units"
	"kouzui/actors/world/sim"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

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
