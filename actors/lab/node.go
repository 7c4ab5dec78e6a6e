package lab

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"
	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/mailbox"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/world/sim"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// node is one client, and all the processes in which it has run.
type node struct {
	run    *run
	class  *Class
	index  int // in its class
	name   string
	host   *sim.Host
	client *actors.Client
	trace  *part      // of its process; nil: no trace is kept
	heard  *overheard // of its process; nil: there is no DHT

	arrived  time.Duration
	complete time.Duration // when it was complete; negative: not yet
	leaves   bool          // it may leave before it is complete
	gone     bool          // it has left or stopped
	down     bool          // its process was ended and will be started again

	metainfo *metainfo.Torrent // that peers have told; nil: none
	learned  time.Duration     // when they first did

	player *player // nil: it does not play

	pieces *bitset.BitSet // pieces that it has
	counts bool           // its process runs: its copies count
	laid   int64          // bytes that were there from the start

	outage  *outage         // nil: its process has not been ended since it last served or downloaded
	crashes int             // how often its process was ended
	repairs []time.Duration // how long each outage took

	life  messages.Progress // counts of the process that runs now
	past  messages.Progress // sums of the counts of earlier processes
	peak  int               // blocks of payload in memory
	last  *sim.Leg          // that led to its completion; nil: not known
	graph pace

	// The following belong to the process that runs now.
	failed  error // the error with which the torrent ended
	judge   *judge
	watcher *watch // nil: messages are not watched
}

// clientPort is where all nodes are dialled, and where their DHT is.
const clientPort = 6881

// defaultMemory is for payload, in bytes, unless the class of a node says
// otherwise.
const defaultMemory = 4 << 20

func (n *node) start() {
	c := n.class
	faults, _ := c.faults() // checked before
	for i := range faults {
		faults[i].Seed ^= n.run.sim.Rand("faults " + n.name).Uint64()
	}
	n.spare(faults)
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
	if n.watcher != nil {
		sinks = append(sinks, n.watcher)
	}
	world := n.host.World()
	var table *actors.DHT
	if n.run.inDHT() {
		table = dhtOf(false)
		n.heard = n.run.overhear(n.name, world)
	} else if n.run.Tracker != TrackerUDP {
		world.Packets = nil // nothing in the scenario uses datagrams
	}
	world.Machine.Processors = cmp.Or(c.Processors, c.Cores, world.Machine.Processors)
	var limits messages.SetLimits
	if c.Limits {
		limits = messages.SetLimits{Down: int64(c.Down), Up: int64(c.Up)}
	}
	patterns := n.run.PatternsOf(c)
	client, err := actors.Start(actors.Options{
		World: world, Pool: n.host.Pool, DHT: table, Log: zerolog.Nop(), Sinks: sinks, Meter: n.host.Meter(), Notes: n.run.options.Notes,
		Notify: n.notify, Listen: fmt.Sprintf(":%d", clientPort), Encryption: messages.EncryptionPolicy(c.Encryption), Memory: memory, Limits: limits, Name: n.name,
		Dispatcher: n.host.Dispatcher(), Blocking: n.host.Blocking(), Mailbox: n.host.Mailbox, Together: n.together(patterns), Patterns: patterns, Faults: faults,
	})
	if err != nil {
		n.run.blame(n, "it does not start: %v", err)
		return
	}
	n.client, n.down, n.failed = client, false, nil
	n.run.count(n, true)
	complete, _, _ := c.Leaving()
	if err := n.add(messages.TorrentOptions{
		Dir: dir, Patterns: patterns, UnchokeSlots: c.Slots, MaxPeers: c.Peers, Seed: !complete || c.Linger > 0, SeedFor: time.Duration(c.Linger), SuperSeed: messages.SuperSeeding(c.SuperSeed),
		Peers: n.run.known(c.Knows), NoPEX: c.NoPEX, DHT: messages.DHTMode(c.DHT),
	}); err != nil {
		n.run.blame(n, "the torrent is not taken: %v", err)
	}
}

// add gives the client the torrent, or as much of it as a magnet link and the
// processes before have told.
func (n *node) add(o messages.TorrentOptions) error {
	torrent := n.run.content.torrent
	if !n.class.Magnet {
		return n.client.Add(torrent, o)
	}
	if err := n.client.AddHash(torrent.InfoHash, "", nil, o); err != nil {
		return err
	}
	if n.metainfo != nil {
		n.client.SetMetainfo(n.metainfo)
	}
	return nil
}

// known is the address of the first node of a class, if it is there.
func (r *run) known(class string) []netip.AddrPort {
	for _, n := range r.nodes {
		if n.class.Name == class && n.host != nil {
			return []netip.AddrPort{netip.AddrPortFrom(n.host.Addr, clientPort)}
		}
	}
	return nil
}

// learn takes what peers have told of a torrent that was added by its magnet
// link.
func (n *node) learn(m *metainfo.Torrent) {
	if n.metainfo == nil {
		n.metainfo, n.learned = m, n.run.sim.Elapsed()
	}
	if m.InfoHash != n.run.content.torrent.InfoHash || m.Length != n.run.content.torrent.Length {
		n.run.blame(n, "its peers have told it of another torrent: %v", m.InfoHash)
	}
}

// together is what makes the mailboxes of an engine; nil: its actors share
// nothing.
func (n *node) together(chosen pattern.Choice) func() actor.MailboxProducer {
	if !pattern.Chosen(mailbox.Granularities, chosen).Shared {
		return nil
	}
	return n.host.Together
}

func (n *node) notify(m any) {
	switch m := m.(type) {
	case *messages.Progress:
		n.life = *m
		n.observe()
	case *messages.DHTReport:
		n.heard.report(m)
	case *messages.TorrentMetainfoFound:
		n.learn(m.Torrent)
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
	switch n.life.State {
	case messages.StateDownloading:
		n.recover()
	case messages.StateSeeding:
		n.recover()
		n.done()
	}
	n.peak = max(n.peak, n.host.Pool.Stats().Live)
	n.graph.add(n.run.sim.Elapsed(), n.life.Have)
}

func (n *node) done() {
	if n.complete < 0 {
		n.complete = n.run.sim.Elapsed()
		if n.class.Have < 1 {
			n.last = n.run.sim.Path()
		}
		if n.life.Downloaded+n.past.Downloaded > 0 {
			n.run.record.mark(Mark{n.complete, n.complete, "complete", n.name, ""})
		}
		n.run.verifyAll(n)
	}
}

// leave stops the client in the usual way.
func (n *node) leave() {
	n.gone = true
	n.client.Halt()
	n.run.count(n, false)
	n.run.record.mark(Mark{n.run.sim.Elapsed(), n.run.sim.Elapsed(), "leave", n.name, ""})
}

// end ends the process, and adds its counts to those of the earlier ones. The
// trace comes first: what others notice stems from its last event.
func (n *node) end(how string) {
	n.client.Tree().RecordWork()
	var fault uint64
	if n.trace != nil {
		fault = n.trace.end(n.run.sim.Now(), how)
	}
	n.crashes++
	if n.outage == nil {
		n.outage = &outage{n.run.sim.Elapsed(), fault}
	}
	if how == event.ReasonKill {
		n.host.Kill()
	} else {
		n.host.PowerCut()
	}
	add(&n.past, &n.life)
	n.life = messages.Progress{}
	n.down = true
	n.run.count(n, false)
	_ = n.client.Shutdown(0) // its actors will not answer any more
}

// outage is that a node neither serves nor downloads because its process was
// ended, once or several times.
type outage struct {
	since time.Duration
	fault uint64 // in the trace
}

// recover ends the outage, if there is one.
func (n *node) recover() {
	if n.outage == nil {
		return
	}
	took := n.run.sim.Elapsed() - n.outage.since
	n.repairs = append(n.repairs, took)
	if n.trace != nil {
		n.trace.recovered(n.run.sim.Now(), n.name, n.outage.fault, took)
	}
	n.outage = nil
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

// pace is how much a node had at which time, at most one entry a second.
type pace []Have

func (p *pace) add(at time.Duration, have int64) {
	if last := len(*p) - 1; last >= 0 && (*p)[last].Bytes == have {
		return
	}
	*p = append(*p, Have{at, have})
}

func nodeName(c *Class, i int) string { return fmt.Sprintf("%s-%03d", c.Name, i+1) }
