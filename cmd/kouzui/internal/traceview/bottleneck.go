package traceview

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/kouzui/internal/paint"
)

const (
	// full is from which part of its time on a processor, a device or an actor is
	// taken for what holds a run up. Saturated ones are never idle for long, and
	// spans begin and end in the middle of something.
	full = 0.9
	// refused is which part of the requests for tokens has to wait, where the
	// limiter is what holds a run up.
	refused = 0.5
	// mostWaits is how many kinds of actors are shown with their waits, and
	// mostProcesses how many processes.
	mostWaits, mostProcesses = 3, 10
	// mostEvidence is how many lines of evidence are shown of a process.
	mostEvidence = 6
)

// What can hold a process up. Of several that are full, the one that stands
// first holds the others up: a limit keeps the link from being used, and a full
// processor makes all actors busy.
const (
	byLimit = iota
	byLink
	byDisk
	byProcessor
	byActor
	nobody
)

const (
	limited = "limiter"
	disk    = "disk"
)

// ErrNoWork: a trace has nothing to tell what holds its run up.
var ErrNoWork = errors.New("nothing in it tells how busy its actors were; real runs measure that with --trace, simulated ones on nodes with cores")

// Bottleneck is what holds a run up.
type Bottleneck struct {
	V         int       `json:"v"`
	Run       string    `json:"run"`
	Processes []Process `json:"processes"` // by path of their roots
}

// Process is one process of the run while it moved payload.
type Process struct {
	Root    string        `json:"root"`
	Seconds float64       `json:"seconds"`       // for which it moved payload
	HeldBy  string        `json:"held_up_by"`    // processor, disk, uplink, downlink, limiter, or a kind of actor; "" nothing in this process
	Signs   []Evidence    `json:"evidence"`      // the strongest first
	Waits   []work.Worker `json:"longest_waits"` // kinds of actors by the 99 % wait of their messages
}

// Evidence is how busy something was.
type Evidence struct {
	What string  `json:"what"`
	Busy float64 `json:"busy"` // part of its time
	Note string  `json:"note,omitempty"`
	rank int     // which of several that are full holds the others up
}

// FindBottleneck reads a trace to its end, and names what holds up each process
// whose root matches a pattern.
func FindBottleneck(r *trace.Reader, actor string) (*Bottleneck, error) {
	s := spans{}
	for e := range r.Events() {
		if e.Kind == event.Worked && Match(actor, e.Actor) {
			s.add(e)
		}
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	if len(s.list) == 0 {
		return nil, ErrNoWork
	}
	b := &Bottleneck{V: 1, Run: r.Header.Run, Processes: []Process{}}
	of := byProcess(s.list)
	for _, root := range slices.Sorted(maps.Keys(of)) {
		b.Processes = append(b.Processes, judge(root, active(of[root])))
	}
	return b, nil
}

// busyOf is how busy the parts of a process were, in the time of its spans.
type busyOf struct {
	length        time.Duration
	cores         int
	actors        time.Duration // all of them together
	blocking      time.Duration // those that may block
	process       time.Duration // on a real processor; 0: not known
	kinds         map[string]time.Duration
	busiest       map[string]time.Duration // actor of each kind
	devices       map[string]time.Duration
	asked, waited uint64 // requests for tokens, and timers of the limiter
}

func measure(spans []*span) *busyOf {
	b := &busyOf{kinds: map[string]time.Duration{}, busiest: map[string]time.Duration{}, devices: map[string]time.Duration{}}
	for _, one := range spans {
		b.length += one.Length
		b.asked += one.messages(limited, "TokensWanted")
		b.waited += one.messages(limited, "due")
		for kind, w := range one.Kinds {
			b.cores = max(b.cores, w.Cores)
			switch {
			case kind == work.Processor:
				b.process += w.Busy
			case w.Device:
				b.devices[kind] += w.Busy
			default:
				b.actors += w.Busy
				b.kinds[kind] += w.Busy
				b.busiest[kind] += w.Busiest
				if blocks(kind) {
					b.blocking += w.Busy
				}
			}
		}
	}
	return b
}

// blocks tells whether actors of a kind wait for the disk while they handle a
// message.
func blocks(kind string) bool { return kind == "hash" || kind == "keeper" }

// judge weighs what a process did in these spans.
func judge(root string, spans []*span) Process {
	b := measure(spans)
	p := Process{Root: root, Seconds: b.length.Seconds(), Signs: b.signs()}
	p.HeldBy = heldBy(p.Signs)
	p.Signs = p.Signs[:min(len(p.Signs), mostEvidence)]
	p.Waits, _ = sum(spans)
	p.Waits = slices.DeleteFunc(p.Waits, func(w work.Worker) bool { return w.Device })
	slices.SortStableFunc(p.Waits, func(a, b work.Worker) int { return cmp.Compare(b.Wait99, a.Wait99) })
	p.Waits = p.Waits[:min(len(p.Waits), mostWaits)]
	return p
}

func (b *busyOf) signs() []Evidence {
	list := []Evidence{}
	if b.waited > 0 && b.asked > 0 {
		waited := min(b.waited, b.asked)
		list = append(list, Evidence{
			What: limited, Busy: float64(waited) / float64(b.asked), rank: byLimit,
			Note: fmt.Sprintf("some %d of %d requests for tokens waited", waited, b.asked),
		})
	}
	for name, busy := range b.devices {
		rank := byLink
		if name == disk {
			rank = byDisk
		}
		list = append(list, Evidence{What: name, Busy: work.Part(busy, b.length), rank: rank})
	}
	used, real := b.actors, b.process > 0
	if real {
		used = b.process
	}
	list = append(list, Evidence{
		What: work.Processor, Busy: min(1, work.Part(used, b.length*time.Duration(max(b.cores, 1)))), rank: byProcessor,
		Note: fmt.Sprintf("%.2f of %s; of what actors did, most was %s", work.Part(used, b.length), units.Count(b.cores, "core"), b.most()),
	})
	for kind, busy := range b.busiest {
		one := Evidence{What: kind, Busy: min(1, work.Part(busy, b.length)), rank: byActor, Note: "its busiest actor"}
		if real && blocks(kind) && b.blocking > used {
			one.What, one.rank = disk, byDisk
			one.Note = fmt.Sprintf("%s was busy for %v, of which it computed for %v at most, and else waited for the disk", kind, brief(b.blocking), brief(used))
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(b.Busy, a.Busy), cmp.Compare(a.rank, b.rank), strings.Compare(a.What, b.What))
	})
	return list
}

// most is the kind of actor that worked for the longest time.
func (b *busyOf) most() string {
	best := "nothing"
	for _, kind := range slices.Sorted(maps.Keys(b.kinds)) {
		if b.kinds[kind] > b.kinds[best] {
			best = kind
		}
	}
	return fmt.Sprintf("%s (%s)", clean(best), percent(work.Part(b.kinds[best], b.actors)))
}

// heldBy names what is full and, of several, what holds the others up.
func heldBy(signs []Evidence) string {
	best := Evidence{rank: nobody}
	for _, e := range signs {
		if (e.Busy >= full || e.rank == byLimit && e.Busy >= refused) && e.rank < best.rank {
			best = e
		}
	}
	return best.What
}

// besideBusy is how many cells of a line of evidence stand before what was
// busy.
const besideBusy = 11

// Write says it to people. Lines are wrapped at width columns; 0: they are not.
func (b *Bottleneck) Write(out io.Writer, p Paint, width int) error {
	w := &strings.Builder{}
	held := map[string]int{}
	for _, one := range b.Processes {
		held[one.HeldBy]++
	}
	if len(b.Processes) > 1 {
		fmt.Fprintf(w, "run %s: %d processes\n", clean(b.Run), len(b.Processes))
		for _, what := range slices.SortedFunc(maps.Keys(held), func(a, b string) int {
			return cmp.Or(cmp.Compare(held[b], held[a]), strings.Compare(a, b))
		}) {
			fmt.Fprintf(w, "  %d held up by %s\n", held[what], cmp.Or(clean(what), "nothing of their own: they wait for others"))
		}
	}
	for i, one := range b.Processes {
		if i == mostProcesses {
			fmt.Fprintf(w, "\n%d more, which --actor and --json show\n", len(b.Processes)-i)
			break
		}
		if len(b.Processes) > 1 {
			fmt.Fprintln(w)
		}
		if one.HeldBy == "" {
			fmt.Fprintf(w, "%s is held up by nothing of its own; nothing was busy for %.0f %% of its time, so it waited for others\n", p.bold(clean(one.Root)), 100*full)
		} else {
			fmt.Fprintf(w, "%s is held up by: %s\n", p.bold(clean(one.Root)), p.warning(clean(one.HeldBy)))
		}
		fmt.Fprintf(w, "  in the %.3g s in which payload moved\n", one.Seconds)
		for _, e := range one.Signs {
			fmt.Fprintf(w, "  %7s  %s%s\n", percent(e.Busy), clean(e.What), list(": ", e.Note))
		}
		for _, k := range one.Waits {
			fmt.Fprintf(w, "  messages to %s waited %s, 1 in 100 more than %s; %.2g waited on average\n", clean(k.Kind), short(k.Wait), short(k.Wait99), k.Queue)
		}
	}
	for line := range strings.Lines(w.String()) {
		if _, err := fmt.Fprintln(out, paint.Wrap(strings.TrimSuffix(line, "\n"), width, besideBusy)); err != nil {
			return err
		}
	}
	return nil
}
