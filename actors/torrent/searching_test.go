package torrent

import (
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// newDHTScene is a torrent with a tracker outside and a DHT of each family.
func newDHTScene(t *testing.T, o messages.TorrentOptions) (s *scene, dht [2]*stage.Probe) {
	s = newStage(t)
	s.dht = [2]*stage.Probe{s.StartProbe("dht-4"), s.StartProbe("dht-6")}
	torrent, _ := stage.Torrent(t, 1000, 100, "http://a/announce", "http://b/announce")
	s.perform(&messages.AddTorrent{InfoHash: torrent.InfoHash, Name: torrent.Name, Announce: torrent.Announce, Torrent: torrent, Options: o})
	return s, s.dht
}

// The DHT looks for peers from when trackers are asked until the torrent ends,
// and hears of what changes.
func TestTheDHTSearchesWhileTheTorrentRuns(t *testing.T) {
	s, dht := newDHTScene(t, messages.TorrentOptions{Seed: true})
	hears := func(port uint16, seed, urgent bool) {
		t.Helper()
		for _, dht := range dht {
			m := stage.Next[*messages.SearchPeers](dht)
			if m.Port != port || m.Seed != seed || m.Urgent != urgent || m.InfoHash == [20]byte{} || m.Torrent == nil {
				t.Errorf("it hears %+v", m)
			}
		}
	}
	s.progress(messages.StateChecking, 1000)
	s.Quiet(dht[:]...)
	s.progress(messages.StateDownloading, 400)
	hears(6881, false, true)
	s.progress(messages.StateDownloading, 300)
	s.Quiet(dht[:]...)

	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateDownloading, Length: 1000, Have: 700, Left: 300, Peers: 1})
	hears(6881, false, false)
	s.Tell(&messages.SetListenPort{Port: 7000})
	hears(7000, false, false)
	s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateSeeding, Length: 1000, Have: 1000})
	hears(7000, true, false)

	s.Tell(&messages.DHTStarted{DHT: dht[1].PID}) // again
	if m := stage.Next[*messages.SearchPeers](dht[1]); !m.Seed {
		t.Errorf("it hears %+v", m)
	}
	s.Quiet(dht[0])

	s.Tell(&messages.StopTorrent{})
	for _, dht := range dht {
		stage.Next[*messages.StopSearching](dht)
	}
	s.Tell(&messages.DHTStarted{DHT: dht[0].PID})
	s.Quiet(dht[:]...)
}

// A torrent that turns out to be private is withdrawn from the DHT.
func TestAPrivateTorrentIsWithdrawnFromTheDHT(t *testing.T) {
	s := newStage(t)
	dht := s.StartProbe("dht-4")
	s.dht[0] = dht
	torrent, _ := stage.Torrent(t, 1000, 100, "http://a/announce", "http://b/announce")
	s.perform(&messages.AddTorrent{InfoHash: torrent.InfoHash, Name: "unknown", Announce: torrent.Announce})
	if m := stage.Next[*messages.SearchPeers](dht); !m.Urgent || m.Seed {
		t.Errorf("it hears %+v", m)
	}
	private := *torrent
	private.Private = true
	s.Tell(&messages.SetMetainfo{Torrent: &private})
	stage.Next[*messages.StopSearching](dht)
	s.Tell(&messages.SetListenPort{Port: 7000})
	s.Tell(&messages.DHTStarted{DHT: dht.PID})
	s.Quiet(dht)
}

// A torrent that the rule keeps out never speaks to the DHT.
func TestTheDHTHearsOfNoTorrentThatIsKeptOut(t *testing.T) {
	s, dht := newDHTScene(t, messages.TorrentOptions{DHT: messages.DHTOff})
	s.Tell(&messages.DHTStarted{DHT: dht[0].PID})
	s.progress(messages.StateDownloading, 400)
	s.Tell(&messages.SetListenPort{Port: 7000})
	s.Tell(&messages.StopTorrent{})
	s.Quiet(dht[:]...)
}
