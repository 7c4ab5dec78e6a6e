package choker

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

type scene struct {
	*stage.Stage
	peers, scheduler *stage.Probe
}

func perform(t *testing.T, slots int) *scene {
	s := &scene{Stage: stage.New(t)}
	s.peers, s.scheduler = s.StartProbe("peers"), s.StartProbe("scheduler")
	refs := messages.Refs{Peers: s.peers.PID, Scheduler: s.scheduler.PID}
	s.Perform(func() actor.Actor { return New(Config{World: s.World.World(), Refs: refs, Slots: slots}) })
	s.rollCall()
	return s
}

func (s *scene) rollCall() {
	stage.Next[*messages.ReportRates](s.scheduler)
	stage.Next[*messages.ReportRates](s.peers)
}

func (s *scene) report(p *stage.Probe, key messages.PeerKey, rate float64, flags messages.PeerFlags) {
	s.Tell(&messages.PeerRates{Key: key, Peer: p.PID, At: s.World.Clock.Now(), Down: rate, Flags: flags})
}

var (
	choked   = messages.PeerFlags{AmChoking: true, PeerInterested: true}
	unchoked = messages.PeerFlags{PeerInterested: true}
)

func told(t *testing.T, p *stage.Probe, choked bool) {
	t.Helper()
	if m := stage.Next[*messages.SetChoked](p); m.Choked != choked {
		t.Fatalf("told %+v", m)
	}
}

func TestInterestedPeerIsUnchokedAtOnce(t *testing.T) {
	s := perform(t, 1)
	a := s.StartProbe("a")
	s.report(a, 1, 0, messages.PeerFlags{AmChoking: true})
	s.Quiet(a)
	s.report(a, 1, 0, choked)
	told(t, a, false)
	s.report(a, 1, 10, unchoked)
	s.Quiet(a)
}

func TestRoundMovesASlot(t *testing.T) {
	s := perform(t, 1)
	a, b, d := s.StartProbe("a"), s.StartProbe("b"), s.StartProbe("d")
	s.report(a, 1, 100, choked)
	told(t, a, false)
	s.report(b, 2, 200, choked)
	told(t, b, false) // optimistic
	s.report(d, 3, 300, choked)
	s.Quiet(d)
	s.Tell(&messages.SeedingChanged{})
	s.Settle()
	s.World.Clock.Advance(roundPeriod)
	told(t, d, false)
	told(t, a, true)
	s.Quiet(a, b, d)
}

func TestSlotOfADeadPeerIsFree(t *testing.T) {
	s := perform(t, 1)
	a, b, d, e := s.StartProbe("a"), s.StartProbe("b"), s.StartProbe("d"), s.StartProbe("e")
	for i, p := range []*stage.Probe{a, b, d, e} {
		s.report(p, messages.PeerKey(i), 0, choked)
	}
	told(t, a, false)
	told(t, b, false)
	s.Quiet(d, e)
	s.Stop(a)
	told(t, d, false)
	s.Tell(&messages.PeerGone{Key: 1})
	told(t, e, false)
	s.Tell(&messages.PeerGone{Key: 1})
	s.Quiet(b, d, e)
}

func TestContradictionIsAnsweredAgain(t *testing.T) {
	s := perform(t, 1)
	a := s.StartProbe("a")
	s.report(a, 1, 0, choked)
	told(t, a, false)
	s.report(a, 1, 0, choked)
	told(t, a, false)
	s.Quiet(a)
}

func TestRestartAdoptsWhatPeersReport(t *testing.T) {
	s := perform(t, 1)
	a, b := s.StartProbe("a"), s.StartProbe("b")
	s.report(a, 1, 0, choked)
	told(t, a, false)
	s.World.Clock.Advance(7 * time.Second)
	s.Crash()
	s.rollCall()
	s.report(b, 2, 0, messages.PeerFlags{AmChoking: true})
	s.report(a, 1, 0, unchoked)
	s.Quiet(a, b)
	s.World.Clock.Advance(roundPeriod - time.Second) // the old timer is gone
	s.Quiet(a, b)
	if d, ok := s.World.Clock.Next(); !ok || d != time.Second {
		t.Errorf("the next round is in %v", d)
	}
}

// In a crowd a free slot is filled soon, in one go for all peers that came
// meanwhile.
func TestCrowdIsLookedAtTogether(t *testing.T) {
	s := perform(t, 1)
	a := s.StartProbe("a")
	crowd := make([]*stage.Probe, crowd)
	for i := range crowd {
		crowd[i] = s.StartProbe(fmt.Sprint("idle", i))
		s.report(crowd[i], messages.PeerKey(1+i), 0, messages.PeerFlags{AmChoking: true})
	}
	s.report(a, 500, 0, choked)
	s.Quiet(a)
	s.World.Clock.Advance(fillDelayEach)
	told(t, a, false)
	s.Quiet(crowd...)
}
