package lab

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/work"
	"kouzui/actors/world/sim"
)

// Options say how a scenario is played.
type Options struct {
	Seed    uint64
	Journal *sim.Journal // nil: none is kept
	Hash    bool         // keep a journal for the sum of the result alone
	Trace   []event.Sink // sinks for the events of all nodes, numbered as one trace
	Notes   bool         // notes of actors go into the trace too
	// Path follows what led to the last completion, for the result.
	Path bool
	// Quick skips checks that cost something for each message: that no block is
	// asked for twice, and that the memory is kept to. It also shortens the rest
	// at the end of the run.
	Quick bool
	// Stop ends the run early when it is closed; Run then returns ErrStopped. nil:
	// never.
	Stop <-chan struct{}

	// Pause is called at each moment of the run, with the run as it stands; nil:
	// nobody looks. If it panics, nothing is left running. Both arguments are
	// Pause's until it returns.
	Pause func(*Inside, *sim.Moment)

	// Spared is a failure that does not happen; nil: all do.
	Spared *Spared

	tamper *tamper
}

// ErrStopped is the error of a run that Options.Stop has ended.
var ErrStopped = errors.New("stopped before its end")

// Epoch is the virtual time at which every run begins.
var Epoch = sim.Epoch

// run is the state of a scenario that is being played.
type run struct {
	*Scenario
	options  Options
	sim      *sim.Sim
	rnd      *rand.Rand
	content  *content
	tracker  swarmTracker
	nodes    []*node // in the order of their classes
	quit     int     // the first quit of nodes are known to owe nothing, see owes
	foes     []*foe
	bares    []*bare
	dhtFoes  []*dhtFoe
	lookups  []Lookup
	over     bool // the run is ending
	coming   int  // nodes that have not arrived
	events   int  // events of the scenario that have not ended
	costs    *work.Costs
	machines map[string]*sim.Cores
	trace    *merger
	wrong    []error
	record   record
}

// maxWrong limits how many errors of one run are kept.
const maxWrong = 20

// Run plays a scenario. The error is about a scenario that cannot be played;
// what goes wrong during the run is in the result.
func Run(s *Scenario, o Options) (*Result, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if o.stopped() {
		return nil, ErrStopped // the content alone may take seconds
	}
	if file := s.unread(); file != "" {
		return nil, wrong("arrivals", "names the file %q, which was not read", file)
	}
	if o.Hash && o.Journal == nil {
		o.Journal = sim.NewJournal(false)
	}
	w := sim.New(o.Seed, o.Journal)
	w.Order(pattern.Chosen(Schedules, s.Patterns))
	costs, err := s.costs()
	if err != nil {
		return nil, err
	}
	r := &run{Scenario: s, options: o, sim: w, rnd: w.Rand("scenario"), costs: work.NewCosts(costs), machines: map[string]*sim.Cores{}}
	if o.Pause != nil {
		inside := &Inside{r}
		w.Pause(func(m *sim.Moment) { o.Pause(inside, m) })
		defer r.release()
	}
	if len(o.Trace) > 0 {
		w.FollowCauses()
		r.trace = &merger{sinks: o.Trace, world: w}
	}
	if o.Path {
		w.FollowLegs()
	}
	if r.content, err = newContent(int64(s.Content), int64(s.Piece), s.Payload == PayloadReal, s.Private, s.trackerURL(), w.Rand("content")); err != nil {
		return nil, err
	}
	if s.Payload == PayloadDescribed {
		w.Describe(r.content.torrent)
	}
	if r.inDHT() {
		w.Public()
	}
	r.tracker = r.newTracker()
	r.record.begin(r.content.torrent.PieceCount())
	r.schedule()
	began := time.Now() // of the machine: what the simulation itself takes
	r.play()
	if r.options.stopped() {
		return nil, ErrStopped
	}
	return r.result(time.Since(began)), nil
}

// schedule enters the arrivals and events of the scenario.
func (r *run) schedule() {
	for i := range r.Class {
		c := &r.Class[i]
		next, last := pattern.Chosen(Arrivals, r.PatternsOf(c)), time.Duration(0)
		for k := range c.Count {
			if c.dhtScript() != nil {
				r.sim.After(time.Duration(c.Arrive), func() { r.intrudeDHT(c, nodeName(c, k)) })
				continue
			}
			if c.Bare {
				b := &bare{run: r, class: c, index: k, name: nodeName(c, k), hash: r.hash(len(r.bares))}
				b.rnd = r.sim.Rand("bare " + b.name)
				r.bares = append(r.bares, b)
				last = next(last, time.Duration(c.Within), r.rnd)
				r.sim.After(time.Duration(c.Arrive)+last, b.come)
				continue
			}
			if len(c.Hostile) > 0 {
				r.sim.After(time.Duration(c.Arrive), func() { r.intrude(c, nodeName(c, k)) })
				continue
			}
			n := &node{run: r, class: c, index: k, name: nodeName(c, k), complete: -1}
			_, after, _ := c.Leaving()
			n.leaves = after > 0
			last = next(last, time.Duration(c.Within), r.rnd)
			n.arrived = time.Duration(c.Arrive) + last
			r.nodes = append(r.nodes, n)
			r.coming++
			r.sim.After(n.arrived, func() { r.arrive(n, after) })
		}
	}
	for _, e := range r.Event {
		r.events++
		r.sim.After(time.Duration(e.At), func() {
			if !r.over {
				r.happen(e)
				r.again(e)
			}
		})
	}
}

func (r *run) arrive(n *node, leaves time.Duration) {
	if r.over { // it would have come after Until
		return
	}
	r.coming--
	r.record.mark(Mark{n.arrived, n.arrived, "arrive", n.name, ""})
	host := n.class.host(r.cores(n.class), r.costs)
	host.Run = running(r.PatternsOf(n.class))
	n.host = r.sim.NewHost(n.name, host)
	if c := n.class.Disk.Capacity; c > 0 {
		n.host.Disk().SetCapacity(int64(c))
	}
	have := r.share(n)
	if err := r.content.lay(n.host.Disk(), have); err != nil {
		r.blame(n, "its data cannot be laid out: %v", err)
	}
	for piece := range have.EachSet() {
		n.laid += int64(r.content.torrent.PieceSize(int(piece)))
		r.gain(n, piece)
	}
	r.sim.Begin(&sim.Leg{At: n.arrived, Host: n.name})
	n.start()
	n.play()
	if leaves > 0 {
		r.sim.After(leaves, func() {
			n.leaves = true
			if !n.down && !n.gone {
				n.client.Stop(r.content.torrent.InfoHash)
			}
		})
	}
}

// play runs the world until the scenario is over, and then stops all clients.
func (r *run) play() {
	err := r.sim.Run(time.Duration(cmp.Or(r.Until, r.Limit)), func() bool { return r.finished() || r.options.stopped() })
	if r.Until == 0 && slices.ContainsFunc(r.nodes, r.owes) && r.whole() {
		for _, n := range r.nodes {
			if given := n.ended(); r.owes(n) && given != nil {
				r.blame(n, "it is not complete: %v", given)
			} else if r.owes(n) {
				r.blame(n, "it is not complete: %v (%d of %d bytes, %s, %d peers; %s)", err,
					n.life.Have, r.content.torrent.Length, n.life.State, n.life.Peers, n.life.Why)
			}
		}
	}
	r.over = true
	for _, n := range r.nodes {
		if n.client != nil && !n.down {
			n.client.Tree().RecordWork() // that of the rest counts apart
		}
	}
	for _, f := range r.foes {
		f.leave()
	}
	r.endBares()
	if r.Until == 0 && !r.options.stopped() {
		r.rest()
	}
	for _, n := range r.nodes {
		if n.client != nil && !n.down && !n.gone {
			n.gone = true
			n.client.Halt()
		}
	}
	err = r.sim.Run(r.sim.Elapsed()+time.Hour, func() bool { return !slices.ContainsFunc(r.nodes, (*node).lives) })
	for _, n := range r.nodes {
		if n.lives() {
			r.blame(n, "it does not end: %v; %v", err, n.client.Tree().Snapshot())
		}
		if n.client != nil && !n.down {
			_ = n.client.Shutdown(0)
		}
	}
	r.tracker.die()
}

// rest lets the swarm come to rest, and checks that it has.
func (r *run) rest() {
	rest := settled
	if r.options.Quick {
		rest = settledSoon
	}
	for late := r.sim.Elapsed() + settledLast; ; {
		_ = r.sim.Run(r.sim.Elapsed()+rest, func() bool { return false })
		if r.sim.Elapsed() >= late || !slices.ContainsFunc(r.sim.Hosts(), (*sim.Host).Sends) {
			break
		}
	}
	for _, n := range r.nodes {
		n.settle()
	}
}

// settled is how long the swarm runs on at the end, while nothing new is
// asked for, and again for as long as send buffers are not empty: behind a
// slow uplink they take minutes. settledSoon is the same for Quick.
// settledLast is when the swarm is judged even if something has not left.
const (
	settled     = time.Minute
	settledSoon = 5 * time.Second
	settledLast = time.Hour
)

// settle checks that a node that is complete and at rest has got back all
// buffers, requests and credits. Buffers that were lost with an actor, or came
// too late for one, are freed by the garbage collector, and then the pool does
// not count them any more.
func (n *node) settle() {
	if n.complete < 0 || n.gone || n.down || n.judge.failures > 0 || n.lates("") {
		return
	}
	if blocks := n.host.Pool.Stats().Live; blocks > 0 {
		n.run.blame(n, "all is over, and %d blocks of payload are still somebody's", blocks)
	}
	if w := n.watcher; w != nil && w.account != nil && w.account.owing() > 0 {
		n.run.blame(n, "all is over, and %d blocks are still asked for", w.account.owing())
	}
	if !n.host.Rests() {
		n.run.blame(n, "all is over, and a connection has not got back what it delivered")
	}
}

// verify compares pieces that a node says it has with the content.
func (r *run) verify(n *node, pieces []uint32) {
	f, err := open(n.host.Disk())
	if err != nil {
		r.blame(n, "it has pieces, but no file: %v", err)
		return
	}
	for _, i := range pieces {
		if err := r.content.wrong(f, int(i), int(i)+1); err != nil {
			r.blame(n, "%v", err)
		}
	}
}

func (r *run) verifyAll(n *node) {
	f, err := open(n.host.Disk())
	if err == nil {
		err = r.content.wrong(f, 0, r.content.torrent.PieceCount())
	}
	if err != nil {
		r.blame(n, "it is complete, but %v", err)
	}
}

// blame records that a check has failed.
func (r *run) blame(n *node, format string, args ...any) { r.blameHost(n.name, format, args...) }

func (r *run) blameHost(name, format string, args ...any) {
	if len(r.wrong) < maxWrong {
		r.wrong = append(r.wrong, fmt.Errorf("%v %s: %s", r.sim.Elapsed(), name, fmt.Sprintf(format, args...)))
	}
}

// Parted plays a scenario twice, and tells where the two runs begin to differ;
// empty if they are the same.
func Parted(s *Scenario, o Options) (string, error) {
	first := sim.NewJournal(true)
	again := first.Against()
	for _, j := range []*sim.Journal{first, again} {
		o.Journal = j
		if _, err := Run(s.Clone(), o); err != nil {
			return "", err
		}
	}
	return again.Parted(), nil
}
