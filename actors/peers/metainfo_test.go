package peers

import (
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// Until the metainfo is known, connections are made and kept, and the scheduler
// is told of none. Then it is told of those still there, in the order of their
// handshakes.
func TestConnectionsWaitForTheMetainfo(t *testing.T) {
	s := newSceneOf(t, 100, nil)
	s.find(4)
	s.Tell(&messages.SetDialing{Dial: true})
	a, b, c, d := <-s.born, <-s.born, <-s.born, <-s.born
	s.ready(c, 3)
	s.ready(a, 1)
	s.ready(b, 2)
	s.ready(c, 3) // anew: it was restarted meanwhile
	s.Tell(&messages.PeerGone{Key: a.Key, Addr: a.Addr, Reason: messages.GoneClosed})
	s.Quiet(s.scheduler, s.children)
	stage.Next[*messages.SourcesCounted](s.torrent)
	for _, want := range []int{1, 2, 3, 2, 3, 2} {
		if got := stage.Next[*messages.PeersConnected](s.torrent); got.Peers != want {
			t.Errorf("the torrent is told of %d connections, want %d", got.Peers, want)
		}
	}
	s.Tell(&messages.SetMetainfo{Torrent: &metainfo.Torrent{}})
	for _, want := range []Peer{b, c} {
		if got := stage.Next[*messages.PeerReady](s.scheduler); got.Key != want.Key {
			t.Errorf("the scheduler is told of peer %d, want %d", got.Key, want.Key)
		}
	}
	s.Tell(&messages.SetMetainfo{Torrent: &metainfo.Torrent{}}) // again
	s.Quiet(s.scheduler, s.children)
	s.ready(d, 4)
	if got := stage.Next[*messages.PeerReady](s.scheduler); got.Key != d.Key {
		t.Errorf("the scheduler is told of peer %d, want %d", got.Key, d.Key)
	}
	s.Quiet(s.torrent) // the scheduler reports from now on
}

// Without metainfo there is no scheduler to say which peer is useless. The one
// that has been connected for longest is evicted, after a while.
func TestAnIdleConnectionIsEvictedWithoutMetainfo(t *testing.T) {
	s := newSceneOf(t, 2, nil)
	s.find(3)
	s.Tell(&messages.SetDialing{Dial: true})
	a, b := <-s.born, <-s.born
	s.ready(b, 2)
	s.ready(a, 1)
	s.Tell(&messages.SetDialing{Dial: true})
	s.Quiet(s.children, s.scheduler)
	s.World.Clock.Advance(maxIdleUnreported)
	s.Tell(&messages.SetDialing{Dial: true})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneUseless {
		t.Errorf("disconnected as %v", got.Reason)
	}
	<-s.born // the third, in its place
	s.Tell(&messages.SetMetainfo{Torrent: &metainfo.Torrent{}})
	if got := stage.Next[*messages.PeerReady](s.scheduler); got.Key != a.Key {
		t.Errorf("peer %d has stayed, want %d", got.Key, a.Key)
	}
	s.Quiet(s.scheduler)
}

// The scheduler is not told of a duplicate that was given up.
func TestDuplicatesEndBeforeTheMetainfoIsKnown(t *testing.T) {
	s := newSceneOf(t, 100, nil)
	link := s.World.Network.NewLink(addrOf(1), true)
	s.Tell(&messages.AdoptLink{Link: link})
	stage.Next[*messages.AdoptLink](s.children)
	s.ready(<-s.born, 'x')
	s.Settle()
	s.World.Clock.Advance(crossing)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	dialled := <-s.born
	s.ready(dialled, 'x')
	stage.Next[*messages.Disconnect](s.children)
	s.Tell(&messages.SetMetainfo{Torrent: &metainfo.Torrent{}})
	if got := stage.Next[*messages.PeerReady](s.scheduler); got.Key != dialled.Key {
		t.Errorf("the scheduler is told of peer %d, want %d", got.Key, dialled.Key)
	}
	s.Quiet(s.scheduler)
}

// A private torrent does not dial addresses of other sources than BEP 27
// allows, and disconnects peers from there that it dialled before it was known
// to be private.
func TestAPrivateTorrentKeepsToItsSources(t *testing.T) {
	tracker := messages.PeerAddr{Addr: addrOf(1), Source: messages.TrackerTier(0)}
	dht := messages.PeerAddr{Addr: addrOf(2), Source: messages.Source{Kind: messages.SourceDHT}}
	private := &metainfo.Torrent{Private: true}
	t.Run("from the start", func(t *testing.T) {
		s := newSceneOf(t, 100, private)
		s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{dht, tracker}})
		s.Tell(&messages.SetDialing{Dial: true})
		if got := <-s.born; got.Addr != tracker.Addr {
			t.Errorf("dials %v", got.Addr)
		}
		s.Settle()
		if len(s.born) > 0 {
			t.Error("dials a peer of a forbidden source")
		}
	})
	t.Run("once it is known", func(t *testing.T) {
		s := newSceneOf(t, 100, nil)
		s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{dht, tracker}})
		s.Tell(&messages.SetDialing{Dial: true})
		for range 2 {
			p := <-s.born
			s.ready(p, byte(p.Key))
		}
		s.Tell(&messages.SetMetainfo{Torrent: private})
		stage.Next[*messages.Disconnect](s.children)
		if got := stage.Next[*messages.PeerReady](s.scheduler); got.Addr != tracker.Addr {
			t.Errorf("%v has stayed", got.Addr)
		}
		s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{dht}})
		s.World.Clock.Advance(time.Hour)
		s.Settle()
		if len(s.born) > 0 {
			t.Errorf("%v is dialled", (<-s.born).Addr)
		}
	})
}

// When the tracker of a private torrent has changed, connections end and
// addresses are forgotten, but for what the user has given.
func TestPeersOfAnotherTrackerAreForgotten(t *testing.T) {
	s := newSceneOf(t, 100, &metainfo.Torrent{Private: true})
	tracker, user := messages.PeerAddr{Addr: addrOf(1), Source: messages.TrackerTier(0)}, messages.PeerAddr{Addr: addrOf(2), Source: messages.Manual}
	s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{tracker, user}})
	s.Tell(&messages.SetDialing{Dial: true})
	for range 2 {
		p := <-s.born
		s.ready(p, byte(p.Key))
	}
	s.Tell(&messages.AdoptLink{Link: s.World.Network.NewLink(addrOf(3), true), Handshake: frame.Handshake{PeerID: [20]byte{9}}})
	<-s.born
	stage.Next[*messages.AdoptLink](s.children)
	s.Tell(&messages.ForgetPeers{})
	for range 2 {
		stage.Next[*messages.Disconnect](s.children)
	}
	s.Quiet(s.children)
	s.World.Clock.Advance(time.Hour)
	s.Settle()
	if len(s.born) > 0 {
		t.Errorf("%v is dialled", (<-s.born).Addr)
	}
	s.Tell(&messages.AddCandidates{Addrs: []messages.PeerAddr{tracker}}) // of the new one
	if got := <-s.born; got.Addr != tracker.Addr {
		t.Errorf("%v is dialled", got.Addr)
	}
}
