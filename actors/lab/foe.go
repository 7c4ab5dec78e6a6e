package lab

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/actors/lab/hostile"
	"kouzui/actors/world"
	"kouzui/actors/world/sim"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// foe is a node without a client, which is in the swarm to do harm. It
// announces itself, dials and is dialled, and plays a script on each
// connection.
type foe struct {
	run     *run
	class   *Class
	host    *sim.Host
	world   *world.World
	threads *coroutines
	rnd     *rand.Rand
	id      [20]byte
	open    int
	listen  world.Listener
}

const (
	foePort    = 6881
	mostPlays  = 8 // connections of a foe at a time
	callsEach  = 3 // how many peers it dials after each announce
	callWithin = 20 * time.Second
)

// dishonest are the scripts of foes that serve blocks; all others are in
// package hostile.
var dishonest = map[string]hostile.Seed{
	"a liar": {Spoil: func(_, _ uint32, block []byte) { block[0] ^= 1 }},
	"a liar at times": {Spoil: func(piece, begin uint32, block []byte) {
		if (piece+begin>>14)%5 == 0 {
			block[len(block)-1] ^= 1
		}
	}},
	"a slow seed": {Pause: 4 * time.Second},
}

// sloppy are the scripts of nodes that serve what is right, and more than they
// are asked for: a download must end though nobody else has the content.
var sloppy = map[string]hostile.Seed{
	"a seed that repeats":                  {Again: 3},
	"a seed that chokes at times":          {ChokeEvery: 10},
	"a seed that chokes":                   {ChokeEvery: 1},
	"a seed that chokes and repeats":       {ChokeEvery: 1, Again: 3},
	"a seed that chokes slowly":            {ChokeEvery: 1, Pause: 50 * time.Millisecond},
	"a seed that repeats, chokes at times": {ChokeEvery: 7, Again: 1},
}

// hostileNames are the names of all scripts of those that mean harm.
func hostileNames() []string {
	names := slices.Sorted(maps.Keys(dishonest))
	for _, s := range hostile.Scripts {
		names = append(names, s.Name)
	}
	return names
}

func (c *Class) checkHostile() *problem {
	if c.dhtScript() != nil {
		if len(c.Hostile) > 1 {
			return wrong("hostile", "has one script of the DHT at most")
		}
		return nil
	}
	names := slices.Concat(slices.Sorted(maps.Keys(sloppy)), hostileNames())
	for _, name := range c.Hostile {
		if p := oneOf("hostile", name, names); p != nil {
			return p
		}
	}
	if len(c.Hostile) > 0 && (c.Have > 0 || c.Copies > 0 || len(c.Faults) > 0) {
		return wrong("hostile", "and have, copies or faults exclude each other")
	}
	return nil
}

func (r *run) script(name string) hostile.Script {
	for _, seeds := range []map[string]hostile.Seed{dishonest, sloppy} {
		if s, is := seeds[name]; is {
			s.Data = r.content.data
			return s.Script(name)
		}
	}
	i := slices.IndexFunc(hostile.Scripts, func(s hostile.Script) bool { return s.Name == name })
	return hostile.Scripts[i]
}

// intrude adds a foe to the swarm.
func (r *run) intrude(c *Class, name string) {
	if r.over {
		return
	}
	f := &foe{run: r, class: c, threads: &coroutines{sim: r.sim}, rnd: r.sim.Rand("foe " + name)}
	for i := range f.id {
		f.id[i] = byte(f.rnd.Uint32())
	}
	f.host = r.sim.NewHost(name, c.host(nil, nil))
	f.world = f.host.World()
	r.foes = append(r.foes, f)
	f.listen, _ = f.world.Network.Listen(fmt.Sprintf(":%d", foePort), 0, f.play, nil) // the host is new, the port free
	f.announce(announce.Started)
}

// serves tells whether whoever asks a node gets all of the content, whichever
// of its scripts is played.
func (f *foe) serves() bool {
	return !slices.ContainsFunc(f.class.Hostile, func(name string) bool { _, is := sloppy[name]; return !is })
}

func (f *foe) call(addr netip.AddrPort) {
	if slices.ContainsFunc(f.run.foes, func(f *foe) bool { return f.host.Addr == addr.Addr() }) {
		return // foes do not attack each other
	}
	f.world.Network.Dial(addr, callWithin, func(l messages.Link, err error) {
		if err == nil {
			f.play(l)
		}
	})
}

func (f *foe) play(l messages.Link) {
	if f.open == mostPlays {
		l.Close(nil)
		return
	}
	f.open++
	s := f.run.script(pick(f.rnd, f.class.Hostile...))
	seed := f.rnd.Uint64()
	if f.serves() {
		seed = binary.BigEndian.Uint64(f.id[:]) // it has one peer id, and peers need no second connection with it
	}
	f.threads.Go(func() {
		defer func() { f.open-- }()
		s.Play(f.threads, f.threads.open(l, f.run.content.torrent, f.host.Pool), f.run.content.torrent, seed)
	})
}

// leave ends everything that a foe does.
func (f *foe) leave() {
	f.threads.end()
	f.host.Kill()
}
