package debugview

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/units"
	"kouzui/actors/world/sim"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

func (s *Session) nodes(args []string) error {
	all := s.Debugger.Participants()
	if len(args) > 0 {
		p, err := s.participant(args[0])
		if err != nil {
			return err
		}
		all = []lab.Participant{p}
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

// participant is the node or foe of a name.
func (s *Session) participant(name string) (lab.Participant, error) {
	all := s.Debugger.Participants()
	i := slices.IndexFunc(all, func(p lab.Participant) bool { return p.Name == name })
	if i < 0 {
		return lab.Participant{}, exit.Usagef("", "there is no node %q; nodes lists them", metainfo.Clean(name, mostWords))
	}
	return all[i], nil
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
