package session

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

var listenAddr = netip.MustParseAddrPort("127.0.0.1:6881")

// scene is a session with probes around it, and a keeper that remembers what
// the test says. One probe stands for all torrents.
type scene struct {
	*stage.Stage
	limiter, listener, socket, torrents, torrent *stage.Probe

	t      *testing.T
	keeper keeper
	runs   uint64
}

type keeper struct {
	known  Recollection
	events chan any
	ends   chan end
}

type end struct {
	run     uint64
	outcome any
}

func (k *keeper) Recall() Recollection        { return k.known }
func (k *keeper) Notify(event any)            { k.events <- event }
func (k *keeper) End(run uint64, outcome any) { k.ends <- end{run, outcome} }

// newScene begins with torrents that has none. A listener has not said
// anything.
func newScene(t *testing.T, listens bool) *scene {
	s := &scene{Stage: stage.New(t), t: t, keeper: keeper{events: make(chan any, 100), ends: make(chan end, 100)}}
	s.keeper.known.Limits = messages.SetLimits{Down: 7}
	s.limiter, s.listener, s.socket, s.torrents, s.torrent = s.StartProbe("limiter"), s.StartProbe("listener"), s.StartProbe("socket"), s.StartProbe("torrents"), s.StartProbe("torrent")
	config := Config{
		Refs:   messages.Refs{Limiter: s.limiter.PID, Torrents: s.torrents.PID, Sockets: [2]*actor.PID{s.socket.PID}},
		Host:   listenAddr.Addr().String(),
		Memory: 30 << 20, Keeper: &s.keeper,
		Restarts: func(string) int { return 3 },
	}
	if listens {
		config.Refs.Listener = s.listener.PID
	}
	s.Perform(func() actor.Actor { return New(config) })
	s.Tell(&messages.TorrentsListed{})
	s.Settle() // the session has recalled what is known before a test changes it
	return s
}

// order is an AddTorrent of the next run.
func (s *scene) order(length int) *messages.AddTorrent {
	torrent, _ := stage.Torrent(s.t, length, 16<<10)
	s.runs++
	return &messages.AddTorrent{Run: s.runs, InfoHash: torrent.InfoHash, Name: torrent.Name, Torrent: torrent}
}

// add adds a torrent that starts at once.
func (s *scene) add(length int) metainfo.Hash { return s.addAs(length, s.torrent) }

func (s *scene) addAs(length int, torrent *stage.Probe) metainfo.Hash {
	m := s.order(length)
	s.Tell(m)
	stage.Await[*messages.StartTorrent](s.torrents)
	s.Tell(&messages.TorrentStarted{InfoHash: m.Torrent.InfoHash, Torrent: torrent.PID})
	s.Settle()
	return m.Torrent.InfoHash
}

func event[T any](s *scene) T {
	s.t.Helper()
	m, is := (<-s.keeper.events).(T)
	if !is {
		s.t.Fatalf("got %T", m)
	}
	return m
}

func (s *scene) noEvents() {
	s.t.Helper()
	s.Settle()
	select {
	case m := <-s.keeper.events:
		s.t.Errorf("the user is told %T %+v", m, m)
	case m := <-s.keeper.ends:
		s.t.Errorf("run %d ends with %+v", m.run, m.outcome)
	default:
	}
}

func TestTorrentsWaitForTheListenersFirstWord(t *testing.T) {
	for name, word := range map[string]any{
		"it listens": &messages.ListenerReady{Addr: listenAddr},
		"it cannot":  &messages.ListenerFailed{Err: errors.New("taken")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, true)
			m := s.order(1000)
			s.Tell(m)
			s.Quiet(s.torrents)
			s.Tell(word)
			<-s.keeper.events
			start := stage.Next[*messages.StartTorrent](s.torrents)
			if ready, is := word.(*messages.ListenerReady); is && start.Share.Port != ready.Addr.Port() || !is && start.Share.Port != 0 {
				t.Errorf("it is told port %d", start.Share.Port)
			}
			if start.Add != m || start.Share.Limits.Down != 7 || start.Share.Memory != 30<<20 {
				t.Errorf("it is given %+v", start)
			}
			s.Tell(&messages.TorrentStarted{InfoHash: m.Torrent.InfoHash, Torrent: s.torrent.PID})
			if route := stage.Next[*messages.RouteTorrent](s.listener); route.InfoHash != m.Torrent.InfoHash || !route.Torrent.Equal(s.torrent.PID) {
				t.Errorf("the listener is told %+v", route)
			}
		})
	}
}

// Connections for a torrent that is about to start are not refused meanwhile.
func TestARestartedListenerIsToldItsRoutes(t *testing.T) {
	s := newScene(t, true)
	m := s.order(1000)
	s.Tell(m)
	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	stage.Next[*messages.StartTorrent](s.torrents)
	s.Quiet(s.listener)
	s.Tell(&messages.TorrentStarted{InfoHash: m.Torrent.InfoHash, Torrent: s.torrent.PID})
	stage.Next[*messages.RouteTorrent](s.listener)
	stage.Next[*messages.RefuseUnrouted](s.listener)
	s.Tell(&messages.ListenerStarted{})
	if m := stage.Next[*messages.Listen](s.listener); m.Before != listenAddr {
		t.Errorf("it is to listen at %v", m.Before)
	}
	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	if route := stage.Next[*messages.RouteTorrent](s.listener); route.InfoHash != m.Torrent.InfoHash {
		t.Errorf("route of %v", route.InfoHash)
	}
	stage.Next[*messages.RefuseUnrouted](s.listener)
}

func TestARestartedLimiterIsToldTheRates(t *testing.T) {
	s := newScene(t, false)
	s.Tell(&messages.SetLimits{Up: 5})
	stage.Next[*messages.SetLimits](s.limiter)
	s.Tell(&messages.LimiterReady{})
	if m := stage.Next[*messages.SetLimits](s.limiter); m.Up != 5 || m.Down != 0 {
		t.Errorf("it is told %+v", m)
	}
}

func TestMemoryIsSharedEvenly(t *testing.T) {
	s := newScene(t, false)
	first := s.add(1000)
	if m := stage.Await[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("alone it has %d", m.Bytes)
	}
	s.add(2000)
	for range 2 {
		if m := stage.Await[*messages.SetMemory](s.torrent); m.Bytes != 15<<20 {
			t.Errorf("two have %d each", m.Bytes)
		}
	}
	s.Tell(&messages.TorrentEnded{Run: 1, InfoHash: first, Outcome: &messages.TorrentDone{InfoHash: first}})
	if m := stage.Await[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("the one that is left has %d", m.Bytes)
	}
}

// Torrents that are complete leave their part to the others, and many that come
// at once cost one word each.
func TestMemoryIsForThoseThatNeedIt(t *testing.T) {
	s := newScene(t, true)
	var hashes []metainfo.Hash
	for i := range 20 {
		m := s.order(1000 + i)
		s.Tell(m)
		hashes = append(hashes, m.Torrent.InfoHash)
	}
	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	for range hashes {
		if m := stage.Next[*messages.StartTorrent](s.torrents); m.Share.Memory != 30<<20/20 {
			t.Fatalf("one of 20 begins with %d", m.Share.Memory)
		}
	}
	for _, hash := range hashes {
		s.Tell(&messages.TorrentStarted{InfoHash: hash, Torrent: s.torrent.PID})
	}
	for range hashes {
		if m := stage.Await[*messages.SetMemory](s.torrent); m.Bytes != 30<<20/20 {
			t.Fatalf("one of 20 has %d", m.Bytes)
		}
	}
	s.Settle()
	for _, hash := range hashes[1:] {
		s.Tell(&messages.Progress{InfoHash: hash, State: messages.StateSeeding})
		s.Settle()
	}
	words, last := 0, int64(0)
	for ; last < 30<<20; words++ {
		last = stage.Await[*messages.SetMemory](s.torrent).Bytes
	}
	if words > 120 { // and not 19 + 18 + ... + 1
		t.Errorf("they are told %d times what they may have", words)
	}
	s.Quiet(s.torrent)
	s.Tell(&messages.Progress{InfoHash: hashes[0], State: messages.StateStarting}) // it is new, and knows nothing
	if m := stage.Next[*messages.SetMemory](s.torrent); m.Bytes != 30<<20 {
		t.Errorf("after a restart it has %d", m.Bytes)
	}
}

func TestAnOutcomeIsPassedOnAndForgotten(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	for family, known := range []int{7, 2} {
		s.Tell(&messages.DHTReport{Family: family, Known: known})
		event[*messages.DHTReport](s)
	}
	s.Tell(&messages.Progress{InfoHash: hash, Name: "data", Downloaded: 5})
	if p := event[*messages.Progress](s); p.Restarts != 3 || p.DHTNodes != 9 {
		t.Errorf("%d restarts, %d nodes", p.Restarts, p.DHTNodes)
	}
	done := &messages.TorrentDone{InfoHash: hash, Last: messages.Progress{InfoHash: hash, Downloaded: 9}}
	s.Tell(&messages.TorrentEnded{Run: 1, InfoHash: hash, Outcome: done})
	e := <-s.keeper.ends
	if last := e.outcome.(*messages.TorrentDone).Last; e.run != 1 || last.Downloaded != 9 || last.Restarts != 3 {
		t.Errorf("run %d ends with %+v", e.run, last)
	}
	if m := stage.Next[*messages.ForgetTorrent](s.torrents); m.Run != 1 || m.InfoHash != hash {
		t.Errorf("%+v is forgotten", m)
	}
	s.Tell(&messages.Progress{InfoHash: hash}) // that was late
	s.noEvents()
}

func TestOfATorrentThatSupervisionGivesUpTheLastWordIsKept(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.Progress{InfoHash: hash, Name: "data", Downloaded: 5})
	event[*messages.Progress](s)
	s.Tell(&messages.TorrentEnded{Run: 1, InfoHash: hash, Outcome: &messages.TorrentFailed{InfoHash: hash, Err: messages.ErrGivenUp}})
	failed := (<-s.keeper.ends).outcome.(*messages.TorrentFailed)
	if !errors.Is(failed.Err, messages.ErrGivenUp) || failed.Last.Downloaded != 5 || failed.Last.Restarts != 3 {
		t.Errorf("failed with %+v", failed)
	}
}

func TestARestartedTorrentIsToldWhatItCounted(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	stage.Await[*messages.RestoreTotals](s.torrent)
	s.Tell(&messages.Progress{InfoHash: hash, Downloaded: 600, Uploaded: 50, Wasted: 4, Corrupt: 1})
	s.Tell(&messages.TorrentStarted{InfoHash: hash, Torrent: s.torrent.PID})
	if m := stage.Await[*messages.SetLimits](s.torrent); m.Down != 7 {
		t.Errorf("the rates are %+v", m)
	}
	stage.Await[*messages.SetListenPort](s.torrent)
	want := messages.RestoreTotals{Downloaded: 600, Uploaded: 50, Wasted: 4, Corrupt: 1}
	if m := stage.Await[*messages.RestoreTotals](s.torrent); *m != want {
		t.Errorf("it is told %+v", m)
	}
}

// Torrents without a connection have none to give up.
func TestTorrentsMakeRoomInTurn(t *testing.T) {
	s := newScene(t, false)
	var probes []*stage.Probe
	for i, peers := range []int{3, 0, 1} {
		probe := s.StartProbe(fmt.Sprintf("torrent with %d peers", peers))
		probes = append(probes, probe)
		hash := s.addAs(1000*(i+1), probe)
		s.Tell(&messages.Progress{InfoHash: hash, Peers: peers})
	}
	for range 4 {
		s.Tell(&messages.ConnectionsExhausted{})
	}
	for range 2 { // so none is left for the one without peers
		stage.Await[*messages.EvictIdlePeer](probes[0])
		stage.Await[*messages.EvictIdlePeer](probes[2])
	}
}

func TestCompletionIsToldOnce(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	seeding := &messages.Progress{InfoHash: hash, State: messages.StateSeeding}
	completed := &messages.TorrentCompleted{InfoHash: hash, Last: *seeding}
	s.Tell(seeding)
	event[*messages.Progress](s)
	event[*messages.TorrentCompleted](s)
	s.Tell(completed)
	s.noEvents()

	s.Tell(&messages.TorrentDataChanged{InfoHash: hash})
	event[*messages.TorrentDataChanged](s)
	s.Tell(seeding) // the engine that ends said so
	event[*messages.Progress](s)
	s.noEvents()
	s.Tell(completed)
	event[*messages.TorrentCompleted](s)
}

// A torrent that ends complete while no session hears of it has been completed.
func TestCompletionIsToldBeforeTheEnd(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.TorrentEnded{Run: 1, InfoHash: hash, Outcome: &messages.TorrentDone{InfoHash: hash, Complete: true}})
	event[*messages.TorrentCompleted](s)
	<-s.keeper.ends
}

func TestATorrentThatIsStoppedBeforeItBegins(t *testing.T) {
	s := newScene(t, true)
	m := s.order(1000)
	s.Tell(m)
	s.Tell(&messages.StopTorrent{InfoHash: m.Torrent.InfoHash})
	if e := <-s.keeper.ends; e.run != 1 || e.outcome.(*messages.TorrentDone).Complete {
		t.Errorf("run %d ends with %+v", e.run, e.outcome)
	}
	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	stage.Next[*messages.ForgetTorrent](s.torrents)
	s.Quiet(s.torrents)
}
