package dht

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

type scene struct {
	*stage.Stage
	session, socket, torrent *stage.Probe
}

func newScene(t *testing.T, cfg Config) *scene {
	s := &scene{Stage: stage.New(t)}
	s.session, s.socket, s.torrent = s.StartProbe("session"), s.StartProbe("socket"), s.StartProbe("torrent")
	cfg.World = s.World.World()
	cfg.Refs = messages.Refs{Session: s.session.PID, Sockets: [2]*actor.PID{s.socket.PID}}
	s.Perform(func() actor.Actor { return New(cfg) })
	return s
}

// greet has the DHT start with a socket.
func (s *scene) greet(t *testing.T) {
	if m := stage.Next[*messages.DHTStarted](s.session); !m.DHT.Equal(s.Actor) {
		t.Errorf("%v has started", m.DHT)
	}
	if m := stage.Next[*messages.QuerySocket](s.socket); !m.ReplyTo.Equal(s.Actor) {
		t.Errorf("the socket is to answer %v", m.ReplyTo)
	}
	s.Tell(&messages.SocketReady{Addr: host(0)})
	stage.Next[*messages.DHTReport](s.session)
}

func (s *scene) want(hash metainfo.Hash) {
	s.Tell(&messages.SearchPeers{InfoHash: hash, Torrent: s.torrent.PID, Port: 4000})
}

// reply answers the query that is sent next, and returns the query.
func (s *scene) reply(t *testing.T, r krpc.Message) krpc.Message {
	t.Helper()
	d := stage.Next[*messages.SendDatagrams](s.socket).Datagrams[0]
	q := parse(t, d)
	r.Kind, r.Transaction, r.ID = krpc.Reply, q.Transaction, krpc.ID{1}
	s.Tell(&messages.DatagramReceived{Datagram: messages.Datagram{Addr: d.Addr, Data: r.Append(nil)}})
	return q
}

func TestFromASearchToAPeer(t *testing.T) {
	s := newScene(t, Config{Nodes: []netip.AddrPort{host(1)}})
	s.greet(t)
	s.Quiet(s.socket) // before a torrent wants peers nothing is sent
	hash := metainfo.Hash{7}
	s.want(hash)
	for range 2 { // a restart does not change what happens
		if q := s.reply(t, krpc.Message{}); q.Method != krpc.FindNode {
			t.Errorf("it begins with %s", q.Method)
		}
		q := s.reply(t, krpc.Message{Token: []byte("t"), Values: []netip.AddrPort{host(9)}})
		if q.Method != krpc.GetPeers || q.Target != krpc.ID(hash) {
			t.Errorf("then it asks %+v", q)
		}
		if m := stage.Next[*messages.PeersFound](s.torrent); len(m.Addrs) != 1 || m.Addrs[0].Addr != host(9) || m.Addrs[0].Source.Kind != messages.SourceDHT {
			t.Errorf("the torrent is told %+v", m)
		}
		if q := s.reply(t, krpc.Message{}); q.Method != krpc.FindNode || q.Target != krpc.ID(hash) {
			t.Errorf("of who has named no nodes it asks %+v", q)
		}
		if q := s.reply(t, krpc.Message{}); q.Method != krpc.AnnouncePeer || string(q.Token) != "t" || q.Port != 4000 {
			t.Errorf("it announces %+v", q)
		}
		s.Settle()
		s.World.Clock.Advance(reportSoon)
		if m := stage.Next[*messages.DHTReport](s.session); m.Known != 1 {
			t.Errorf("it reports %+v", m)
		}
		s.Crash()
		s.greet(t)
		s.want(hash)
	}
}

func TestNamesOfBootstrapNodesAreLookedUp(t *testing.T) {
	s := newScene(t, Config{Bootstrap: []string{"router.example:6881"}})
	s.greet(t)
	s.want(metainfo.Hash{7})
	lookup := s.World.Names.AwaitLookup()
	if lookup.Host != "router.example" {
		t.Errorf("%s is looked up", lookup.Host)
	}
	lookup.Found(netip.MustParseAddr("2001:db8::1"), host(5).Addr())
	s.Settle()
	d := stage.Next[*messages.SendDatagrams](s.socket).Datagrams
	if len(d) != 1 || d[0].Addr != host(5) {
		t.Errorf("%v is asked", d)
	}
}

// TestNodesOfTheOtherFamilyAreTaken: what the DHT of the other address family
// lists is named to those who ask for that family.
func TestNodesOfTheOtherFamilyAreTaken(t *testing.T) {
	s := newScene(t, Config{})
	s.greet(t)
	node := krpc.Node{ID: krpc.ID{6}, Addr: netip.MustParseAddrPort("[2001:db8::6]:6881")}
	s.Tell(&messages.NodesListed{Nodes: []messages.DHTContact{{ID: node.ID, Addr: node.Addr}}})
	q := krpc.Message{Kind: krpc.Query, Method: krpc.FindNode, Transaction: []byte("aa"), ID: krpc.ID{1}, Want: krpc.N6, ReadOnly: true}
	s.Tell(&messages.DatagramReceived{Datagram: messages.Datagram{Addr: host(1), Data: q.Append(nil)}})
	if r := parse(t, stage.Next[*messages.SendDatagrams](s.socket).Datagrams[0]); !slices.Equal(r.Nodes6, []krpc.Node{node}) {
		t.Errorf("it names %v", r.Nodes6)
	}
}

func TestATorrentThatEndsIsForgotten(t *testing.T) {
	for name, end := range map[string]func(*scene){
		"it says so": func(s *scene) { s.Tell(&messages.StopSearching{InfoHash: metainfo.Hash{7}}) },
		"it stops":   func(s *scene) { s.Stop(s.torrent) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, Config{Nodes: []netip.AddrPort{host(1)}})
			s.greet(t)
			s.want(metainfo.Hash{7})
			end(s)
			if q := s.reply(t, krpc.Message{}); q.Method != krpc.FindNode {
				t.Errorf("it asks %s", q.Method)
			}
			s.Quiet(s.socket)
		})
	}
}
