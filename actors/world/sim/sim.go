// Package sim is a world in which everything that actors reach outside is
// simulated: time is virtual, hosts have links with rates and delays, disks
// that are slow and forget what was not synced, and trackers that can be dead.
// One seed decides everything, and one goroutine does it.
//
// Handling messages takes no time, unless a host has cores: then each message
// occupies one of them for as long as its costs say, see package work.
//
// The Sim is the loop. It runs one message of one mailbox at a time; chance, by
// the seed, or another Schedule decides which mailbox of those that have any.
// Time stands still until no mailbox has any. Then it leaps to the next event:
// a timer, an arrival, the answer of a disk. So a run with the same seed is the
// same run, step by step, however busy the machine is, and an hour in which
// nothing happens costs nothing.
//
// A Host is a machine on which one process runs: its World, Dispatcher and
// Mailbox are what actors.Start is given in place of the real ones. The process
// can be ended, with or without the data that was not synced, and another one
// started.
//
// Nothing here is safe for concurrent use: there is one goroutine, the one that
// calls Step or Run.
package sim

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world/fake/described"
	"kouzui/wire/metainfo"
)

// Epoch is the virtual time at which every simulation begins.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Sim is a simulated world of any number of hosts.
type Sim struct {
	seed   uint64
	net    *rand.Rand // jitter, loss and doubling
	now    int64      // nanoseconds since Epoch
	agenda agenda
	ready  line
	steps  uint64
	// running is the kind of actor whose message is being handled, on a host with
	// cores, or work.World.
	running string
	follows bool // causes are followed
	// onLegs tells that causes are followed leg by leg.
	onLegs bool
	origin origin // of what is being handled

	hosts    []*Host
	byAddr   map[netip.Addr]*Host
	trackers map[string]*Tracker
	named    map[string][]netip.Addr
	links    uint64
	held     []*segment // held back by a partition
	spare    spare
	public   bool // addresses are those of a public network

	described *metainfo.Torrent // whose payload is described; nil: payload is held in memory
	memory    described.Memory

	journal *Journal
	pauses  *pauses // nil: the run cannot pause
}

// New returns a world without hosts. Everything that happens is entered in the
// journal, unless that is nil.
func New(seed uint64, journal *Journal) *Sim {
	s := &Sim{seed: seed, running: work.World, byAddr: map[netip.Addr]*Host{}, trackers: map[string]*Tracker{}, named: map[string][]netip.Addr{}, journal: journal}
	s.net = s.Rand("net")
	s.Order(Random())
	return s
}

// Order has mailboxes get their turns by a schedule. Call it before the first
// host is added.
func (s *Sim) Order(by Schedule) { s.ready = by(s) }

// Public gives hosts addresses of a public network, each in a /24 of its own.
// Else they have those of a private one, of which the DHT (BEP 42) and others
// ask less. Call it before the first host is added.
func (s *Sim) Public() { s.public = true }

// Describe makes payload of this torrent described instead of held in memory,
// see package described. Call it before the first host is added.
func (s *Sim) Describe(t *metainfo.Torrent) { s.described = t }

// Rand returns the source of random numbers of this name. For the same seed and
// name it gives the same numbers.
func (s *Sim) Rand(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// Now is the virtual time.
func (s *Sim) Now() time.Time { return Epoch.Add(time.Duration(s.now)) }

// Elapsed is the virtual time since the start.
func (s *Sim) Elapsed() time.Duration { return time.Duration(s.now) }

// Steps is how many messages have been handled.
func (s *Sim) Steps() uint64 { return s.steps }

// After calls f after d.
func (s *Sim) After(d time.Duration, f func()) { s.at(s.now+int64(max(d, 0)), Begun, nil, f) }

// Step handles one message or, if no mailbox has any, lets the next event
// happen. It returns false if there is neither.
func (s *Sim) Step() bool {
	if s.ready.len() > 0 {
		s.steps++
		s.ready.next().take()
		return true
	}
	e := s.agenda.first()
	if e == nil {
		return false
	}
	s.goOn(e.at)
	s.origin = origin{}
	do, its := e.do, e.life
	e.do = nil
	s.agenda.pop()
	if !its.over() {
		do.happen()
	}
	return true
}

// goOn has time go on.
func (s *Sim) goOn(at int64) {
	if s.pauses != nil {
		s.pauses.goingOn(at)
	}
	s.now = at
}

// ErrTime and ErrIdle are errors of Run: the time is up, or nothing is left
// that could happen, before done was true.
var (
	ErrTime = errors.New("the virtual time is up")
	ErrIdle = errors.New("nothing is left that could happen")
)

// Run steps until done returns true, which it calls before each event. It does
// not go beyond limit, measured from the start of the simulation.
func (s *Sim) Run(limit time.Duration, done func() bool) error {
	for {
		if s.ready.len() == 0 {
			if done() {
				return nil
			}
			e := s.agenda.first()
			switch {
			case e == nil:
				return ErrIdle
			case e.at > int64(limit):
				s.goOn(int64(limit))
				return ErrTime
			}
		}
		s.Step()
	}
}
