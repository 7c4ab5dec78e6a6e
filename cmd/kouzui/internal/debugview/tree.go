package debugview

import (
	"bytes"
	"strings"

	"kouzui/actors/lab"
	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/traceview"
	"kouzui/wire/metainfo"
)

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
