// Package work tells what it takes to handle messages: a Meter sums up, by kind
// of actor, how long messages waited and how long handling them took; Costs say
// how long it takes in a simulated world.
package work

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"kouzui/actors/runtime/event"
)

// World is the sender of what no actor has sent: timers, links and disks.
const World = "world"

// Processor is the device that runs all code of the process: its time is that
// of all threads, those that no actor uses included.
const Processor = "processor"

// Meter sums up what the actors of a process do. It is safe for concurrent use.
type Meter struct {
	cores int

	mu    sync.Mutex
	since time.Duration // when the span under way began
	span  int           // its number
	kinds map[string]*kind
}

// NewMeter returns a meter for a machine of so many cores.
func NewMeter(cores int) *Meter { return &Meter{cores: cores, kinds: map[string]*kind{}} }

// kind is what a kind of actor has done in the span under way.
type kind struct {
	event.Work
	flows map[flow]*event.Flow
}

type flow struct{ from, message string }

// Actor is one actor, or one device, that a Meter knows. It has one user at a
// time.
type Actor struct {
	meter  *Meter
	kind   string
	device bool
	span   int
	busy   time.Duration // in that span
}

// Actor returns a new actor of a kind.
func (m *Meter) Actor(kind string) *Actor { return &Actor{meter: m, kind: kind, span: -1} }

// Device returns a new device.
func (m *Meter) Device(name string) *Actor {
	return &Actor{meter: m, kind: name, span: -1, device: true}
}

// Handled is a message that an actor has handled.
type Handled struct {
	From, Message string // see event.Flow
	Bytes         uint64 // of payload
	Waited, Took  time.Duration
	For           uint64 // how many messages this one stands for: of a sample more than one
}

// Add counts a message.
func (a *Actor) Add(h Handled) {
	m := a.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.kinds[a.kind]
	if k == nil {
		k = &kind{flows: map[flow]*event.Flow{}}
		m.kinds[a.kind] = k
	}
	if a.span != m.span {
		a.span, a.busy = m.span, 0
		k.Actors++
	}
	k.Device = a.device
	busy := h.Took * time.Duration(h.For)
	a.busy += busy
	k.Handled += h.For
	k.Busy += busy
	k.Busiest = max(k.Busiest, a.busy)
	k.Waiting += h.Waited * time.Duration(h.For)
	k.Waits.Add(h.Waited, h.For)
	k.Service.Add(h.Took, h.For)
	which := flow{h.From, h.Message}
	f := k.flows[which]
	if f == nil {
		f = &event.Flow{From: h.From, Message: h.Message}
		k.flows[which] = f
	}
	f.Count += h.For
	f.Busy += busy
	f.Bytes += h.Bytes * h.For
}

// Take returns what each kind has done since the last call, by name, and begins
// a new span. now is the time since some fixed moment, the same at each call.
func (m *Meter) Take(now time.Duration, say func(kind string, w *event.Work)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.kinds)) {
		k := m.kinds[name]
		if k.Handled == 0 {
			continue
		}
		w := k.Work
		w.Span, w.Cores = now-m.since, m.cores
		for _, f := range k.flows {
			w.Flows = append(w.Flows, *f)
		}
		slices.SortFunc(w.Flows, func(a, b event.Flow) int {
			return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Message, b.Message))
		})
		k.Work = event.Work{}
		clear(k.flows)
		say(name, &w)
	}
	m.since = now
	m.span++
}

// NameOf is the name of a message's type, without its package.
func NameOf(message any) string {
	t := reflect.TypeOf(message)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// PayloadOf is how many bytes of payload come with a message, where handling it
// takes the longer the more they are.
func PayloadOf(message any) int {
	if m, is := message.(interface{ PayloadBytes() int }); is {
		return m.PayloadBytes()
	}
	return 0
}
