package session

import (
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// A session that begins after another has died finds out what there is: it
// takes over what runs, starts what is missing, and passes on what ended
// meanwhile.
func TestASessionTakesOver(t *testing.T) {
	s := newScene(t, true)
	running, missing, ended, told := s.order(1000), s.order(2000), s.order(3000), s.order(4000)
	last := messages.Progress{InfoHash: running.Torrent.InfoHash, Downloaded: 600}
	s.keeper.known = Recollection{
		Limits: messages.SetLimits{Down: 3}, Addr: listenAddr,
		Torrents: []Recalled{{Add: running, Last: last, Stop: true}, {Add: missing}, {Add: ended}},
	}
	s.Crash()
	if m := stage.Next[*messages.SetLimits](s.limiter); m.Down != 3 {
		t.Errorf("the limiter is told %+v", m)
	}
	if m := stage.Next[*messages.Listen](s.listener); m.Before != listenAddr {
		t.Errorf("the listener is asked for %v", m.Before)
	}
	stage.Next[*messages.QueryTorrents](s.torrents)
	s.Tell(missing) // sent to the one before, and recalled
	s.Quiet(s.torrents)

	s.Tell(&messages.ListenerReady{Addr: listenAddr})
	event[*messages.ListenerReady](s)
	s.Quiet(s.torrents, s.listener)
	s.Tell(&messages.TorrentsListed{Torrents: []messages.ListedTorrent{
		{Run: 1, InfoHash: running.Torrent.InfoHash, Torrent: s.torrent.PID},
		{Run: 3, InfoHash: ended.Torrent.InfoHash, Outcome: &messages.TorrentDone{InfoHash: ended.Torrent.InfoHash}},
		{Run: 4, InfoHash: told.Torrent.InfoHash, Outcome: &messages.TorrentDone{InfoHash: told.Torrent.InfoHash}},
	}})
	if m := stage.Next[*messages.SetLimits](s.torrent); m.Down != 3 {
		t.Errorf("what runs is told %+v", m)
	}
	if m := stage.Next[*messages.SetListenPort](s.torrent); m.Port != listenAddr.Port() {
		t.Errorf("what runs is told %+v", m)
	}
	if m := stage.Next[*messages.RestoreTotals](s.torrent); m.Downloaded != 600 {
		t.Errorf("what runs is told %+v", m)
	}
	stage.Next[*messages.StopTorrent](s.torrent)
	if e := <-s.keeper.ends; e.run != 3 {
		t.Errorf("run %d ends", e.run)
	}
	for _, run := range []uint64{3, 4} {
		if m := stage.Next[*messages.ForgetTorrent](s.torrents); m.Run != run {
			t.Errorf("run %d is forgotten, want %d", m.Run, run)
		}
	}
	if m := stage.Next[*messages.StartTorrent](s.torrents); m.Add != missing {
		t.Errorf("run %d is started", m.Add.Run)
	}
	if m := stage.Next[*messages.RouteTorrent](s.listener); m.InfoHash != running.Torrent.InfoHash {
		t.Errorf("the route is %+v", m)
	}
	if m := stage.Next[*messages.RouteTorrent](s.listener); m.InfoHash != ended.Torrent.InfoHash || m.Torrent != nil {
		t.Errorf("the route is %+v", m)
	}
	s.Quiet(s.listener) // the missing one has no address yet
	s.Tell(&messages.TorrentStarted{InfoHash: missing.Torrent.InfoHash, Torrent: s.torrent.PID})
	stage.Next[*messages.RouteTorrent](s.listener)
	stage.Next[*messages.RefuseUnrouted](s.listener)
	s.noEvents()
}

// Torrents that was restarted has none: all are started again, as they were.
func TestTorrentsIsGivenAllAgain(t *testing.T) {
	s := newScene(t, false)
	hash := s.add(1000)
	s.Tell(&messages.Progress{InfoHash: hash, Downloaded: 600})
	stage.Await[*messages.RestoreTotals](s.torrent)
	s.Tell(&messages.StopTorrent{InfoHash: hash})
	stage.Await[*messages.StopTorrent](s.torrent)
	second := s.order(2000)
	s.Tell(second)
	stage.Next[*messages.StartTorrent](s.torrents)

	s.Tell(&messages.TorrentsListed{})
	if e := <-s.keeper.ends; e.run != 1 {
		t.Errorf("run %d ends, want the one that was to stop", e.run)
	}
	stage.Next[*messages.ForgetTorrent](s.torrents)
	if m := stage.Next[*messages.StartTorrent](s.torrents); m.Add != second {
		t.Errorf("run %d is started", m.Add.Run)
	}
}

// A torrent that starts although its run is over is looked into.
func TestATorrentThatNobodyWants(t *testing.T) {
	s := newScene(t, false)
	m := s.order(1000)
	s.Tell(&messages.TorrentStarted{InfoHash: m.Torrent.InfoHash, Torrent: s.torrent.PID})
	stage.Next[*messages.QueryTorrents](s.torrents)
	s.Tell(&messages.TorrentsListed{Torrents: []messages.ListedTorrent{{Run: 1, InfoHash: m.Torrent.InfoHash, Torrent: s.torrent.PID}}})
	stage.Next[*messages.ForgetTorrent](s.torrents)
	s.noEvents()
}

// Whether a second completion is news is not forgotten with a session.
func TestAnotherSessionTellsTheSecondCompletion(t *testing.T) {
	for name, reopens := range map[string]bool{"it is told already": false, "it is news": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, false)
			m := s.order(1000)
			s.keeper.known = Recollection{Torrents: []Recalled{{Add: m, Completed: true, Reopens: reopens}}}
			s.Crash()
			s.Tell(&messages.TorrentsListed{Torrents: []messages.ListedTorrent{{Run: 1, InfoHash: m.InfoHash, Torrent: s.torrent.PID}}})
			for range 2 { // of its own accord, and because a session has begun
				s.Tell(&messages.TorrentCompleted{InfoHash: m.InfoHash})
			}
			if reopens {
				event[*messages.TorrentCompleted](s)
			}
			s.noEvents()
		})
	}
}

// What is wanted anew makes a completion news again only if pieces lack.
func TestWantedPiecesMakeAnotherCompletionNews(t *testing.T) {
	for have, news := range map[int]bool{9: true, 10: false} {
		r := Recalled{Completed: true, Last: messages.Progress{HavePieces: have, Pieces: 10}}
		if r.Want(&messages.SetWanted{}); r.Reopens != news {
			t.Errorf("with %d of 10 pieces it is news: %t", have, r.Reopens)
		}
	}
	r := Recalled{Completed: true, Reopens: true, Last: messages.Progress{HavePieces: 10, Pieces: 10}} // before the data was changed
	if r.Want(&messages.SetWanted{}); !r.Reopens {
		t.Error("that the data was changed is forgotten")
	}
}
