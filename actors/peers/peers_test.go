package peers

import (
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/stage"
	"kouzui/actors/supervise"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// scene is peers among probes; the peers it spawns only report what they get.
type scene struct {
	*stage.Stage
	torrent, scheduler *stage.Probe
	client             *stage.Probe
	born               chan Peer
	pids               map[messages.PeerKey]*actor.PID // by the actor under test, before it tells of the birth
	children           *stage.Probe                    // gets what all peers get
}

var self = [20]byte{'m'}

func newScene(t *testing.T, limit int) *scene {
	s := &scene{Stage: stage.New(t), born: make(chan Peer, 1000), pids: map[messages.PeerKey]*actor.PID{}}
	s.torrent, s.scheduler, s.children = s.StartProbe("torrent"), s.StartProbe("scheduler"), s.StartProbe("children")
	s.client = s.StartProbe("client")
	child := func(c actor.Context) {
		switch m := c.Message().(type) {
		case *messages.Disconnect:
			c.Send(s.children.PID, m)
			supervise.StopSelf(c, m.Reason.String())
		case *messages.AdoptLink, *messages.SetLimits, *messages.RollCall:
			c.Forward(s.children.PID)
		}
	}
	config := Config{
		World: s.World.World(), Self: self, Max: limit, Blocklist: stage.Blocklist(t, "203.0.113.0/24"),
		Refs: messages.Refs{Client: s.client.PID, Torrent: s.torrent.PID, Scheduler: s.scheduler.PID},
		Spawn: func(c actor.Context, p Peer) (*actor.PID, error) {
			pid := c.Spawn(s.Tree.Props("peer", func() actor.Actor { return actor.ReceiveFunc(child) }))
			s.pids[p.Key] = pid
			s.born <- p // last: who receives it may look at pids
			return pid, nil
		},
	}
	s.Perform(func() actor.Actor { return New(config) })
	stage.Next[*messages.CandidatesWanted](s.torrent)
	return s
}

func (s *scene) find(n int) {
	m := &messages.PeersFound{}
	for i := range n {
		m.Addrs = append(m.Addrs, messages.PeerAddr{Addr: addrOf(i + 1)})
	}
	s.Tell(m)
}

func (s *scene) ready(p Peer, id byte) {
	s.Tell(&messages.PeerReady{Key: p.Key, ID: [20]byte{id}, Addr: p.Addr, Inbound: p.Inbound})
}

// end stops the only peer actor and waits until its supervisor knows: then it has
// set the timer of the next dial. A stop is told to it at a time of its own.
func (s *scene) end(p Peer) {
	if err := s.Tree.System.Root.StopFuture(s.pids[p.Key]).Wait(); err != nil {
		panic(err)
	}
	s.World.Clock.AwaitTimers(1)
}

func TestDialsOnlyWhenWanted(t *testing.T) {
	s := newScene(t, 100)
	s.find(3)
	s.Settle()
	if len(s.born) != 0 {
		t.Fatal("dials before it is told to")
	}
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	if len(s.born) != 3 {
		t.Fatalf("%d dials", len(s.born))
	}
}

func TestDialsNobodyOnTheBlocklist(t *testing.T) {
	s := newScene(t, 100)
	s.Tell(&messages.PeersWanted{Wanted: true})
	blocked := netip.MustParseAddr("203.0.113.7")
	s.Tell(&messages.PeersFound{Addrs: []messages.PeerAddr{
		{Addr: netip.AddrPortFrom(blocked, 6881)}, {Addr: addrOf(1)},
		{Addr: netip.AddrPortFrom(netip.AddrFrom16(blocked.As16()), 6882), Origin: messages.FromUser},
	}})
	if m := stage.Next[*messages.AddressesBlocked](s.client); m.Inbound || m.Count != 2 {
		t.Errorf("%+v", m)
	}
	s.Settle()
	if p := <-s.born; p.Addr != addrOf(1) || len(s.born) > 0 {
		t.Errorf("dials %v and %d more", p.Addr, len(s.born))
	}
}

func TestDialsAreBoundedAndPaced(t *testing.T) {
	s := newScene(t, 30)
	s.find(200)
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	if len(s.born) != maxHalfOpen {
		t.Fatalf("%d half open", len(s.born))
	}
	// As they connect, others have their turn: a second's dials at once, then one
	// at a time.
	for n := range 30 {
		s.ready(<-s.born, byte(n+1))
		stage.Next[*messages.PeerReady](s.scheduler)
		s.Settle()
		if dials := maxHalfOpen + n + 1; dials > dialsPerSecond && dials <= 30 {
			before := len(s.born)
			s.World.Clock.Advance(time.Second / dialsPerSecond)
			s.Settle()
			if len(s.born) != before+1 {
				t.Fatalf("after dial %d: %d more", dials, len(s.born)-before)
			}
		}
	}
	s.World.Clock.Advance(time.Minute)
	s.Settle()
	if len(s.born) != 0 {
		t.Errorf("%d dials over the limit of connections", len(s.born))
	}
	s.Tell(&messages.PeersWanted{Wanted: true})
	stage.Next[*messages.RoomWanted](s.scheduler)
}

func TestRefusesItself(t *testing.T) {
	s := newScene(t, 100)
	s.find(1)
	s.Tell(&messages.PeersWanted{Wanted: true})
	p := <-s.born
	s.Tell(&messages.PeerReady{Key: p.Key, ID: self, Addr: p.Addr})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneSelf {
		t.Errorf("it meets itself and calls it %v", got.Reason)
	}
	s.Quiet(s.scheduler)
}

// Which of two connections with one id at one host goes: never the one that we
// dialled, as whoever came in may have stolen the id.
func TestWhatWeDialledGivesWayToNobody(t *testing.T) {
	const soon, late = together - 1, together
	dialled, came := slot{}, slot{Peer: Peer{Inbound: true}}
	usefulDial, usefulCame := dialled, came
	usefulDial.useful, usefulCame.useful = true, true
	for _, tt := range []struct {
		name         string
		older, newer slot
		apart        time.Duration
		small, large bool // what came in goes, if our id is the smaller one, the larger one
	}{
		{"two dials that crossed", dialled, came, soon, true, false},
		{"the same, seen the other way round", came, dialled, soon, true, false},
		{"a claim, where we got nothing yet", dialled, came, late, false, false},
		{"a claim, where we got something", usefulDial, came, soon, true, true},
		{"a squatter, and whom it is named after", came, dialled, late, true, true},
		{"one of use, and where it seems to listen", usefulCame, dialled, late, false, false},
		{"two dials", usefulDial, dialled, soon, false, false},
		{"two claims", usefulCame, came, late, false, false},
	} {
		older, newer := tt.older, tt.newer
		older.id, newer.id = [20]byte{2}, [20]byte{2}
		older.since, newer.since = start, start.Add(tt.apart)
		for id, goes := range map[byte]bool{1: tt.small, 3: tt.large} {
			p := &peers{Config: Config{Self: [20]byte{id}}}
			lost := p.lesser(&newer, &older)
			if lost != nil != goes || goes && !lost.Inbound {
				t.Errorf("%s, our id %d: %+v goes", tt.name, id, lost)
			}
		}
	}
}

// Nobody loses a connection because others claim its id: not from elsewhere, nor
// from its own host, where a few may.
func TestAnotherWithTheSameIDTakesNothingAway(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(host int, port uint16) Peer {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(host).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{'x'}}})
		p := <-s.born
		stage.Next[*messages.AdoptLink](s.children)
		s.ready(p, 'x')
		return p
	}
	for port := range uint16(maxNamesakes) {
		adopt(1, 5000+port)
		stage.Next[*messages.PeerReady](s.scheduler)
	}
	for host := range maxNamesakes {
		adopt(2+host, 5000) // from elsewhere: somebody else
		stage.Next[*messages.PeerReady](s.scheduler)
	}
	s.Quiet(s.children)
	adopt(1, 6000) // one too many, and nobody has been there for long
	stage.Next[*messages.Disconnect](s.children)
	s.Quiet(s.children, s.scheduler)
	s.World.Clock.Advance(together)
	adopt(1, 6001) // in place of one that has been of no use since
	stage.Next[*messages.Disconnect](s.children)
	stage.Next[*messages.PeerReady](s.scheduler)
	// What we dial is not counted.
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.find(1)
	s.ready(<-s.born, 'x')
	stage.Next[*messages.PeerReady](s.scheduler)
}

// A peer that we know refuses us while it holds our old connection for alive:
// that is no reason to stay away for long.
func TestAKnownPeerThatRefusesIsTriedAgainSoon(t *testing.T) {
	s := newScene(t, 4)
	s.find(1)
	s.Tell(&messages.PeersWanted{Wanted: true})
	a := <-s.born
	s.ready(a, 'x')
	s.Tell(&messages.PeerGone{Key: a.Key, Addr: a.Addr, Reason: messages.GoneHandshake})
	s.end(a)
	s.World.Clock.Advance(5 * time.Second)
	s.Settle()
	if len(s.born) != 1 {
		t.Errorf("%d dials within 5 s", len(s.born))
	}
}

func TestIncomingConnectionsAreBounded(t *testing.T) {
	s := newScene(t, 4)
	adopt := func(host int) error {
		link := s.World.Network.NewLink(addrOf(host), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{byte(host)}}})
		s.Settle()
		select {
		case <-s.born:
			stage.Next[*messages.AdoptLink](s.children)
			return nil
		default:
			return link.AwaitClose()
		}
	}
	for i, want := range []bool{true, true, false} {
		if err := adopt(1); (err == nil) != want {
			t.Fatalf("connection %d of one host: %v", i+1, err)
		}
	}
	for host := 2; host < 4; host++ {
		if err := adopt(host); err != nil {
			t.Fatalf("another host: %v", err)
		}
	}
	if err := adopt(9); err == nil {
		t.Error("more connections than the limit")
	}
	s.Tell(&messages.PeersWanted{Wanted: true})
	stage.Next[*messages.RoomWanted](s.scheduler)
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Quiet(s.scheduler) // nobody was turned away since
}

func TestABannedPeerIsLetGoAndItsNeighbourStays(t *testing.T) {
	s := newScene(t, 100)
	s.find(2)
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	a, b := <-s.born, <-s.born
	s.ready(a, 1)
	s.ready(b, 2)
	s.Tell(&messages.BanAddress{Addr: a.Addr, Reason: "sent rubbish"})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneBanned {
		t.Errorf("let go as %v", got.Reason)
	}
	s.Tell(&messages.PeersFound{Addrs: []messages.PeerAddr{{Addr: a.Addr}}})
	s.World.Clock.Advance(time.Hour)
	s.Settle()
	if len(s.born) != 0 {
		t.Error("a banned peer is dialled again")
	}
	s.Quiet(s.children)
}

// A peer that came in is known by its id: others behind the same host stay
// welcome, and are.
func TestABannedPeerThatCameInIsKnownByItsID(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(port uint16, id byte) *fake.Link {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(1).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{id}}})
		s.Settle()
		return link
	}
	adopt(5001, 1)
	bad := <-s.born
	s.ready(bad, 1)
	adopt(5002, 2)
	s.ready(<-s.born, 2)
	s.Tell(&messages.BanAddress{Addr: bad.Addr, Inbound: true, ID: [20]byte{1}, Reason: "sent rubbish"})
	stage.Await[*messages.Disconnect](s.children)
	s.Quiet(s.children)

	if err := adopt(5003, 1).AwaitClose(); err == nil || len(s.born) != 0 {
		t.Error("a banned peer is let in from another port")
	}
	adopt(5004, 3)
	if len(s.born) != 1 {
		t.Error("its neighbour is not let in")
	}
	stage.Await[*messages.AdoptLink](s.children)
	<-s.born
	// Whoever listens there is not to blame for who used its id.
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Tell(&messages.PeersFound{Addrs: []messages.PeerAddr{{Addr: netip.AddrPortFrom(addrOf(1).Addr(), 6881)}}})
	s.ready(<-s.born, 1)
	s.Quiet(s.children)
}

// An id that two use at a time behind one host is not barred: one of them may have
// been robbed of it.
func TestAStolenIDIsNotBarred(t *testing.T) {
	s := newScene(t, 100)
	adopt := func(port uint16) Peer {
		link := s.World.Network.NewLink(netip.AddrPortFrom(addrOf(1).Addr(), port), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{1}}})
		p := <-s.born
		stage.Next[*messages.AdoptLink](s.children)
		s.ready(p, 1)
		return p
	}
	thief := adopt(5001)
	adopt(5002)
	s.Tell(&messages.BanAddress{Addr: thief.Addr, Inbound: true, ID: [20]byte{1}, Reason: "sent rubbish"})
	if got := stage.Next[*messages.Disconnect](s.children); got.Reason != messages.GoneBanned {
		t.Errorf("the thief is let go as %v", got.Reason)
	}
	s.Quiet(s.children)
	adopt(5003)
}

func TestBansAreBounded(t *testing.T) {
	c := newCandidates(DefaultMax)
	for i := range 2 * maxBans {
		c.ban(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1))
	}
	if len(c.bans) != maxBans {
		t.Errorf("%d bans", len(c.bans))
	}
}

func TestAGonePeerIsTriedAgain(t *testing.T) {
	s := newScene(t, 100)
	s.find(1)
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	first := <-s.born
	s.Tell(&messages.PeerReady{Key: first.Key, ID: [20]byte{'x'}, Addr: first.Addr})
	s.Tell(&messages.PeerGone{Key: first.Key, Addr: first.Addr, Reason: messages.GoneClosed})
	s.Tell(&messages.BanAddress{}) // of somebody else
	stage.Next[*messages.PeerReady](s.scheduler)
	s.end(first)
	if len(s.born) != 0 {
		t.Error("dialled again at once")
	}
	s.World.Clock.Advance(5 * time.Second)
	s.Settle()
	if len(s.born) != 1 {
		t.Error("not tried again")
	}
}

// Who comes in does not take all connections while there is somebody to dial.
func TestSomeConnectionsAreKeptForThoseThatWeDial(t *testing.T) {
	s := newScene(t, 10)
	s.find(30) // and nobody is dialled yet
	s.Settle()
	in := 0
	for host := range 20 {
		link := s.World.Network.NewLink(addrOf(100+host), true)
		s.Tell(&messages.AdoptLink{Link: link, Handshake: frame.Handshake{PeerID: [20]byte{byte(host)}}})
		s.Settle()
		if len(s.born) > in {
			in++
		} else if err := link.AwaitClose(); err == nil {
			t.Fatal("turned away without a reason")
		}
	}
	if want := 10 - 10/keptShare; in != want {
		t.Errorf("%d came in, want %d", in, want)
	}
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	if len(s.born) != 10 {
		t.Errorf("%d connections after dialling, want all 10", len(s.born))
	}
}

// At the end all peers are stopped before the scheduler sums up, and nobody comes
// any more.
func TestAllPartBeforeTheCountsAreSummedUp(t *testing.T) {
	s := newScene(t, 10)
	s.find(2)
	s.Tell(&messages.PeersWanted{Wanted: true})
	<-s.born
	<-s.born
	s.Tell(&messages.Disband{ReplyTo: s.torrent.PID})
	stage.Next[*messages.Disband](s.scheduler)
	for _, n := range s.Tree.Snapshot() {
		if n.Kind == "peer" {
			t.Errorf("%s is still there", n.Path)
		}
	}
	s.find(3)
	s.Tell(&messages.PeersWanted{Wanted: true})
	s.Settle()
	if len(s.born) > 0 {
		t.Error("somebody is dialled at the end")
	}
}
