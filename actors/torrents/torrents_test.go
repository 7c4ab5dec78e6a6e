package torrents

import (
	"errors"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// scene is a supervisor whose torrents only pass on what they are told.
type scene struct {
	*stage.Stage
	session, torrent *stage.Probe
	t                *testing.T
	runs             uint64
}

func newScene(t *testing.T) *scene {
	s := &scene{Stage: stage.New(t), t: t}
	s.session, s.torrent = s.StartProbe("session"), s.StartProbe("torrent")
	config := Config{
		Refs:    messages.Refs{Session: s.session.PID},
		Torrent: func(*messages.StartTorrent) *actor.Props { return s.Relay("torrent", s.torrent) },
	}
	s.Perform(func() actor.Actor { return New(config) })
	if m := stage.Next[*messages.TorrentsListed](s.session); len(m.Torrents) > 0 {
		t.Fatalf("begins with %+v", m)
	}
	return s
}

func (s *scene) order(length int) *messages.StartTorrent {
	torrent, _ := stage.Torrent(s.t, length, 16<<10)
	s.runs++
	return &messages.StartTorrent{Add: &messages.AddTorrent{Run: s.runs, InfoHash: torrent.InfoHash, Name: torrent.Name, Torrent: torrent}}
}

// names are those of the torrents that run.
func (s *scene) names() (names []string) {
	s.Settle()
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "torrent" {
			names = append(names, n.Path[len(n.Parent)+1:])
		}
	}
	return names
}

func (s *scene) listed() []messages.ListedTorrent {
	s.Tell(&messages.QueryTorrents{})
	return stage.Next[*messages.TorrentsListed](s.session).Torrents
}

func TestARunFromItsStartToItsOutcome(t *testing.T) {
	s := newScene(t)
	order := s.order(1000)
	hash := order.Add.InfoHash
	s.Tell(order)
	s.Tell(order) // by a session that was not sure
	if names := s.names(); !slices.Equal(names, []string{"torrent-" + hash.String()[:8]}) {
		t.Errorf("%v run", names)
	}
	l := s.listed()
	if len(l) != 1 || l[0].Run != 1 || l[0].InfoHash != hash || l[0].Torrent == nil || l[0].Outcome != nil {
		t.Fatalf("listed is %+v", l)
	}

	done := &messages.TorrentDone{InfoHash: hash, Complete: true}
	s.Tell(done)
	s.Tell(&messages.TorrentFailed{InfoHash: hash}) // it has had its last word
	if m := stage.Next[*messages.TorrentEnded](s.session); m.Run != 1 || m.Outcome != done {
		t.Errorf("ended is %+v", m)
	}
	s.stop(&l[0])
	for range 2 { // it is remembered until a message changes it
		if l := s.listed(); len(l) != 1 || l[0].Outcome != done {
			t.Errorf("listed is %+v", l)
		}
	}
	s.Tell(order)
	if names := s.names(); len(names) > 0 {
		t.Errorf("a run begins that has ended: %v", names)
	}
	s.Tell(&messages.ForgetTorrent{Run: 1, InfoHash: hash})
	if l := s.listed(); len(l) > 0 {
		t.Errorf("listed is %+v", l)
	}
	s.Quiet(s.session)
}

// stop stops a torrent, if it still runs, and waits until the supervisor knows.
// Whoever else waits for a torrent's end hears of it before its parent does.
func (s *scene) stop(torrent *messages.ListedTorrent) {
	s.t.Helper()
	stopped := make(chan struct{})
	s.Tell(&messages.QueryStopped{InfoHash: torrent.InfoHash, Reply: func(struct{}) { close(stopped) }})
	if err := s.Tree.System.Root.StopFuture(torrent.Torrent).Wait(); err != nil {
		s.t.Fatal(err)
	}
	<-stopped
}

func TestATorrentThatSupervisionGivesUp(t *testing.T) {
	s := newScene(t)
	order := s.order(1000)
	s.Tell(order)
	s.Settle()
	s.stop(&s.listed()[0])
	failed := stage.Next[*messages.TorrentEnded](s.session).Outcome.(*messages.TorrentFailed)
	if !errors.Is(failed.Err, messages.ErrGivenUp) || failed.InfoHash != order.Add.InfoHash {
		t.Errorf("failed with %v", failed.Err)
	}
}

// A torrent that is added again begins when the actor of its earlier run, which
// has the same name, is gone.
func TestTheNextRunOfATorrent(t *testing.T) {
	torrent, _ := stage.Torrent(t, 1000, 16<<10)
	pid := actor.NewPID("local", "torrents/torrent-"+torrent.InfoHash.String()[:8])
	order := func(run uint64) *messages.StartTorrent {
		return &messages.StartTorrent{Add: &messages.AddTorrent{Run: run, InfoHash: torrent.InfoHash, Torrent: torrent}}
	}
	r := newRuns(nil)
	r.start(order(1))
	if e := r.take(); len(e.spawn) != 1 {
		t.Fatalf("%+v", e)
	}
	r.spawned(torrent.InfoHash, pid)
	r.end(torrent.InfoHash, &messages.TorrentDone{})
	r.forget(&messages.ForgetTorrent{Run: 1, InfoHash: torrent.InfoHash})
	r.start(order(2))
	if e := r.take(); len(e.spawn) > 0 || len(e.stop) == 0 || e.stop[0] != pid {
		t.Fatalf("%+v", e)
	}
	r.gone(pid.Id)
	if e := r.take(); len(e.spawn) != 1 || e.spawn[0].order.Add.Run != 2 {
		t.Fatalf("%+v", e)
	}
	r.forget(&messages.ForgetTorrent{Run: 1, InfoHash: torrent.InfoHash})
	r.spawned(torrent.InfoHash, pid)
	if e := r.take(); len(e.stop) > 0 || r.all[torrent.InfoHash].add.Run != 2 {
		t.Errorf("%+v", e)
	}
}

func TestWhoAsksHearsThatATorrentHasStopped(t *testing.T) {
	s := newScene(t)
	order := s.order(1000)
	stopped := make(chan struct{}, 2)
	ask := func() {
		s.Tell(&messages.QueryStopped{InfoHash: order.Add.InfoHash, Reply: func(struct{}) { stopped <- struct{}{} }})
	}
	ask()
	<-stopped // there is none
	s.Tell(order)
	ask()
	s.Settle()
	if len(stopped) > 0 {
		t.Error("it runs")
	}
	s.Tell(&messages.TorrentDone{InfoHash: order.Add.InfoHash})
	<-stopped
	ask()
	<-stopped
}

func TestTwoTorrentsWhoseHashesBeginAlike(t *testing.T) {
	s := newScene(t)
	first, second := s.order(1000), s.order(2000)
	copy(second.Add.InfoHash[:4], first.Add.InfoHash[:4])
	s.Tell(first)
	s.Tell(second)
	want := []string{"torrent-" + first.Add.InfoHash.String()[:8], "torrent-" + second.Add.InfoHash.String()}
	if names := s.names(); !slices.Equal(names, want) {
		t.Errorf("%v run, want %v", names, want)
	}
}

func TestATorrentThatNobodyWantsIsStopped(t *testing.T) {
	s := newScene(t)
	order := s.order(1000)
	s.Tell(order)
	torrent := s.listed()[0]
	s.Tell(&messages.ForgetTorrent{Run: 1, InfoHash: order.Add.InfoHash})
	s.Settle()
	s.stop(&torrent)
	if l := s.listed(); len(l) > 0 {
		t.Errorf("listed is %+v", l)
	}
	s.Quiet(s.session)
}

func TestNothingIsSaidToHaveFailedWhenAllStops(t *testing.T) {
	s := newScene(t)
	s.Tell(s.order(1000))
	s.Settle()
	if err := s.Tree.System.Root.StopFuture(s.Actor).Wait(); err != nil {
		t.Fatal(err)
	}
	s.Tree.System.Root.Send(s.session.PID, &messages.QueryTorrents{})
	stage.Next[*messages.QueryTorrents](s.session) // and nothing before
}
