package lab

import (
	"strings"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/world/sim"
)

// log keeps the events of a run.
type log struct{ events []*event.Event }

func (l *log) Record(e *event.Event) { l.events = append(l.events, e) }

// path leads from an event back to its first cause, which comes last.
func (l *log) path(seq uint64) (path []*event.Event) {
	for seq > 0 {
		e := l.events[seq-1]
		path = append(path, e)
		seq = e.From()
	}
	return path
}

func nodeOf(e *event.Event) string {
	name, _, _ := strings.Cut(e.Actor, "/")
	return name
}

// Causes lead from node to node: to the kill of a process, from what the others
// and the next process do about that, and from the pieces that a node verifies
// to another node. Following them does not change the run.
func TestCausesCrossTheSwarm(t *testing.T) {
	for name, more := range map[string]string{
		"simulated mailboxes": "",
		"two lanes":           "cores = 2\npatterns = { mailbox = \"priority\" }\n",
		"one thread":          "cores = 2\npatterns = { dispatcher = \"single\" }\n",
		"processors":          "cores = 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(strings.Replace(crowd, "count = 5\n", "count = 5\n"+more, 1))
			if err != nil {
				t.Fatal(err)
			}
			plain := sim.NewJournal(true)
			if _, err := Run(s, Options{Seed: 1, Journal: plain, Notes: true}); err != nil {
				t.Fatal(err)
			}
			l, again := &log{}, plain.Against()
			r, err := Run(s, Options{Seed: 1, Journal: again, Notes: true, Trace: []event.Sink{l}})
			if err != nil {
				t.Fatal(err)
			}
			if plain.Sum() != again.Sum() {
				t.Fatalf("following causes changes the run: %s", again.Parted())
			}
			lost, revived, verified, recovered := 0, 0, 0, 0
			for _, e := range l.events {
				if e.Origin >= e.Seq {
					t.Fatalf("event %d stems from event %d", e.Seq, e.Origin)
				}
				path := l.path(e.Seq)
				if len(path) < 2 {
					continue
				}
				before := path[1]
				killed := before.Kind == event.Fault && before.Reason == "kill"
				switch {
				case killed && e.Kind == event.Stopping && nodeOf(e) != nodeOf(before):
					lost++
				case killed && e.Kind == event.Spawned && e.Parent == "" && e.Actor == before.Actor:
					revived++
				case killed && e.Note == event.NoteRecovered:
					recovered++
					if e.Down != e.Time.Sub(before.Time) || e.Down < 5*time.Second {
						t.Errorf("the node recovered at %v, %v after %v", e.Time, e.Down, before.Time)
					}
				case e.Note == "piece_verified":
					for _, earlier := range path {
						if nodeOf(earlier) != nodeOf(e) {
							verified++
							break
						}
					}
				}
			}
			if lost == 0 || revived != 1 || verified == 0 || recovered != 1 {
				t.Errorf("%d lost connections, %d processes and %d recoveries stem from the kill, and %d verified pieces from other nodes",
					lost, revived, recovered, verified)
			}
			sum := r.Total()
			if mean, most := sum.Repair(); sum.Crashes != 1 || len(sum.Repairs) != 1 || mean != most || mean < 5*time.Second {
				t.Errorf("%d crashes, repairs after %v", sum.Crashes, sum.Repairs)
			}
		})
	}
}
