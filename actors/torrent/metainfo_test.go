package torrent

import (
	"errors"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// With the hash alone a torrent announces at once, with something left, and
// says once a second that it does not know more.
func TestByItsHashAloneItAnnouncesAndReports(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	for range 3 {
		p := stage.Next[*messages.Progress](s.session)
		if p.State != messages.StateMetadata || p.Name != "unknown" || p.InfoHash != torrent.InfoHash || p.Pieces != 0 || p.Why == "" {
			t.Fatalf("it reports %+v", p)
		}
		s.Quiet(s.session)
		s.World.Clock.Advance(reportEvery)
	}
	m := stage.Next[*messages.SetTotals](s.trackers[0])
	if m.Left != unknownLeft || !m.WantPeers || !m.Alone || m.Completed || m.PartialSeed {
		t.Errorf("it announces %+v", m)
	}
	stage.Next[*messages.StartAnnouncing](s.trackers[0])

	stage.Next[*messages.Progress](s.session)
	for _, peers := range []int{2, 0} {
		s.Tell(&messages.PeersConnected{Peers: peers})
		s.Settle()
		s.World.Clock.Advance(reportEvery)
		if p := stage.Next[*messages.Progress](s.session); p.Peers != peers {
			t.Errorf("of %d connected peers it reports %d", peers, p.Peers)
		}
	}
}

func TestTheEngineIsToldTheMetainfoOnceItIsKnown(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	s.Tell(&messages.SetMemory{Bytes: 5})
	s.Tell(&messages.QueryMetainfo{})
	s.Quiet(s.engine) // there are no store and scheduler to be told
	s.Tell(&messages.QueryCandidates{})
	stage.Await[*messages.AddCandidates](s.engine)
	if m := stage.Next[*messages.SetDialing](s.engine); !m.Dial {
		t.Error("peers are not to dial")
	}

	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	if m := stage.Await[*messages.SetMetainfo](s.engine); m.Torrent != torrent {
		t.Errorf("the engine is told %+v", m)
	}
	if m := stage.Next[*messages.SetMemory](s.engine); m.Bytes != 5 {
		t.Errorf("the engine is told %+v", m)
	}
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	s.Quiet(s.engine) // once is enough

	s.Tell(&messages.QueryMetainfo{}) // of an engine that was restarted
	stage.Next[*messages.SetMetainfo](s.engine)
	s.Tell(&messages.QueryCandidates{}) // of peers that were
	stage.Await[*messages.AddCandidates](s.engine)
	stage.Next[*messages.SetMetainfo](s.engine)
	s.Quiet(s.engine)

	stage.Await[*messages.Progress](s.session)
	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateDownloading, Length: 1000, Left: 1000})
	stage.Next[*messages.Progress](s.session)
	for stage.Await[*messages.SetTotals](s.trackers[0]).Left != 1000 {
	}
}

// Metainfo of another torrent changes nothing.
func TestMetainfoOfAnotherTorrentIsRefused(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	other := *torrent
	other.InfoHash = metainfo.Hash{1}
	s.Tell(&messages.SetMetainfo{Torrent: &other})
	s.Tell(&messages.QueryMetainfo{})
	s.Quiet(s.engine)
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Await[*messages.SetMetainfo](s.engine)
}

func TestAStallIsOneAlsoWithoutMetainfo(t *testing.T) {
	s, _ := newHashScene(t, messages.TorrentOptions{StallTimeout: 5 * time.Second})
	stage.Next[*messages.Progress](s.session)
	for range 5 {
		s.Settle()
		s.World.Clock.Advance(reportEvery)
		stage.Next[*messages.SetDialing](s.engine)
		stage.Next[*messages.Progress](s.session)
	}
	s.Tell(&messages.AnnouncingStopped{})
	if m := stage.Next[*messages.TorrentFailed](s.session); !errors.Is(m.Err, messages.ErrStalled) {
		t.Errorf("it failed with %v", m.Err)
	}
	s.Quiet(s.engine)
}

// A torrent that ends without metainfo waits for nothing but its trackers.
func TestItEndsWithoutMetainfo(t *testing.T) {
	s, _ := newHashScene(t, messages.TorrentOptions{})
	stage.Next[*messages.Progress](s.session)
	s.Tell(&messages.StopTorrent{})
	stage.Await[*messages.StopAnnouncing](s.trackers[0])
	s.Quiet(s.session, s.engine)
	s.Tell(&messages.AnnouncingStopped{})
	if m := stage.Next[*messages.TorrentDone](s.session); m.Complete {
		t.Error("it was not complete")
	}
}

// A torrent that is restarted is told again, and so tells its engine.
func TestATorrentThatIsRestartedLearnsTheMetainfoAgain(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Await[*messages.SetMetainfo](s.engine)
	s.Crash()
	s.Tell(&messages.QueryMetainfo{})
	s.Quiet(s.engine)
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Await[*messages.SetMetainfo](s.engine)
	s.Tell(&messages.RestoreTotals{})
	s.Settle()
	if n := s.World.Clock.Pending(); n != 0 {
		t.Errorf("%d timers, though the scheduler reports", n)
	}
}

func TestWithoutMetainfoItSaysWhatTheTrackerSaid(t *testing.T) {
	s, _ := newHashScene(t, messages.TorrentOptions{})
	stage.Next[*messages.Progress](s.session)
	s.Tell(&messages.TrackerReplied{Tier: 0, Event: announce.Started, Warning: "slow down"})
	stage.Next[*messages.TorrentAnnounced](s.session)
	s.Settle()
	s.World.Clock.Advance(reportEvery)
	if p := stage.Next[*messages.Progress](s.session); p.Why != "slow down" {
		t.Errorf("it says %q", p.Why)
	}
}

// What peers tell takes the way of what the user tells, and the session hears
// of it.
func TestMetainfoMayComeFromPeers(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	s.Tell(&messages.QueryMetadataOffers{})
	stage.Await[*messages.QueryMetadataOffers](s.engine)
	s.Tell(&messages.MetadataFound{Info: torrent.Info()})
	if m := stage.Await[*messages.TorrentMetainfoFound](s.session); m.Torrent.InfoHash != torrent.InfoHash || len(m.Torrent.Announce) != 2 {
		t.Errorf("the session is told %+v", m.Torrent)
	}
	if m := stage.Await[*messages.SetMetainfo](s.engine); m.Torrent.InfoHash != torrent.InfoHash {
		t.Errorf("the engine is told %+v", m)
	}
	s.Tell(&messages.MetadataFound{Info: torrent.Info()}) // of a metadata that was restarted
	s.Quiet(s.engine)
}

// Bytes whose hash is right may still be no torrent.
func TestMetainfoThatCannotBeUsedEndsTheTorrent(t *testing.T) {
	s, _ := newHashScene(t, messages.TorrentOptions{})
	s.Tell(&messages.MetadataFound{Info: []byte("d4:name1:ae")})
	stage.Await[*messages.StopAnnouncing](s.trackers[0])
	s.Tell(&messages.AnnouncingStopped{})
	failed := stage.Await[*messages.TorrentFailed](s.session)
	if bad := new(metainfo.Error); !errors.As(failed.Err, &bad) {
		t.Errorf("it ends with %v", failed.Err)
	}
}

func TestWithTheMetadataAloneItIsDone(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{MetadataOnly: true})
	s.Tell(&messages.MetadataFound{Info: torrent.Info()})
	stage.Await[*messages.TorrentMetainfoFound](s.session)
	stage.Await[*messages.StopAnnouncing](s.trackers[0])
	s.Tell(&messages.AnnouncingStopped{})
	if done := stage.Await[*messages.TorrentDone](s.session); !done.Complete {
		t.Errorf("it ends with %+v", done)
	}
	s.Quiet(s.engine)
}

func TestWhyTheMetadataIsNotThere(t *testing.T) {
	for _, row := range []struct {
		peers    int
		metadata messages.MetadataProgress
		why      string
	}{
		{0, messages.MetadataProgress{}, "No peer is connected that could tell what is in the torrent."},
		{1, messages.MetadataProgress{}, "1 peer, which has not told us the metadata. If the torrent is private, none will: use its .torrent."},
		{1, messages.MetadataProgress{Failed: 1}, "1 peer, which has not told us the metadata. One copy has come, and its hash was wrong. If the torrent is private, none will: use its .torrent."},
		{1, messages.MetadataProgress{Peers: 1, Size: 50_000}, "1 peer, which offers the metadata and has not sent it yet."},
		{3, messages.MetadataProgress{}, "3 peers, none of which has told us the metadata. If the torrent is private, none will: use its .torrent."},
		{3, messages.MetadataProgress{Peers: 2, Size: 50_000, Failed: 4}, "3 peers, of which 2 offer the metadata, and none has sent it yet. 4 copies have come, and their hashes were wrong."},
		{3, messages.MetadataProgress{Peers: 2, Size: 50_000, Received: 16 << 10}, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			s, _ := newHashScene(t, messages.TorrentOptions{})
			stage.Next[*messages.Progress](s.session)
			s.Tell(&messages.PeersConnected{Peers: row.peers})
			s.Tell(&row.metadata)
			s.Settle()
			s.World.Clock.Advance(reportEvery)
			p := stage.Next[*messages.Progress](s.session)
			if p.Why != row.why || p.Metadata != row.metadata {
				t.Errorf("it reports %+v, %q, want %q", p.Metadata, p.Why, row.why)
			}
		})
	}
}

// The time in which something has to come is also that for the metadata.
func TestAStallWhileTheMetadataIsSought(t *testing.T) {
	s, _ := newHashScene(t, messages.TorrentOptions{StallTimeout: 5 * time.Second})
	for range 4 {
		s.World.Clock.Advance(reportEvery)
		s.Settle()
	}
	s.Tell(&messages.MetadataProgress{Peers: 1, Size: 50_000, Received: 16 << 10})
	s.Settle()
	for range 4 {
		s.World.Clock.Advance(reportEvery)
		s.Settle()
	}
	s.Quiet(s.metadata)
	for range 2 {
		s.World.Clock.Advance(reportEvery)
		s.Settle()
	}
	stage.Await[*messages.StopAnnouncing](s.trackers[0])
	s.Tell(&messages.AnnouncingStopped{})
	if failed := stage.Await[*messages.TorrentFailed](s.session); !errors.Is(failed.Err, messages.ErrStalled) {
		t.Errorf("it ends with %v", failed.Err)
	}
}
