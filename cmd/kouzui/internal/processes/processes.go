// Package processes plays scenarios of the laboratory with real processes of
// this program on this machine: a tracker, and a seed or a download a node.
//
// Nothing that is started can reach another machine: everything is bound to
// loopback, or in network namespaces that lead nowhere else. All processes and
// namespaces end with this one, and so does the folder with all of their files.
package processes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/kouzui/internal/exit"
)

// Config is what Play needs.
type Config struct {
	Scenario *lab.Scenario // that Playable has passed
	// Nodes are those of the simulated run: they come at the same times.
	Nodes   lab.Nodes
	Seed    uint64
	Timeout time.Duration
	Dir     string // for the folder of the swarm; empty: that of the system
	// Namespaces: each node has a network namespace, and the link of its class,
	// which takes EnterNamespace before; else all are on the loopback interface.
	Namespaces bool
	// Complete is told how many downloaders are, of how many; nil: nobody is.
	Complete func(complete, of int)
}

const (
	// endWithin is how long a process may take to end when it is asked to: it
	// tells the tracker, saves its state, and says what it has done.
	endWithin = 6 * time.Second
	// hopeless is how long some piece may be with nobody until the swarm is ended.
	// What was sent last may still be on its way.
	hopeless = 5 * time.Second
	// reboot is how long a killed process stays away if its event does not say,
	// as in simulated swarms.
	reboot = 5 * time.Second
	// every is how often a sample is taken.
	every = time.Second
	// spare is room on the disk for what is no payload: traces, resume files.
	spare = 64 << 20
)

// swarm is a scenario that is being played. One goroutine owns it, and is told
// news by all others.
type swarm struct {
	Config
	starter // of the tracker
	network network
	content *noise.Content
	rnd     *rand.Rand
	begin   time.Time
	nodes   []*node
	tracker *process
	listen  string // of the tracker
	due     []due  // what is to happen, the soonest first
	news    chan news
	over    chan struct{} // closed when nobody takes news any more
	coming  int           // nodes that have not arrived
	events  int           // events that have not ended
	lacking time.Duration // since when some piece is with nobody; 0: none is
	result  lab.Result
	copies  []int // of each piece, with nodes that run
	owned   []int // of each piece, that downloaders have
	outAt   time.Time
	usage   lab.Processes
}

// due is something that is to happen.
type due struct {
	at time.Duration // since the begin
	do func()
}

// news is a line of a process, or its end.
type news struct {
	node    *node
	process *process
	line    string
	ended   bool
}

// Play plays the scenario. The error is about a swarm that cannot be played, or
// was interrupted; what goes wrong during the run is in the result.
func Play(ctx context.Context, c Config) (r *lab.Result, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	folder, err := openFolder(program, c.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := folder.close(); err == nil {
			err = closed
		}
	}()
	in := network(shared{})
	if c.Namespaces {
		if in, err = newNamespaces(c.Scenario); err != nil {
			return nil, err
		}
	}
	defer in.close()
	const stream = 0x52554E
	s := &swarm{
		Config: c, starter: starter{program, folder.path, in.tracker()}, network: in,
		rnd: rand.New(rand.NewPCG(c.Seed, stream)), news: make(chan news), over: make(chan struct{}),
	}
	defer close(s.over)
	defer s.killAll()
	var url string
	if s.tracker, url, err = s.startTracker(s.place.addr+":0", time.Duration(c.Scenario.Announce)); err != nil {
		return nil, err
	}
	s.usage.Started++
	if s.listen, err = hostOf(url); err != nil {
		return nil, err
	}
	if c.Scenario.Tracker == lab.TrackerUDP {
		url = "udp" + strings.TrimPrefix(url, "http") // it answers both at one port
	}
	if err := s.newContent(url); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.play(ctx); err != nil {
		return nil, err
	}
	return s.finish(), nil
}

// Fits refuses a scenario that the disk of a folder has no room for; empty: the
// folder of the system.
func Fits(s *lab.Scenario, folder string) error {
	if folder == "" {
		folder = os.TempDir()
	}
	free, err := room(folder)
	if err != nil {
		return exit.With(exit.Mkdir, &os.PathError{Op: "open", Path: folder, Err: err})
	}
	copies := int64(1)
	for i := range s.Class {
		if s.Class[i].Have < 1 { // seeds share one copy
			copies += int64(s.Class[i].Count)
		}
	}
	if need := copies*int64(s.Content) + spare; need > free {
		return exit.Hint("--dir takes a folder on another disk.", exit.Errorf(exit.DiskFull, "the swarm needs %s in %s, and %s are free",
			units.Bytes(need), folder, units.Bytes(free)))
	}
	return nil
}

// prepare lays out the data of all nodes, and enters what is to happen.
func (s *swarm) prepare() error {
	pieces := s.content.Info.PieceCount()
	s.copies, s.owned = make([]int, pieces), make([]int, pieces)
	at := 0
	for i := range s.Scenario.Class {
		c := &s.Scenario.Class[i]
		for k := range c.Count {
			n, err := s.newNode(c, k, s.Nodes[at], s.network.node(at))
			if err != nil {
				return err
			}
			at++
			s.nodes = append(s.nodes, n)
			s.coming++
			s.after(n.planned, func() { s.arrive(n) })
		}
	}
	for _, e := range s.Scenario.Event {
		s.events++
		s.after(time.Duration(e.At), func() {
			s.happen(e)
			s.again(e)
		})
	}
	return nil
}

// after lets something happen at a time since the begin.
func (s *swarm) after(at time.Duration, do func()) {
	i, _ := slices.BinarySearchFunc(s.due, at+1, func(d due, at time.Duration) int { return int(d.at - at) })
	s.due = slices.Insert(s.due, i, due{at, do})
}

// now is the time since the begin.
func (s *swarm) now() time.Duration { return time.Since(s.begin) }

// ErrLate is of a node that is not complete when the time is up.
var ErrLate = errors.New("it is not complete")

// play runs the swarm until nobody has anything to wait for.
func (s *swarm) play(ctx context.Context) error {
	s.begin = time.Now()
	s.after(0, s.sample)
	limit := min(s.Timeout, time.Duration(s.Scenario.Limit))
	late := time.NewTimer(limit)
	defer late.Stop()
	for !s.finished() {
		wait := time.NewTimer(s.due[0].at - s.now()) // there is always a sample to take
		select {
		case n := <-s.news:
			s.hear(n)
		case <-wait.C:
			next := s.due[0]
			s.due = s.due[1:]
			next.do()
		case <-late.C:
			s.lacks(fmt.Sprintf("%v are over", limit))
			return nil
		case <-ctx.Done():
			return exit.ErrInterrupted
		}
		wait.Stop()
	}
	return nil
}

// finished tells whether nothing is left to wait for.
func (s *swarm) finished() bool {
	if s.lacking > 0 && s.now()-s.lacking > hopeless {
		return true
	}
	return s.coming == 0 && s.events == 0 && !slices.ContainsFunc(s.nodes, (*node).owes)
}

// lacks records who is not complete.
func (s *swarm) lacks(why string) {
	for _, n := range s.nodes {
		if n.owes() {
			s.blame(n, "%w: %s (%s of %s; %s)", ErrLate, why, units.Bytes(n.have()), units.Bytes(s.content.Info.Length), n.life.about())
		}
	}
}

// maxWrong limits how many errors are kept.
const maxWrong = 20

// blame records that something has failed.
func (s *swarm) blame(n *node, format string, args ...any) {
	if len(s.result.Wrong) < maxWrong {
		s.result.Wrong = append(s.result.Wrong, fmt.Errorf("%.1fs %s: %w", s.now().Seconds(), n.name, fmt.Errorf(format, args...)))
	}
}

// finish ends all processes, hears their last words, and checks what was
// downloaded.
func (s *swarm) finish() *lab.Result {
	took := s.now()
	var all []*process
	for _, n := range s.nodes {
		if n.process != nil {
			n.ending = true
			n.process.end()
			all = append(all, n.process)
		}
	}
	quiet := make(chan struct{})
	go func() {
		awaitAll(all, endWithin)
		close(quiet)
	}()
	for slices.ContainsFunc(s.nodes, func(n *node) bool { return n.process != nil }) {
		s.hear(<-s.news)
	}
	<-quiet
	s.tracker.end()
	awaitAll([]*process{s.tracker}, endWithin)
	s.usage.Busy += s.tracker.busy()
	for _, n := range s.nodes {
		if n.complete.IsZero() || n.came {
			continue
		}
		if err := s.content.Verify(n.data, false); err != nil {
			s.blame(n, "it is complete, but %v", err)
		}
	}
	return s.tell(took)
}

// killAll ends all processes at once.
func (s *swarm) killAll() {
	var all []*process
	for _, n := range s.nodes {
		if n.process != nil {
			n.process.kill()
			all = append(all, n.process)
		}
	}
	if s.tracker != nil {
		s.tracker.kill()
		all = append(all, s.tracker)
	}
	go func() { // what they still say
		for {
			select {
			case <-s.news:
			case <-s.over:
				return
			}
		}
	}()
	awaitAll(all, endWithin)
}

func number[N ~int | ~int64 | ~uint64](n N) string { return fmt.Sprint(n) }
