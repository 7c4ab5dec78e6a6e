package metadata

import (
	"bytes"
	"crypto/sha1"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// The shell asks for offers, gives its timer to the core, and begins anew after
// a crash: the parts that had come are asked for again.
func TestACrashBeginsAnew(t *testing.T) {
	info := bytes.Repeat([]byte("i"), messages.MetadataPart+5)
	s := stage.New(t)
	torrent, peer, other := s.StartProbe("torrent"), s.StartProbe("peer"), s.StartProbe("other")
	s.Perform(func() actor.Actor {
		return New(Config{World: s.World.World(), Refs: messages.Refs{Torrent: torrent.PID}, InfoHash: sha1.Sum(info)})
	})
	asked := func(p *stage.Probe) {
		t.Helper()
		for part := range 2 {
			if m := stage.Next[*messages.RequestMetadata](p); m.Part != part {
				t.Errorf("asked for part %d, want %d", m.Part, part)
			}
		}
	}
	reported := func(peers, received int) {
		t.Helper()
		want := messages.MetadataProgress{Peers: peers, Size: len(info), Received: received}
		if got := stage.Next[*messages.MetadataProgress](torrent); *got != want {
			t.Errorf("reported %+v, want %+v", *got, want)
		}
	}
	keys := []messages.PeerKey{1, 2}
	stage.Next[*messages.QueryMetadataOffers](torrent)
	s.Tell(&messages.MetadataOffered{Key: keys[0], Peer: peer.PID, Size: len(info)})
	asked(peer)
	reported(1, 0)
	s.Tell(&messages.MetadataOffered{Key: keys[1], Peer: other.PID, Size: len(info)})
	reported(2, 0)
	s.Quiet(other)
	s.World.Clock.Advance(hedgeAfter)
	asked(other)

	first, last := info[:messages.MetadataPart], info[messages.MetadataPart:]
	s.Tell(&messages.MetadataArrived{Key: keys[0], Part: 0, Data: bytes.Clone(first)})
	reported(2, len(first))
	s.Crash()
	stage.Next[*messages.QueryMetadataOffers](torrent)
	s.World.Clock.Advance(silentAfter) // no timer of the one before is left
	s.Quiet(peer, other)
	s.Tell(&messages.MetadataOffered{Key: keys[0], Peer: peer.PID, Size: len(info)})
	asked(peer)
	reported(1, 0)
	s.Tell(&messages.MetadataArrived{Key: keys[0], Part: 1, Data: bytes.Clone(last)})
	reported(1, len(last))
	s.Tell(&messages.MetadataArrived{Key: keys[0], Part: 0, Data: bytes.Clone(first)})
	if m := stage.Next[*messages.MetadataFound](torrent); !bytes.Equal(m.Info, info) {
		t.Error("what was found differs from what was sent")
	}
}
