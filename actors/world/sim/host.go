package sim

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/actors/world/fake/described"
	"kouzui/wire/buffer"
)

// Class is what hosts of a kind have in common. A rate of 0 has no limit.
type Class struct {
	Up, Down int64         // bytes a second, shared by all connections of the host
	Delay    time.Duration // one way to the middle of the network; between two hosts it is the sum of theirs
	Jitter   time.Duration // the most by which a segment or a datagram may be late; datagrams overtake each other
	Loss     float64       // part of the segments that come later by the time of a retransmission, and of the datagrams that never come
	Double   float64       // part of the datagrams that come twice
	// SendBuffer is how many bytes the socket of each connection takes from its
	// process before they have left the host; 0: usualBuffer.
	SendBuffer int64
	// Queue is how long the queue before the uplink is, as TCP keeps it filled
	// while other connections of the host wait for the uplink, too.
	Queue time.Duration
	Disk  DiskClass
	NAT   NAT
	// Cores handle messages, each of which takes what Costs say; nil: handling
	// messages takes no time.
	Cores *Cores
	Costs *work.Costs
	Run   Running
}

// Running is how the mailboxes of a host are run, in place of the usual way.
// Where handling messages takes no time, none of it makes a difference.
type Running struct {
	// Lane is where a message waits in its mailbox: lane 0 is emptied before lane
	// 1. nil: all wait in one.
	Lane func(message any) int
	// KeepsOut tells whether a message is lost, where so many wait; nil: none is.
	KeepsOut func(message any, waiting int) bool
	// Workers is how many mailboxes have a core at a time, but for those that may
	// block; 0: any number.
	Workers int
	// Wake is how long it takes to start what runs a mailbox that wakes up.
	Wake time.Duration
}

// usualBuffer is what Linux's own choice of send buffers comes to behind the
// uplinks of homes, where 100 to 400 KiB of a connection were seen to wait.
// Tried against real swarms: with 32 KiB a quarter of their waste, with 64 KiB
// half of it, with 192 KiB half as much again.
const usualBuffer = 128 << 10

// Host is a machine on which one process runs at a time.
type Host struct {
	sim *Sim
	Class
	Name string
	Addr netip.Addr   // at which others see it
	Pool *buffer.Pool // of the process that runs

	watcher   Watcher
	life      *life
	lives     int
	steps     uint64
	payload   int64           // bytes sent
	given     map[*Host]int64 // of these, by who was to receive them
	side      int             // the side of a partition that it is on
	up        uplink
	down      port
	disk      *disk
	listeners map[uint16]*listener
	sockets   map[uint16]*packetSocket
	router    *router // nil: there is no NAT
	links     []*link // open
	lastPort  uint16
}

// life is one process on a host, from Boot to Kill or PowerCut. Whatever it has
// started ends with it.
type life struct {
	host  *Host
	done  bool
	meter *work.Meter // nil: handling messages takes no time
	// workers run the mailboxes whose actors do not block.
	workers workers
	// The devices of the host, as the meter of cores knows them.
	disk, up, down *work.Actor
}

func (l *life) over() bool { return l != nil && l.done }

// keepFree is how many free blocks a process keeps.
const keepFree = 32

func (s *Sim) pool() *buffer.Pool {
	if s.described != nil {
		return s.memory.Pool(keepFree)
	}
	return buffer.NewPool(keepFree)
}

func (s *Sim) digest() world.Digest {
	if s.described != nil {
		return described.Digest{Torrent: s.described}
	}
	return world.SHA1{}
}

// NewHost adds a host, and starts a process on it.
func (s *Sim) NewHost(name string, c Class) *Host {
	n := len(s.hosts) + 1
	h := &Host{
		given: map[*Host]int64{},
		sim:   s, Class: c, Name: name,
		Addr: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
	}
	if s.public {
		h.Addr = netip.AddrFrom4([4]byte{50 + byte(n>>16), byte(n >> 8), byte(n), 1})
	}
	if h.SendBuffer == 0 {
		h.SendBuffer = usualBuffer
	}
	h.up.rate, h.down.rate = c.Up, c.Down
	h.router = s.newRouter(c.NAT, name)
	h.disk = &disk{sim: s, class: c.Disk, Disk: fake.NewDisk(clock{s, nil})}
	if s.described != nil {
		h.disk.Describe()
	}
	s.hosts = append(s.hosts, h)
	s.byAddr[h.Addr] = h
	h.Boot()
	return h
}

// Boot starts another process, after Kill or PowerCut.
func (h *Host) Boot() {
	h.lives++
	h.life = &life{host: h}
	if h.Cores != nil {
		h.life.meter = work.NewMeter(h.Cores.n)
		h.life.workers = workers{limited: h.Run.Workers > 0, free: h.Run.Workers}
	}
	h.Pool = h.sim.pool()
	h.listeners = map[uint16]*listener{}
	h.sockets = map[uint16]*packetSocket{}
	h.links = nil
	h.lastPort = 40000
	h.up = uplink{port: port{rate: h.Class.Up}}
	h.down = port{rate: h.Class.Down}
}

// Steps is how many messages have been handled on this host.
func (h *Host) Steps() uint64 { return h.steps }

// Meter is the meter of the process that runs now; nil: handling messages takes
// no time.
func (h *Host) Meter() *work.Meter { return h.life.meter }

// Payload is how many bytes of blocks have left this host.
func (h *Host) Payload() int64 { return h.payload }

// Given is how many bytes of blocks have left this host, by the host that was
// to receive them.
func (h *Host) Given() map[*Host]int64 { return h.given }

// Lives is how many processes there have been on this host.
func (h *Host) Lives() int { return h.lives }

// Alive tells whether a process runs.
func (h *Host) Alive() bool { return !h.life.done }

// World is the world of the process that runs now.
func (h *Host) World() *world.World {
	return &world.World{
		Clock:    clock{h.sim, h.life},
		Chance:   chance{h},
		Network:  network{h, h.life},
		Packets:  packets{h, h.life},
		Names:    names{h, h.life},
		Disk:     diskOf{h.disk, h.life},
		Trackers: announcer{h, h.life},
		Web:      noWeb{},
		Digest:   h.sim.digest(),
		Machine:  world.Machine{Processors: 2, Together: 9},
	}
}

// Dispatcher is that of actors which do not block, Blocking that of the others.
// They run nothing: the mailboxes tell by them whose they are.
func (h *Host) Dispatcher() actor.Dispatcher { return dispatcher{} }

// Blocking is the dispatcher of actors that may block.
func (h *Host) Blocking() actor.Dispatcher { return dispatcher{blocking: true} }

// Mailbox returns a mailbox of the process whose messages are handled one a
// step, in an order that the seed decides.
func (h *Host) Mailbox() actor.Mailbox { return h.mailbox(nil) }

func (h *Host) mailbox(t *together) *mailbox {
	return &mailbox{sim: h.sim, life: h.life, together: t, senders: h.sim.newSenders()}
}

// Together returns what makes the mailboxes of actors that share one thread of
// control.
func (h *Host) Together() actor.MailboxProducer {
	t := &together{sim: h.sim, life: h.life}
	return func() actor.Mailbox { return h.mailbox(t) }
}

// Record implements event.Sink: the events of the process go into the journal.
func (h *Host) Record(e *event.Event) {
	if j := h.sim.journal; j != nil {
		j.event(h.sim.now, e)
	}
}

// Kill ends the process, as kill -9 does: its connections are reset, its locks
// are released, and what it has written stays.
func (h *Host) Kill() {
	h.die()
	for _, l := range slices.Clone(h.links) {
		l.crash(true)
	}
	h.disk.release()
}

// PowerCut ends the process and its machine: its connections fall silent. What
// was synced stays on the disk, and chance decides about the rest.
func (h *Host) PowerCut() {
	h.die()
	for _, l := range slices.Clone(h.links) {
		l.crash(false)
	}
	h.disk.Disk = h.disk.PowerCut(h.sim.net)
}

func (h *Host) die() {
	h.life.done = true
	h.up.line = fifo[*link]{}
	h.listeners, h.sockets = nil, nil
}

// Disk is the disk of the host, whose capacity and failures can be set.
func (h *Host) Disk() *fake.Disk { return h.disk.Disk }

// chance gives each process its own random numbers.
type chance struct{ host *Host }

func (c chance) Source(name string) *rand.Rand {
	return c.host.sim.Rand(c.host.Name + "#" + strconv.Itoa(c.host.lives) + "/" + name)
}
