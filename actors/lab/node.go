package lab

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"
	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/world/sim"
	"kouzui/messages"
)

// node is one client, with all the lives of its process.
type node struct {
	run    *run
	class  *Class
	index  int // in its class
	name   string
	host   *sim.Host
	client *actors.Client
	trace  *part // of its process; nil: nobody wants it

	arrived  time.Duration
	complete time.Duration // when everything was there; negative: not yet
	leaves   bool          // before it is complete, perhaps
	gone     bool          // left, or stopped
	down     bool          // its process is dead, and comes back
	failed   error         // the torrent's last word

	pieces  *bitset.BitSet // that it has had
	counts  bool           // its process runs: its copies count
	laid    int64          // bytes that were there from the start
	handled uint64         // messages, by mailboxes that are not the simulator's

	life  messages.Progress // of the process that lives now
	past  messages.Progress // the sums of those before
	peak  int               // blocks of payload in memory
	graph pace

	// Of the process that lives now.
	judge   *judge
	watcher *watch // nil: nobody watches
}

// defaultMemory is for payload, in bytes, unless the class of a node says
// otherwise.
const defaultMemory = 4 << 20

func (n *node) start() {
	c := n.class
	faults, _ := c.faults() // checked before
	for i := range faults {
		faults[i].Seed ^= n.run.sim.Rand("faults " + n.name).Uint64()
	}
	n.judge = newJudge(n)
	sinks := []event.Sink{n.host, n.judge, witness{n}}
	if n.run.trace != nil {
		n.trace = n.run.trace.of()
		sinks = append(sinks, n.trace)
	}
	memory := int64(c.Memory)
	if memory == 0 {
		memory = defaultMemory
	}
	n.watch(memory)
	world := n.host.World()
	if c.Processors > 0 {
		world.Machine.Processors = c.Processors
	}
	var limits messages.SetLimits
	if c.Limits {
		limits = messages.SetLimits{Down: int64(c.Down), Up: int64(c.Up)}
	}
	client, err := actors.Start(actors.Options{
		World: world, Pool: n.host.Pool, Log: zerolog.Nop(), Sinks: sinks, Notes: n.run.options.Notes,
		Notify: n.notify, Listen: ":6881", Memory: memory, Limits: limits, Name: n.name,
		Dispatcher: n.host.Dispatcher(), Mailbox: n.mailbox(), Restarts: c.Restarts.backoff(), Faults: faults,
	})
	if err != nil {
		n.run.blame(n, "it does not start: %v", err)
		return
	}
	n.client, n.down = client, false
	n.run.count(n, true)
	complete, _, _ := c.leave()
	if err := client.Add(n.run.content.torrent, messages.TorrentOptions{
		Dir: dir, Picker: c.Picker, Choker: c.Choker, UnchokeSlots: c.Slots, MaxPeers: c.Peers, Seed: !complete,
	}); err != nil {
		n.run.blame(n, "the torrent is not taken: %v", err)
	}
}

func (n *node) notify(m any) {
	switch m := m.(type) {
	case *messages.Progress:
		n.life = *m
		n.observe()
	case *messages.TorrentPiecesVerified:
		for _, piece := range m.Pieces {
			n.run.gain(n, uint(piece))
		}
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
		if n.life.Downloaded+n.past.Downloaded > 0 {
			n.run.record.mark(Mark{n.complete, n.complete, "complete", n.name, ""})
		}
		n.run.verifyAll(n)
	}
}

// leave stops the client in good order.
func (n *node) leave() {
	n.gone = true
	n.client.Halt()
	n.run.count(n, false)
	n.run.record.mark(Mark{n.run.sim.Elapsed(), n.run.sim.Elapsed(), "leave", n.name, ""})
}

// mailbox makes the mailboxes of its class.
func (n *node) mailbox() actor.MailboxProducer {
	if made, is := mailboxes[n.class.Mailbox]; is {
		return made(tally{&n.handled})
	}
	return n.host.Mailbox
}

// bury adds up what a process has done that is dead.
func (n *node) bury(why string) {
	if n.trace != nil {
		n.trace.end(n.run.sim.Now(), why)
	}
	add(&n.past, &n.life)
	n.life = messages.Progress{}
	n.down = true
	n.run.count(n, false)
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

func nodeName(c *Class, i int) string { return fmt.Sprintf("%s-%03d", c.Name, i+1) }
