package lab

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/sim"
	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

const (
	// routers is how many bare nodes are known by routerName: all begin with them.
	routers    = 3
	routerName = "router.test"
	// spawnsWithin is after how long the actors of a process are there: a message
	// to one that is not is lost.
	spawnsWithin = time.Second
	// settles is how long a node has, after it has come, before what it announces
	// is looked for, and before it looks for anything.
	settles = 2 * time.Minute
	// seekWithin is how long a lookup has to find the peer.
	seekWithin = 30 * time.Second
)

// bare is a node without a torrent: of its client, only the sockets and the DHT
// have something to do.
type bare struct {
	run    *run
	class  *Class
	index  int // in the class
	name   string
	host   *sim.Host
	client *actors.Client
	trace  *part // of its process; nil: no trace is kept
	up     bool  // its process runs
	since  time.Duration
	rnd    *rand.Rand
	hash   metainfo.Hash // that it announces
	seek   *seek         // nil: none is under way
	heard  *overheard    // of the process that runs now
}

// seek is a lookup of what another node announces.
type seek struct {
	of    *bare
	began time.Duration
	lies  int
	asked int // nodes
}

// hash is the info hash that the bare node of this number announces.
func (r *run) hash(i int) (h metainfo.Hash) {
	rnd := r.sim.Rand(fmt.Sprintf("hash %d", i))
	for k := range h {
		h[k] = byte(rnd.Uint32())
	}
	return h
}

// inDHT tells whether the scenario has nodes of the DHT.
func (s *Scenario) inDHT() bool {
	return slices.ContainsFunc(s.Class, func(c Class) bool { return c.Bare })
}

// dhtOf is with what a DHT begins.
func dhtOf(atOnce bool) *actors.DHT {
	return &actors.DHT{Bootstrap: []string{fmt.Sprintf("%s:%d", routerName, clientPort)}, AtOnce: atOnce}
}

// announces tells whether the node announces an info hash.
func (b *bare) announces() bool {
	return b.class.Search > 0 && (b.class.Hashes == 0 || b.index < b.class.Hashes)
}

// endBares ends the processes of all bare nodes.
func (r *run) endBares() {
	for _, b := range r.bares {
		if b.up {
			b.end(event.ReasonKill)
		}
	}
}

// come adds a bare node.
func (b *bare) come() {
	r := b.run
	if r.over {
		return
	}
	b.host = r.sim.NewHost(b.name, b.class.host(nil, nil))
	if slices.Index(r.bares, b) < routers {
		b.host.GiveName(routerName)
	}
	b.start()
}

func (b *bare) start() {
	sinks := []event.Sink{b.host}
	if b.run.trace != nil {
		b.trace = b.run.trace.of()
		sinks = append(sinks, b.trace)
	}
	world := b.host.World()
	b.heard = b.run.overhear(b.name, world)
	b.heard.queried = func(q *krpc.Message) {
		if b.seek != nil && q.Method == krpc.GetPeers && q.Target == krpc.ID(b.seek.of.hash) {
			b.seek.asked++
		}
	}
	client, err := actors.Start(actors.Options{
		World: world, Pool: b.host.Pool, Log: zerolog.Nop(), Sinks: sinks, Notes: b.run.options.Notes,
		Notify: b.notify, Listen: fmt.Sprintf(":%d", clientPort), Name: b.name,
		Dispatcher: b.host.Dispatcher(), Blocking: b.host.Blocking(), Mailbox: b.host.Mailbox,
		DHT: dhtOf(true),
	})
	if err != nil {
		b.blame("it does not start: %v", err)
		return
	}
	b.client, b.up, b.since = client, true, b.run.sim.Elapsed()
	if b.class.Search == 0 {
		return
	}
	if b.announces() {
		announcer := b.seeker("announcer", func(*messages.PeersFound) {})
		b.later(spawnsWithin, func() { b.search(announcer, b.hash, clientPort) })
	}
	seeker := b.seeker("seeker", b.found)
	first := settles + time.Duration(b.rnd.Int64N(int64(b.class.Search)))
	b.later(first, func() { b.look(seeker) })
}

// later calls f after d, unless the process has ended by then.
func (b *bare) later(d time.Duration, f func()) {
	since := b.since
	b.run.sim.After(d, func() {
		if b.up && b.since == since {
			f()
		}
	})
}

// seeker is an actor that takes the place of a torrent.
type seeker struct{ found func(*messages.PeersFound) }

// Receive implements actor.Actor.
func (s *seeker) Receive(c actor.Context) {
	if m, is := c.Message().(*messages.PeersFound); is {
		s.found(m)
	}
}

func (b *bare) seeker(name string, found func(*messages.PeersFound)) *actor.PID {
	tree := b.client.Tree()
	pid, err := tree.Spawn(b.name+"-"+name, tree.Props(name, func() actor.Actor { return &seeker{found} }), supervise.Backoff{})
	if err != nil {
		b.blame("it has no %s: %v", name, err)
	}
	return pid
}

func (b *bare) tell(message any) {
	system := b.client.Tree().System
	system.Root.Send(actor.NewPID(system.Address(), b.name+"/dht-4"), message)
}

func (b *bare) search(as *actor.PID, hash metainfo.Hash, port uint16) {
	b.tell(&messages.SearchPeers{InfoHash: hash, Torrent: as, Port: port})
}

// look looks for what another node announces, and again after a time.
func (b *bare) look(as *actor.PID) {
	now := b.run.sim.Elapsed()
	var others []*bare
	for _, o := range b.run.bares {
		if o != b && o.up && o.announces() && now-o.since >= settles {
			others = append(others, o)
		}
	}
	if len(others) > 0 && b.seek == nil {
		s := &seek{of: others[b.rnd.IntN(len(others))], began: now}
		b.seek = s
		b.search(as, s.of.hash, 0)
		b.later(seekWithin, func() {
			if b.seek == s {
				b.over(-1)
			}
		})
	}
	b.later(time.Duration(b.class.Search), func() { b.look(as) })
}

// found takes the peers that a lookup has found.
func (b *bare) found(m *messages.PeersFound) {
	s := b.seek
	if s == nil {
		return
	}
	right := false
	for _, a := range m.Addrs {
		if a.Addr == netip.AddrPortFrom(s.of.host.Addr, clientPort) {
			right = true
		} else {
			s.lies++
		}
	}
	if right {
		b.over(b.run.sim.Elapsed() - s.began)
	}
}

// over ends a lookup.
func (b *bare) over(took time.Duration) {
	s := b.seek
	b.seek = nil
	b.tell(&messages.StopSearching{InfoHash: s.of.hash})
	b.run.lookups = append(b.run.lookups, Lookup{By: b.class.Name, Of: s.of.class.Name, At: s.began, Took: took, False: s.lies, Queries: s.asked})
}

func (b *bare) notify(m any) {
	if m, is := m.(*messages.DHTReport); is {
		b.heard.report(m)
	}
}

func (b *bare) blame(format string, args ...any) { b.run.blameHost(b.name, format, args...) }

// end ends the process.
func (b *bare) end(how string) {
	if b.trace != nil {
		b.trace.end(b.run.sim.Now(), how)
	}
	if how == event.ReasonKill {
		b.host.Kill()
	} else {
		b.host.PowerCut()
	}
	b.up, b.seek = false, nil
	_ = b.client.Shutdown(0) // its actors will not answer any more
}

// strikeBare ends the processes of bare nodes that an event concerns, and
// schedules the next ones.
func (r *run) strikeBare(e Event, down time.Duration) {
	var list []*bare
	for _, b := range r.bares {
		if b.up && (e.Class == "" || e.Class == b.class.Name) {
			list = append(list, b)
		}
	}
	r.rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if e.Count > 0 && e.Count < len(list) {
		list = list[:e.Count]
	}
	for _, b := range list {
		b.end(e.Do)
		r.sim.After(down, func() {
			if !r.over {
				b.host.Boot()
				b.start()
			}
		})
	}
}
