package fault

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

var errInjected = errors.New("injected fault")

// Plan carries out faults. It is safe for concurrent use. Where messages and
// calls come in the same order, as in a simulated world, the same faults
// strike.
type Plan struct {
	clock world.Clock
	start time.Time
	links links

	mu     sync.Mutex
	faults map[Kind][]*fault
	tree   *supervise.Tree // nil before Begin
}

type fault struct {
	Spec
	trigger *trigger
	strikes int
}

// New returns a plan of these faults. Their times count from now.
func New(specs []Spec, clock world.Clock) *Plan {
	p := &Plan{clock: clock, start: clock.Now(), faults: map[Kind][]*fault{}}
	for _, s := range specs {
		p.faults[s.Kind] = append(p.faults[s.Kind], &fault{Spec: s, trigger: newTrigger(s.When)})
	}
	return p
}

// Begin makes the plan strike the actors of t.
func (p *Plan) Begin(t *supervise.Tree) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tree = t
	if len(p.faults[Panic])+len(p.faults[Hang])+len(p.faults[Delay])+len(p.faults[Link]) > 0 {
		t.Inject(p.inject)
	}
}

// World returns w with the faults in it that strike the actor at path. The
// trace names that actor as their victim.
func (p *Plan) World(w *world.World, path string) *world.World {
	faulty := *w
	if len(p.faults[Link]) > 0 {
		faulty.Network = network{w.Network, &p.links}
	}
	if len(p.faults[Disk]) > 0 {
		faulty.Disk = disk{w.Disk, &site{p, path}}
	}
	if len(p.faults[Tracker]) > 0 {
		faulty.Trackers = announcer{w.Trackers, &site{p, path}}
	}
	if len(p.faults[Datagram]) > 0 && w.Packets != nil {
		faulty.Packets = packets{w.Packets, &site{p, path}}
	}
	return &faulty
}

// strike returns the first fault of a kind that fits and is due.
func (p *Plan) strike(kind Kind, fits func(*Spec) bool) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults[kind] {
		if fits(&f.Spec) && f.trigger.due(p.clock.Now().Sub(p.start)) {
			if f.strikes++; f.strikes == f.Spare {
				f.Spared()
				continue
			}
			return f
		}
	}
	return nil
}

// inject is the supervise.Injector.
func (p *Plan) inject(path, _ string, message any) (in supervise.Injection) {
	_, message, _ = actor.UnwrapEnvelope(message)
	for _, kind := range []Kind{Panic, Hang, Delay} {
		f := p.strike(kind, func(s *Spec) bool {
			return s.Actor.Match(path) && (s.Message == "" || s.Message == nameOf(message))
		})
		if f == nil {
			continue
		}
		in.Reason = f.String()
		switch kind {
		case Hang:
			in.Hang = f.Time
		case Delay:
			in.Delay = f.Time
		}
		return in
	}
	return p.cut(path, message)
}

// cut handles the messages of links: each is an occasion to cut the link that
// it came from.
func (p *Plan) cut(path string, message any) (in supervise.Injection) {
	var id uint64
	switch m := message.(type) {
	case *messages.FramesReceived:
		id = m.Link
	case *messages.FramesSent:
		id = m.Link
	default:
		return in
	}
	link := p.links.find(id)
	if link == nil {
		return in
	}
	remote := link.Remote().String()
	f := p.strike(Link, func(s *Spec) bool { return s.Actor.Match(path) && s.Peer.Match(remote) })
	if f == nil {
		return in
	}
	return supervise.Injection{Reason: f.String(), Break: func() { link.Close(errInjected) }}
}

func nameOf(message any) string {
	t := reflect.TypeOf(message)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// site is one actor's use of the world.
type site struct {
	*Plan
	path string
}

// strike is Plan.strike for this actor; it records the fault.
func (s *site) strike(kind Kind, fits func(*Spec) bool, what string) *fault {
	f := s.Plan.strike(kind, func(spec *Spec) bool { return spec.Actor.Match(s.path) && fits(spec) })
	if f == nil {
		return nil
	}
	s.mu.Lock()
	tree := s.tree
	s.mu.Unlock()
	if tree != nil {
		tree.Blame(s.path, fmt.Sprintf("%s: %s", f, what))
	}
	return f
}
