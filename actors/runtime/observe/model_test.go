package observe

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/work"
	"kouzui/actors/world/real"
	"kouzui/messages"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// story numbers events as a tree does.
func story(events ...event.Event) []*event.Event {
	list := make([]*event.Event, len(events))
	for i, e := range events {
		e.Seq = uint64(i + 1)
		e.Time = epoch.Add(time.Duration(i) * time.Millisecond)
		list[i] = &e
	}
	return list
}

func spawned(path, kind string) event.Event {
	return event.Event{Kind: event.Spawned, Actor: path, ActorKind: kind}
}

func TestAPageIsToldWhatIsNewToIt(t *testing.T) {
	m := newModel(epoch)
	m.apply(story(spawned("a", "x"), spawned("b", "x")))
	f, more := m.frame(0, epoch)
	if !f.Full || len(f.Actors) != 2 || f.Actors[0].Path != "a" {
		t.Fatalf("at first: %+v", f)
	}
	select {
	case <-more:
		t.Fatal("more, though nothing has changed")
	default:
	}
	m.sample([]supervise.Node{{Path: "b", MailboxDepth: 7}, {Path: "unknown", MailboxDepth: 1}})
	<-more
	f, _ = m.frame(f.version, epoch)
	if f.Full || len(f.Actors) != 1 || f.Actors[0].Path != "b" || f.Actors[0].Depth != 7 {
		t.Errorf("after a sample: %+v", f)
	}
	m.apply([]*event.Event{{Seq: 3, Kind: event.Stopped, Actor: "a"}})
	f, _ = m.frame(f.version, epoch)
	if f.Full || len(f.Actors) != 0 || len(f.Gone) != 1 || f.Gone[0] != "a" {
		t.Errorf("after an end: %+v", f)
	}
}

func TestAPageThatIsFarBehindBeginsAnew(t *testing.T) {
	m := newModel(epoch)
	m.apply(story(spawned("stays", "x")))
	f, _ := m.frame(0, epoch)
	seq := uint64(1)
	for i := range maxGone + 1 {
		path := fmt.Sprint("peer-", i)
		gone := event.Event{Kind: event.Stopped, Actor: path, Seq: seq + 2}
		born := spawned(path, "peer")
		born.Seq = seq + 1
		seq += 2
		if m.apply([]*event.Event{&born, &gone}) {
			t.Fatal("no event is missing")
		}
	}
	if f, _ = m.frame(f.version, epoch); !f.Full || len(f.Actors) != 1 || len(f.Gone) != 0 {
		t.Errorf("full %v, %d actors, %d gone", f.Full, len(f.Actors), len(f.Gone))
	}
}

func TestMissedEventsAreCountedAndMadeGood(t *testing.T) {
	m := newModel(epoch)
	m.apply(story(spawned("a", "x"), spawned("b", "x")))
	f, _ := m.frame(0, epoch)
	if !m.apply([]*event.Event{{Seq: 6, Kind: event.Started, Actor: "c", Incarnation: 1}}) {
		t.Fatal("three events are missing")
	}
	m.resync([]supervise.Node{
		{Path: "b", Kind: "x", State: supervise.StateRunning, Incarnation: 3, Restarts: 2},
		{Path: "c", Kind: "y", State: supervise.StateRunning, Incarnation: 1},
	})
	f, _ = m.frame(f.version, epoch)
	if f.Lost != 3 || len(f.Gone) != 1 || f.Gone[0] != "a" || len(f.Actors) != 2 {
		t.Fatalf("%+v", f)
	}
	if b, c := f.Actors[0], f.Actors[1]; b.Restarts != 2 || c.Kind != "y" {
		t.Errorf("%+v, %+v", b, c)
	}
}

func TestAFailureGrowsIntoItsChain(t *testing.T) {
	m := newModel(epoch)
	events := story(
		spawned("top", "engine"), spawned("top/store", "store"),
		event.Event{Kind: event.Failed, Actor: "top/store", Incarnation: 1, Reason: "out of\nrange", Stack: "write store.go:7\nReceive store.go:1\n"},
		event.Event{Kind: event.Directive, Actor: "top/store", Cause: 3, Action: event.ActionEscalate},
		event.Event{Kind: event.Escalated, Actor: "top", Incarnation: 1, Cause: 4, Reason: "out of range"},
		event.Event{Kind: event.Directive, Actor: "top", Cause: 5, Action: event.ActionRestart, Attempt: 1, BudgetLeft: 2, Delay: time.Second},
		event.Event{Kind: event.Restarting, Actor: "top", Cause: 6},
		event.Event{Kind: event.Stopped, Actor: "top/store", Cause: 7, Lost: 4},
		event.Event{Kind: event.Restarted, Actor: "top", Incarnation: 2, Cause: 7, Down: 2 * time.Second, Kept: 3},
	)
	m.apply(events)
	f, _ := m.frame(0, epoch)
	if len(f.Failures) != 2 {
		t.Fatalf("%d failures", len(f.Failures))
	}
	store, engine := f.Failures[0], f.Failures[1]
	if store.Reason != "out of" || store.Where != "write store.go:7" || store.Action != event.ActionEscalate || store.Outcome != event.Stopped || store.Lost != 4 {
		t.Errorf("store: %+v", store)
	}
	if engine.Because != "top/store" || engine.DelayMS != 1000 || engine.BudgetLeft != 2 || engine.Outcome != event.Restarted || engine.DownMS != 2000 || engine.Kept != 3 {
		t.Errorf("engine: %+v", engine)
	}
	if c := m.census(); f.Restarts != 1 || c.restarts["engine"] != 1 || c.failed["store"] != 1 {
		t.Errorf("%d restarts, %v, %v", f.Restarts, c.restarts, c.failed)
	}
	if d := m.details("top/store"); d.Actor != nil || len(d.Failures) != 1 || d.Failures[0].Stack != events[2].Stack {
		t.Errorf("details: %+v", d)
	}
	if d := m.details("top"); d.Actor.RestartedAt != events[8].Time.UnixMilli() || d.Actor.Incarnation != 2 {
		t.Errorf("details: %+v", d.Actor)
	}
}

func TestFailuresAreForgottenInTheEnd(t *testing.T) {
	m := newModel(epoch)
	m.apply(story(spawned("a", "x")))
	for i := range maxFailures + 5 {
		m.apply([]*event.Event{{Seq: uint64(i + 2), Kind: event.Failed, Actor: "a"}})
	}
	f, _ := m.frame(0, epoch)
	if n := len(f.Failures); n != maxFailures || f.Failures[0].Seq != 7 {
		t.Errorf("%d failures from %d on", n, f.Failures[0].Seq)
	}
}

func TestRatesAreKeptOnceASecond(t *testing.T) {
	m := newModel(epoch)
	for i := range 2 * maxRates {
		// Changes of state send a Progress before the second is over.
		at := epoch.Add(time.Duration(i) * time.Second)
		m.progress(&messages.Progress{Name: "album", At: at, DownNow: float64(i), State: messages.StateDownloading}, "")
		m.progress(&messages.Progress{Name: "album", At: at.Add(time.Millisecond), State: messages.StateSeeding}, "")
	}
	f, _ := m.frame(0, epoch)
	r := f.Torrents[0]
	if len(r.Down) != maxRates || r.Down[0] != maxRates || r.Down[maxRates-1] != 2*maxRates-1 || r.State != "seeding" {
		t.Errorf("%s, %d rates: %v", r.State, len(r.Down), r.Down)
	}
}

// worked is a span in which an actor handled messages of so many types.
func worked(types int) *work.Span {
	s := &work.Span{}
	w := &event.Work{Span: time.Second, Cores: 2, Handled: uint64(types), Actors: 1, Busy: time.Second / 4, Busiest: time.Second / 4}
	for i := range types {
		w.Flows = append(w.Flows, event.Flow{From: "peer", Message: fmt.Sprint("M", i), Count: 1})
	}
	s.Add("store", w)
	return s
}

func TestAPageIsToldWhatActorsDo(t *testing.T) {
	m := newModel(epoch)
	for range spansShown + 5 {
		m.worked(worked(1))
	}
	f, _ := m.frame(0, epoch)
	if f.Work == nil || f.Work.Seconds != spansShown || f.Work.Cores != 2 || len(f.Work.Kinds) != 1 || f.Work.Kinds[0].Handled != spansShown || f.Work.Kinds[0].Busy != 0.25 {
		t.Errorf("%+v", f.Work)
	}
	if f, _ = m.frame(f.version, epoch); f.Work != nil {
		t.Errorf("once more: %+v", f.Work)
	}
	m.worked(worked(maxFlows + 7))
	if f, _ = m.frame(f.version, epoch); f.Work == nil || len(f.Work.Flows) != maxFlows || f.Work.LeftOut != 7 {
		t.Errorf("of many flows: %+v", f.Work)
	}
}

// Messages are measured for as long as a page is open.
func TestOnlyWhoLooksPays(t *testing.T) {
	s := &Server{model: newModel(epoch), viewers: make(chan struct{}, 1)}
	s.tree = supervise.New(supervise.Config{System: supervise.NewSystem(zerolog.Nop()), Clock: real.Clock{}, Measurable: true})
	defer func() {
		if err := s.tree.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if look := s.measure(nil); look != nil {
		t.Error("nobody looks, and it is measured")
	}
	s.viewers <- struct{}{}
	look := s.measure(nil)
	if look == nil || s.measure(look) != look || s.model.doing == nil {
		t.Fatalf("a page is open: %v, %+v", look, s.model.doing)
	}
	<-s.viewers
	if look = s.measure(look); look != nil || s.model.doing != nil {
		t.Errorf("the page is closed: %v, %+v", look, s.model.doing)
	}
}
