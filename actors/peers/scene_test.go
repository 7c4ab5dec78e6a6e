package peers

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// scene is the actor among probes. The peer actors that it spawns pass on what
// they are sent to the probe children.
type scene struct {
	*stage.Stage
	torrent, scheduler *stage.Probe
	session            *stage.Probe
	born               chan Peer
	pids               map[messages.PeerKey]*actor.PID // by the actor under test, before it tells of the birth
	children           *stage.Probe                    // gets what all peers get
}

var self = [20]byte{'m'}

func newScene(t *testing.T, limit int) *scene { return newSceneOf(t, limit, &metainfo.Torrent{}) }

// newSceneOf is a scene of a torrent; nil: its metainfo is not known yet.
func newSceneOf(t *testing.T, limit int, torrent *metainfo.Torrent) *scene {
	s := &scene{Stage: stage.New(t), born: make(chan Peer, 1000), pids: map[messages.PeerKey]*actor.PID{}}
	s.torrent, s.scheduler, s.children = s.StartProbe("torrent"), s.StartProbe("scheduler"), s.StartProbe("children")
	s.session = s.StartProbe("session")
	child := func(c actor.Context) {
		switch m := c.Message().(type) {
		case *messages.Disconnect:
			c.Send(s.children.PID, m)
			supervise.StopSelf(c, m.Reason.String())
		case *messages.AdoptLink, *messages.SetLimits, *messages.SetPublicity, *messages.TellPeers, *messages.ReportRates:
			c.Forward(s.children.PID)
		}
	}
	keys := messages.PeerKey(0)
	config := Config{
		NextKey: func() messages.PeerKey { keys++; return keys },
		World:   s.World.World(), Self: self, Max: limit, Metainfo: torrent, Blocklist: stage.Blocklist(t, "203.0.113.0/24"),
		Refs: messages.Refs{Session: s.session.PID, Torrent: s.torrent.PID, Scheduler: s.scheduler.PID},
		Spawn: func(c actor.Context, p Peer) (*actor.PID, error) {
			pid := c.Spawn(s.Tree.Props("peer", func() actor.Actor { return actor.ReceiveFunc(child) }))
			s.pids[p.Key] = pid
			s.born <- p // last: who receives it may look at pids
			return pid, nil
		},
	}
	s.Perform(func() actor.Actor { return New(config) })
	stage.Next[*messages.QueryCandidates](s.torrent)
	return s
}

func (s *scene) find(n int) {
	m := &messages.AddCandidates{}
	for i := range n {
		m.Addrs = append(m.Addrs, messages.PeerAddr{Addr: addrOf(i + 1)})
	}
	s.Tell(m)
}

func (s *scene) ready(p Peer, id byte) {
	s.Tell(&messages.PeerReady{Key: p.Key, ID: [20]byte{id}, Addr: p.Addr, Inbound: p.Inbound})
}

// end stops the only peer actor, and waits until the actor under test knows and
// has set the timer of its next dial.
func (s *scene) end(p Peer) {
	if err := s.Tree.System.Root.StopFuture(s.pids[p.Key]).Wait(); err != nil {
		panic(err)
	}
	s.World.Clock.AwaitTimers(1)
}
