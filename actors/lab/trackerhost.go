package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/trackerserver"
	"kouzui/actors/world/sim"
)

const (
	trackerName = "tracker.sim"
	trackerPort = 6969
	// trackerDelay is that of the simulator's own tracker over HTTP, too.
	trackerDelay = 20 * time.Millisecond
)

// Over what the tracker of a scenario is asked: HTTP, of which the simulator
// has a tracker of its own, or UDP, which the embedded tracker answers at a
// simulated host.
const (
	TrackerHTTP = "http"
	TrackerUDP  = "udp"
)

// trackerURL is where nodes announce.
func (s *Scenario) trackerURL() string {
	if s.Tracker == TrackerUDP {
		return fmt.Sprintf("udp://%s:%d/announce", trackerName, trackerPort)
	}
	return "http://" + trackerName + "/announce"
}

// swarmTracker is the tracker of a run.
type swarmTracker interface {
	die()
	comeBack() // if it is dead
	release()  // what it has of the machine, at the end of the run
}

func (r *run) newTracker() swarmTracker {
	if r.Tracker != TrackerUDP {
		return httpTracker{r.sim.NewTracker(r.trackerURL(), time.Duration(r.Announce))}
	}
	t := &trackerHost{run: r, host: r.sim.NewHost("tracker", sim.Class{Delay: trackerDelay})}
	t.host.GiveName(trackerName)
	t.start()
	return t
}

// httpTracker remembers its peers while it is dead.
type httpTracker struct{ *sim.Tracker }

func (t httpTracker) die()      { t.Dead = true }
func (t httpTracker) comeBack() { t.Dead = false }
func (httpTracker) release()    {}

// trackerHost is a host on which the embedded tracker runs. When its process
// has died, the next one knows nobody, and gives other connection IDs.
type trackerHost struct {
	run   *run
	host  *sim.Host
	tree  *supervise.Tree
	pid   *actor.PID
	trace *part // of the process; nil: no trace is kept
}

func (t *trackerHost) start() {
	sinks := []event.Sink{t.host}
	if t.run.trace != nil {
		t.trace = t.run.trace.of()
		sinks = append(sinks, t.trace)
	}
	world := t.host.World()
	t.tree = supervise.New(supervise.Config{
		System: supervise.NewSystem(zerolog.Nop()), Clock: world.Clock, Chance: world.Chance, Sinks: sinks,
		Dispatcher: t.host.Dispatcher(), Blocking: t.host.Blocking(), Mailbox: t.host.Mailbox,
	})
	config := trackerserver.Config{World: world, Limits: trackerserver.Limits{Interval: time.Duration(t.run.Announce)}}
	key := world.Chance.Source("connection IDs")
	for i := 0; i < len(config.Key); i += 8 {
		binary.BigEndian.PutUint64(config.Key[i:], key.Uint64())
	}
	props := t.tree.Props("trackerserver", func() actor.Actor { return trackerserver.New(config) })
	forever := supervise.DefaultBackoff
	forever.WhenSpent = supervise.Forever
	var err error
	if t.pid, err = t.tree.Spawn(t.host.Name, props, forever); err == nil {
		_, err = trackerserver.ServeUDP(world.Packets, netip.AddrPortFrom(netip.IPv4Unspecified(), trackerPort), t.tree.System.Root, t.pid, nil)
	}
	if err != nil {
		t.run.blameHost(t.host.Name, "it does not start: %v", err)
	}
}

func (t *trackerHost) die() {
	if !t.host.Alive() {
		return
	}
	if t.trace != nil {
		t.trace.end(t.run.sim.Now(), event.ReasonKill)
	}
	t.host.Kill()
	t.release()
}

func (t *trackerHost) comeBack() {
	if !t.host.Alive() && !t.run.over {
		t.host.Boot()
		t.start()
	}
}

func (t *trackerHost) release() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = t.tree.Shutdown(ended, t.pid) // its actors will not answer any more
}
