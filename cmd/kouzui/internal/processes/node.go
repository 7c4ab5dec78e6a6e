package processes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab"
)

// node is one client, and all the processes in which it has run.
type node struct {
	class   *lab.Class
	name    string
	args    []string // of its process
	home    string
	data    string // the folder of its data
	place   place
	planned time.Duration // when it comes

	process  *process      // nil: none runs
	ending   bool          // the process was asked to end, or killed
	gone     bool          // it has left, or failed
	leaves   bool          // it may leave before it is complete
	down     bool          // its process was killed and will be started again
	back     time.Duration // when it will be
	arrived  time.Time
	complete time.Time // zero: it is not
	came     bool      // it came with everything
	traces   []string
	crashes  int
	killed   time.Time       // zero: its process was not, or is repaired
	repairs  []time.Duration // from a crash until it served or downloaded again

	pieces *bitset.BitSet // that it has
	laid   int64          // bytes that were there from the start
	life   counts         // of the process that runs now
	past   counts         // sums of those of earlier processes
	failed string         // the last error that a process has told
	graph  []lab.Have
	sent   []sent
}

// counts are what a process says of itself.
type counts struct {
	State      string
	Why        string
	Downloaded int64
	Uploaded   int64
	Wasted     int64
	Restarts   int
}

func (c *counts) about() string { return cmp.Or(c.Why, c.State, "it said nothing") }

func (c *counts) add(other *counts) {
	c.Downloaded += other.Downloaded
	c.Uploaded += other.Uploaded
	c.Wasted += other.Wasted
	c.Restarts += other.Restarts
}

func (n *node) total() counts {
	sum := n.past
	sum.add(&n.life)
	return sum
}

// sent is what a node had sent by some time.
type sent struct {
	at    time.Time
	bytes int64
}

// defaultMemory is that of simulated nodes.
const defaultMemory = 4 << 20

// newNode lays out the data of a node, and says how its process is started.
func (s *swarm) newNode(c *lab.Class, index int, as lab.Node, in place) (*node, error) {
	n := &node{class: c, name: as.Name, planned: as.Arrived, place: in}
	n.home, n.data = nodeFolders(s.home, n.name)
	if err := os.MkdirAll(n.data, 0o700); err != nil {
		return nil, err
	}
	n.pieces = c.Share(index, s.content.Info.PieceCount(), s.rnd)
	for piece := range n.pieces.EachSet() {
		n.laid += s.content.Info.PieceSize(int(piece))
	}
	n.came = c.Have == 1
	if err := s.lay(n.data, n.pieces); err != nil {
		return nil, err
	}
	complete, after, err := c.Leaving()
	if err != nil {
		return nil, err
	}
	n.leaves = after > 0
	n.args = s.arguments(c, n.came && !complete, complete)
	n.args = append(n.args, "--bind", n.place.addr)
	n.args = append(n.args, "--dir", n.data)
	return n, nil
}

// arguments are those of the process of a node.
func (s *swarm) arguments(c *lab.Class, seed, leaves bool) []string {
	args := []string{"download", s.content.Torrent}
	if seed {
		args[0] = "seed"
	} else {
		if !leaves {
			args = append(args, "--seed")
		}
		if c.Down > 0 && s.keepsLimits(c) {
			args = append(args, "--max-download-limit", number(c.Down))
		}
	}
	if c.Up > 0 && s.keepsLimits(c) {
		args = append(args, "--max-upload-limit", number(c.Up))
	}
	args = append(args, "--memory", number(cmp.Or(c.Memory, defaultMemory)), "--listen-port", "0", "--dht", "off", "--no-port-mapping", "--json", "--progress", "none", "--quiet")
	if c.Slots > 0 {
		args = append(args, "--unchoke-slots", number(c.Slots))
	}
	if c.Peers > 0 {
		args = append(args, "--max-peers", number(c.Peers))
	}
	if c.NoPEX {
		args = append(args, "--no-pex")
	}
	if c.Encryption != "" {
		args = append(args, "--encryption="+c.Encryption)
	}
	if c.SuperSeed != "" {
		args = append(args, "--super-seed="+c.SuperSeed)
	}
	for _, text := range c.Faults {
		args = append(args, "--fault", text)
	}
	patterns := ofProcesses(s.Scenario.PatternsOf(c))
	for _, kind := range slices.Sorted(maps.Keys(patterns)) {
		args = append(args, "--pattern", kind+"="+patterns[kind])
	}
	return args
}

// keepsLimits tells whether the rates of a class are limits of its clients.
func (s *swarm) keepsLimits(c *lab.Class) bool { return c.Limits || !s.Namespaces }

// owes tells whether a node must still become complete.
func (n *node) owes() bool { return n.complete.IsZero() && !n.leaves && !n.gone }

// runs tells whether the pieces of a node count as copies.
func (n *node) runs() bool { return n.process != nil }

func (n *node) have() int64 {
	if len(n.graph) == 0 {
		return n.laid
	}
	return n.graph[len(n.graph)-1].Bytes
}

func (s *swarm) arrive(n *node) {
	s.coming--
	n.arrived = time.Now()
	s.mark("arrive", n, 0, "")
	s.start(n)
	if _, after, _ := n.class.Leaving(); after > 0 {
		s.after(s.now()+after, func() { s.leave(n) })
	}
}

// start starts a process of a node.
func (s *swarm) start(n *node) {
	n.ending, n.down = false, false
	trace := filepath.Join(n.home, fmt.Sprintf("%d.trace", len(n.traces)+1))
	n.traces = append(n.traces, trace)
	var p *process
	say := func(m news) {
		m.node, m.process = n, p
		select {
		case s.news <- m:
		case <-s.over:
		}
	}
	started := make(chan struct{}) // p is set before any news
	p, err := starter{s.program, n.home, n.place}.start(append(slices.Clone(n.args), "--trace", trace),
		func(text string) { <-started; say(news{line: text}) }, func() { <-started; say(news{ended: true}) })
	close(started)
	if err != nil {
		n.gone = true
		s.blame(n, "its process cannot be started: %v", err)
		return
	}
	s.usage.Started++
	n.process = p
	s.count(n, 1)
}

// leave lets a node go in the usual way.
func (s *swarm) leave(n *node) {
	n.gone = true
	if n.process != nil {
		n.ending = true
		n.process.end()
	}
}

// line is what is read of a line of JSON.
type line struct {
	Type       string
	TS         time.Time
	State, Why string
	Have       int64
	Downloaded int64
	Uploaded   int64
	Wasted     int64
	Bytes      int64           // of the last lines: downloaded
	Pieces     json.RawMessage // of "piece" a list
	Actor      string
	Reason     string
	Error      string
}

// hear takes news of a process.
func (s *swarm) hear(m news) {
	n := m.node
	if m.process != n.process {
		return // one that was killed
	}
	if m.ended {
		s.ended(n)
		return
	}
	var l line
	if json.Unmarshal([]byte(m.line), &l) != nil {
		return // a line that was cut off by the end of the process
	}
	switch l.Type {
	case "progress":
		n.life.State, n.life.Why = l.State, l.Why
		n.life.Downloaded, n.life.Uploaded, n.life.Wasted = l.Downloaded, l.Uploaded, l.Wasted
		if !n.killed.IsZero() && (l.State == "downloading" || l.State == "seeding") {
			n.repairs = append(n.repairs, l.TS.Sub(n.killed))
			n.killed = time.Time{}
		}
		s.note(n, l.TS, l.Have)
	case "piece":
		var pieces []uint
		if json.Unmarshal(l.Pieces, &pieces) == nil {
			s.gain(n, pieces, l.TS)
		}
	case "completed":
		s.completed(n, l.TS)
	case "restart":
		n.life.Restarts++
		s.mark("restart", n, 0, l.Actor+": "+l.Reason)
	case "torrent":
		n.life.Downloaded, n.life.Uploaded, n.life.Wasted = l.Bytes, l.Uploaded, l.Wasted
		s.note(n, l.TS, n.have())
	case "error":
		n.failed = l.Error
	}
}

// note records what a node has and has sent.
func (s *swarm) note(n *node, at time.Time, have int64) {
	n.sent = append(n.sent, sent{at, n.total().Uploaded})
	if have != n.have() {
		n.graph = append(n.graph, lab.Have{At: at.Sub(s.begin), Bytes: have})
	}
}

func (s *swarm) completed(n *node, at time.Time) {
	if !n.complete.IsZero() {
		return
	}
	n.complete = at
	if n.came {
		return
	}
	s.mark("complete", n, 0, "")
	if s.Complete != nil {
		complete := 0
		for _, n := range s.nodes {
			if !n.complete.IsZero() && !n.came {
				complete++
			}
		}
		s.Complete(complete, s.Nodes.Downloaders())
	}
}

// ended is told of the end of a process: it has left, or was killed, or has
// failed.
func (s *swarm) ended(n *node) {
	p := n.process
	s.count(n, -1)
	n.process = nil
	s.usage.Busy += p.busy()
	n.past.add(&n.life)
	n.life = counts{State: "ended"}
	complete, _, _ := n.class.Leaving()
	switch {
	case n.down:
		s.after(n.back, func() {
			s.events--
			if !n.gone {
				s.start(n)
			}
		})
	case n.ending && !n.gone: // the swarm is over
	case n.ending || p.err == nil && complete:
		n.gone = true
		s.mark("leave", n, 0, "")
	default:
		n.gone = true
		s.blame(n, "its process has ended with exit code %d: %s", p.exitCode(), cmp.Or(n.failed, fmt.Sprint(p.err)))
		s.mark("given up", n, 0, n.failed)
	}
}

// gain notes that a node has pieces.
func (s *swarm) gain(n *node, pieces []uint, at time.Time) {
	for _, piece := range pieces {
		if piece >= uint(len(s.copies)) || n.pieces.Test(piece) {
			continue
		}
		n.pieces.Set(piece)
		s.copies[piece]++
		if !n.came {
			s.owned[piece]++
		}
	}
	if s.outAt.IsZero() && !slices.Contains(s.owned, 0) {
		s.outAt = at
	}
}

// count adds the pieces of a node to the copies that there are, or removes
// them.
func (s *swarm) count(n *node, by int) {
	for piece := range n.pieces.EachSet() {
		s.copies[piece] += by
		if !n.came && by > 0 && len(n.traces) == 1 {
			s.owned[piece]++
		}
	}
}
