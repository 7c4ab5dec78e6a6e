package peer

import (
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// newDHTScene is a scene with a DHT of IPv4.
func newDHTScene(t *testing.T, p messages.SetPublicity) (s *scene, dht *stage.Probe) {
	s = prepare(t, messages.SetLimits{})
	dht = s.StartProbe("dht-4")
	s.config.Refs.DHT[messages.IPv4] = dht.PID
	s.Perform(func() actor.Actor { return New(s.config) })
	s.Tell(&p)
	return s, dht
}

// greets returns our handshake, once the other side has answered with its own
// and the session has begun.
func greets(s *scene, features ...frame.Feature) (*fake.Link, frame.Handshake) {
	s.Settle()
	link := s.World.Network.AwaitDial().Connect()
	ours := link.AwaitHandshake()
	theirs := frame.Handshake{InfoHash: s.torrent.InfoHash, PeerID: remote}
	for _, f := range features {
		theirs.Offer(f)
	}
	link.Handshake(theirs)
	ready := stage.Await[*messages.PeerReady](s.peers)
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10)})
	link.AwaitStart()
	return link, ours
}

// Nodes are told where both sides have one and the torrent is public.
func TestPortsOfNodesAreTold(t *testing.T) {
	s, dht := newDHTScene(t, messages.SetPublicity{DHT: true})
	link, ours := greets(s, frame.FeatureDHT)
	if !ours.Has(frame.FeatureDHT) {
		t.Error("the DHT is not offered")
	}
	for {
		if f := link.AwaitSent(); f.Kind == frame.Port {
			if f.Index != 6882 {
				t.Errorf("our port is %d", f.Index)
			}
			break
		}
	}
	for _, port := range []uint32{0, 7000, 7001} {
		link.Receive(frame.Frame{Kind: frame.Port, Index: port})
	}
	if m := stage.Next[*messages.AddNode](dht); m.Addr != netip.AddrPortFrom(addr.Addr(), 7000) {
		t.Errorf("the DHT hears of %v", m.Addr)
	}
	s.Quiet(dht) // one node a connection
}

func TestPortsOfNodesAreNotTold(t *testing.T) {
	for name, c := range map[string]struct {
		publicity messages.SetPublicity
		features  []frame.Feature
		offered   bool
	}{
		"of a torrent that is not public": {messages.SetPublicity{Exchange: true}, []frame.Feature{frame.FeatureDHT}, false},
		"to a peer without a node":        {messages.SetPublicity{DHT: true}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, dht := newDHTScene(t, c.publicity)
			link, ours := greets(s, c.features...)
			if ours.Has(frame.FeatureDHT) != c.offered {
				t.Errorf("the DHT is offered: %t", !c.offered)
			}
			if !c.publicity.DHT {
				link.Receive(frame.Frame{Kind: frame.Port, Index: 7000})
			}
			s.Tell(&messages.AnnounceHave{Pieces: []uint32{3}})
			for f := link.AwaitSent(); f.Kind != frame.Have; f = link.AwaitSent() {
				if f.Kind == frame.Port {
					t.Error("our port is told")
				}
			}
			s.Quiet(dht)
		})
	}
}
