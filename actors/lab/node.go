package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/supervise"
	"kouzui/actors/world/sim"
	"kouzui/messages"
)

// node is one client, with all the lives of its process.
type node struct {
	run    *run
	class  *Class
	name   string
	host   *sim.Host
	client *actors.Client

	arrived  time.Duration
	complete time.Duration // when everything was there; negative: not yet
	leaves   bool          // before it is complete, perhaps
	gone     bool          // left, or stopped
	down     bool          // its process is dead, and comes back
	failed   error         // the torrent's last word

	life  messages.Progress // of the process that lives now
	past  messages.Progress // the sums of those before
	peak  int               // blocks of payload in memory
	graph pace
}

// memory that nodes get unless their class says otherwise.
const defaultMemory = 4 << 20

func (n *node) start() {
	c := n.class
	faults, _ := c.faults() // checked before
	for i := range faults {
		faults[i].Seed ^= n.run.sim.Rand("faults " + n.name).Uint64()
	}
	sinks := []supervise.Sink{n.host, newJudge(n)}
	if n.run.trace != nil {
		sinks = append(sinks, n.run.trace.of())
	}
	memory := int64(c.Memory)
	if memory == 0 {
		memory = defaultMemory
	}
	client, err := actors.Start(actors.Options{
		World: n.host.World(), Pool: n.host.Pool, Log: zerolog.Nop(), Sinks: sinks, Notes: n.run.options.Notes,
		Notify: n.notify, Listen: ":6881", Memory: memory, Name: n.name,
		Dispatcher: n.host.Dispatcher(), Mailbox: n.host.Mailbox, Faults: faults,
	})
	if err != nil {
		n.run.blame(n, "it does not start: %v", err)
		return
	}
	n.client, n.down = client, false
	complete, _, _ := c.leave()
	client.Add(n.run.content.torrent, messages.TorrentOptions{
		Dir: dir, Picker: c.Picker, Choker: c.Choker, UnchokeSlots: c.Slots, MaxPeers: c.Peers, Seed: !complete,
	})
}

func (n *node) notify(m any) {
	switch m := m.(type) {
	case *messages.Progress:
		n.life = *m
		n.observe()
	case *messages.TorrentPieces:
		n.run.verify(n, m.Pieces)
	case *messages.TorrentCompleted:
		n.life = m.Last
		n.done()
	case *messages.TorrentDone:
		n.life = m.Last
		if m.Complete {
			n.done()
		}
		n.leave()
	case *messages.TorrentFailed:
		n.life = m.Last
		n.failed = m.Err
	}
}

func (n *node) observe() {
	if n.life.State == messages.StateSeeding {
		n.done()
	}
	n.peak = max(n.peak, n.host.Pool.Stats().Live)
	n.graph.add(n.run.sim.Elapsed(), n.life.Have)
}

func (n *node) done() {
	if n.complete < 0 {
		n.complete = n.run.sim.Elapsed()
		n.run.verifyAll(n)
	}
}

// leave stops the client in good order.
func (n *node) leave() {
	n.gone = true
	n.client.Halt()
}

// bury adds up what a process has done that is dead.
func (n *node) bury() {
	add(&n.past, &n.life)
	n.life = messages.Progress{}
	n.down = true
	_ = n.client.Shutdown(0) // there is nobody to wait for
}

func add(sum, p *messages.Progress) {
	sum.Downloaded += p.Downloaded
	sum.Uploaded += p.Uploaded
	sum.Wasted += p.Wasted
	sum.Corrupt += p.Corrupt
	sum.Restarts += p.Restarts
}

func (n *node) total() messages.Progress {
	sum := n.past
	add(&sum, &n.life)
	return sum
}

// pace is how much was there when, at most once a second.
type pace []Have

func (p *pace) add(at time.Duration, have int64) {
	if last := len(*p) - 1; last >= 0 && (*p)[last].Bytes == have {
		return
	}
	*p = append(*p, Have{at, have})
}

// judge is a sink that holds the life of a process against the rules of
// supervision.
type judge struct {
	node     *node
	restarts map[string][]time.Time
	children map[string]int // that live
}

func newJudge(n *node) *judge {
	return &judge{node: n, restarts: map[string][]time.Time{}, children: map[string]int{}}
}

// Record implements supervise.Sink.
func (j *judge) Record(e *supervise.Event) {
	switch e.Kind {
	case supervise.Failed:
		if e.Stack != "" && !strings.HasPrefix(e.Reason, "injected fault") {
			j.node.run.blame(j.node, "%s panics at %s: %s\n%s", e.Actor, e.MessageType, e.Reason, e.Stack)
		}
	case supervise.Note:
		if e.Note == supervise.NotePanic {
			j.node.run.blame(j.node, "%s panics on its way out: %s\n%s", e.Actor, e.Reason, e.Stack)
		}
	case supervise.Restarted:
		b := supervise.DefaultBackoff
		recent := slices.DeleteFunc(j.restarts[e.Actor], func(t time.Time) bool { return e.Time.Sub(t) > b.Window })
		j.restarts[e.Actor] = append(recent, e.Time)
		// One that is tried for ever waits for Cap before each try.
		if most := b.Budget + int(float64(b.Window)/(float64(b.Cap)*(1-b.Jitter))) + 1; len(recent) >= most {
			j.node.run.blame(j.node, "%s is restarted more than %d times in %v", e.Actor, most, b.Window)
		}
	case supervise.Spawned:
		j.children[e.Parent]++
	case supervise.Stopped:
		j.children[e.Parent]--
		if n := j.children[e.Actor]; n > 0 {
			j.node.run.blame(j.node, "%d actors outlive %s", n, e.Actor)
		}
		delete(j.children, e.Actor)
	}
}

func nodeName(c *Class, i int) string { return fmt.Sprintf("%s-%03d", c.Name, i+1) }
