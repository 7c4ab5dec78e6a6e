package lab

import (
	"slices"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
)

// A swarm whose tracker is asked over UDP is complete, though a part of the
// datagrams is lost or comes twice, and though the tracker dies and comes back
// without a memory: who comes meanwhile finds nobody before. The same seed is
// the same run.
func TestASwarmWithATrackerOverUDP(t *testing.T) {
	s := scenarioFile(t, "tracker-udp.toml", nil)
	play := func() *Result { return played(t, s.Clone(), Options{Seed: 1}) }
	r, dead := play(), s.Event[0]
	from, until := time.Duration(dead.At), time.Duration(dead.At+dead.For)
	for _, n := range r.OfClass("peer") {
		if n.Arrived > from && n.Arrived < until && n.Arrived+n.Took < until {
			t.Errorf("%s came at %v and took %v while the tracker was dead", n.Name, n.Arrived, n.Took)
		}
	}
	if done := len(r.Times()); done != 20 {
		t.Errorf("%d of 20 are complete", done)
	}
	if again := play(); again.Sum != r.Sum {
		t.Error("two runs of one seed differ")
	}
}

// notes counts what actors of a kind note.
type notes struct {
	kind   string
	counts map[string]int
}

// Record implements event.Sink.
func (n notes) Record(e *event.Event) {
	if e.Kind == event.Note && e.ActorKind == n.kind {
		n.counts[e.Note]++
	}
}

// Of the announces over UDP, nearly all are answered though a third of their
// exchanges is lost, as packets are sent again: both exchanges of an announce
// would come through at once in two of five.
func TestLostDatagramsOfAnnouncesAreSentAgain(t *testing.T) {
	s := scenarioFile(t, "tracker-udp.toml", Settings{"event": []any{}})
	i := slices.IndexFunc(s.Class, func(c Class) bool { return c.Name == "peer" })
	if s.Class[i].Loss != 0.2 {
		t.Fatal("the scenario loses other parts than this test counts on")
	}
	told := notes{"tracker", map[string]int{}}
	played(t, s, Options{Seed: 1, Notes: true, Trace: []event.Sink{told}})
	announces, replies := told.counts["announce"], told.counts["announce_replied"]
	t.Logf("%d announces, %d replies", announces, replies)
	if announces < 40 || replies < announces*3/4 {
		t.Errorf("of %d announces, %d were answered", announces, replies)
	}
}

// A socket that dies with what it was to send is bound again, and the tracker's
// timer sends the same packet through the new one: no announce fails for it.
func TestASocketMayDieAmidAnAnnounce(t *testing.T) {
	s := scenarioFile(t, "tracker-udp.toml", Settings{
		"event": []any{}, "class.loss": 0.0, "class.double": 0.0,
		"class.peer.faults": []any{"panic,actor=*/socket-4,message=SendDatagrams,every=2,count=1"},
	})
	told, died := notes{"tracker", map[string]int{}}, deaths{}
	played(t, s, Options{Seed: 1, Notes: true, Trace: []event.Sink{told, died}})
	if failed, replies := told.counts["announce_failed"], told.counts["announce_replied"]; died["socket"] != 20 || failed > 0 || replies < 20 {
		t.Errorf("%d sockets died; %d announces were answered, and %d failed", died["socket"], replies, failed)
	}
}

// deaths counts the actors that have failed, by their kinds.
type deaths map[string]int

// Record implements event.Sink.
func (d deaths) Record(e *event.Event) {
	if e.Kind == event.Failed {
		d[e.ActorKind]++
	}
}
