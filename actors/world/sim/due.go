package sim

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world"
	"kouzui/wire/frame"
)

// Due is something that will happen unless it is called off.
type Due struct {
	At   time.Duration // since the start
	Host string        // on which; empty: on none
	By   string        // path of the actor that has asked for it; empty: none has
	What string
}

// Due lists what will happen first, of all that is due on a host, and counts
// all; a host without a name is any, and none. The run must be one that can
// pause, else nothing is said of timers.
func (s *Sim) Due(on string, most int) (first []Due, all int) {
	var entries []entered
	for _, e := range s.agenda.heap {
		if e.do != nil && !e.life.over() && (on == "" || e.host() == on) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b entered) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
	for _, e := range entries[:min(most, len(entries))] {
		first = append(first, e.due())
	}
	return first, len(entries)
}

// When is the time at which a timer of this world is due; false: it has fired,
// or was stopped.
func (s *Sim) When(of world.Timer) (at time.Duration, set bool) {
	e, is := of.(*appointment)
	if !is || e.do == nil {
		return 0, false
	}
	for _, one := range s.agenda.heap {
		if one.appointment == e {
			return time.Duration(one.at), true
		}
	}
	return 0, false
}

// host is the name of the host on which it will happen; empty: it is none.
func (e *entered) host() string {
	switch do := e.do.(type) {
	case *segment:
		if do.at == passing {
			return do.from.host.Name
		}
		return do.from.other.host.Name
	case *datagram:
		return do.receiver().Name
	case *planned:
		if do.of != nil {
			host, _, _ := handledBy(do.of)
			return host
		}
	}
	if e.life != nil {
		return e.life.host.Name
	}
	return ""
}

func (e *entered) due() Due {
	d := Due{At: time.Duration(e.at), Host: e.host()}
	switch do := e.do.(type) {
	case *planned:
		d.By = do.by
		do.tell(&d)
	case *segment:
		do.tell(&d)
	case *datagram:
		do.tell(&d)
	}
	return d
}

// planned is a call that remembers who has asked for it.
type planned struct {
	call
	by    string // path of the actor
	stack [12]uintptr
	depth int
	of    thread // that needs a core for so long; or nil
}

// plan makes the call of f; the caller of whoever calls plan has asked for it.
func (p *pauses) plan(f func()) *planned {
	one := &planned{call: f, by: p.acting}
	one.depth = runtime.Callers(3, one.stack[:])
	return one
}

// running notes that a core is taken by a thread until e.
func (e *appointment) running(t thread) {
	if p, is := e.do.(*planned); is {
		p.of = t
	}
}

// handledBy says what a thread has a core for: on which host, which actor, and
// what will have been done.
func handledBy(t thread) (host, actor, what string) {
	const free = "a core is free again"
	switch t := t.(type) {
	case *stream:
		return t.link.host.Name, "", fmt.Sprintf("a core has handled what was %s on link %d", t.message, t.link.id)
	case *together:
		if t.current == nil {
			return t.life.host.Name, "", free
		}
		return handledBy(t.current)
	case *mailbox:
		if t.load.message == nil {
			return t.life.host.Name, t.path, free
		}
		return t.life.host.Name, t.path, "a core has handled " + work.NameOf(bare(t.load.message))
	}
	return "", "", free
}

func (p *planned) tell(d *Due) {
	if p.of != nil {
		_, d.By, d.What = handledBy(p.of)
		return
	}
	d.What = "a call"
	frames := runtime.CallersFrames(p.stack[:p.depth])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		name := strings.TrimPrefix(f.Function, "kouzui/actors/")
		if i := strings.Index(name, ".func"); i >= 0 { // a function within it
			name = name[:i]
		}
		switch words, known := asked[name]; {
		case known && words == "":
		case known:
			d.What = words
			return
		default:
			d.What = fmt.Sprintf("a timer that %s has set (%s:%d)", name[strings.LastIndex(name, "/")+1:], path.Base(f.File), f.Line)
			return
		}
	}
}

// asked are words for what the functions of the worlds ask for; those without
// words do it for others.
var asked = map[string]string{
	"world/sim.(*Sim).After":                       "",
	"world/sim.clock.AfterFunc":                    "",
	"runtime/supervise.(*Timer).set":               "",
	"runtime/supervise.(*Timer).SetAt":             "",
	"runtime/supervise.(*Timer).SetBy":             "",
	"runtime/supervise.(*Timer).SetAfter":          "",
	"runtime/supervise.(*Timer).SetAtNext":         "",
	"runtime/supervise.(*supervisor).restartLater": "a failed actor is restarted",
	"runtime/supervise.(*Tree).recording":          "work is recorded",
	"runtime/supervise.(*node).injected":           "a fault ends, or a delayed message comes",
	"runtime/fault.file.transfer":                  "a disk that a fault makes slow answers",
	"world/sim.(*disk).later":                      "",
	"world/sim.file.ReadBlocks":                    "the disk has read",
	"world/sim.file.WriteBlocks":                   "the disk has written",
	"world/sim.file.Sync":                          "the disk has synced",
	"world/sim.(*mailbox).Hold":                    "an actor hangs no longer",
	"world/sim.(*link).ReadHandshake":              "a handshake is late",
	"world/sim.network.Dial":                       "a dial arrives, or is late",
	"world/sim.(*Sim).knock":                       "the answer to a dial arrives",
	"world/sim.announcer.Announce":                 "an announce, or its answer, arrives or is late",
	"world/sim.names.Resolve":                      "the answer to a look-up of a name arrives",
	"lab.(*run).schedule":                          "the scenario: a node arrives, or an event begins",
	"lab.(*run).happen":                            "the scenario: an event ends",
	"lab.(*run).again":                             "the scenario: an event begins again",
	"lab.(*run).strike":                            "a process is started again",
	"lab.(*run).arrive":                            "the scenario: a node leaves",
	"lab.(*coroutines).later":                      "a hostile script goes on",
	"lab.(*foe).announce":                          "a hostile node announces itself again",
}

func (seg *segment) tell(d *Due) {
	from, to := seg.from.host.Name, seg.from.other.host.Name
	where := "arrives"
	switch seg.at {
	case passing:
		where = "has left the uplink"
	case entering:
		where = "has passed the downlink"
	}
	d.What = fmt.Sprintf("what %s sends to %s %s: %s", from, to, where, seg.contents())
}

// contents says what a segment brings: how many frames of each kind, in the
// order of their kinds.
func (seg *segment) contents() string {
	var parts []string
	if seg.greeting != nil || seg.begun != nil {
		parts = append(parts, "handshake")
	}
	counts := map[frame.Kind]int{}
	for _, f := range seg.frames {
		counts[f.Kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %v", counts[kind], kind))
	}
	if seg.fin != nil {
		parts = append(parts, fmt.Sprintf("the end (%v)", seg.fin))
	}
	return fmt.Sprintf("%s (%d bytes)", strings.Join(parts, ", "), seg.bytes)
}
