package work

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
)

// Span is what a process did in some time, by kind of actor and by device.
type Span struct {
	Length time.Duration
	Kinds  map[string]*event.Work
}

// Add adds the work of a kind to that of the span. The span keeps w.
func (s *Span) Add(kind string, w *event.Work) {
	if s.Kinds == nil {
		s.Kinds = map[string]*event.Work{}
	}
	s.Length = max(s.Length, w.Span)
	if known := s.Kinds[kind]; known != nil {
		known.Merge(w)
	} else {
		s.Kinds[kind] = w
	}
}

// Worker is what the actors of a kind have done, or a device. Times are in
// microseconds, parts from 0 to 1.
type Worker struct {
	Kind    string  `json:"kind"`
	Device  bool    `json:"device,omitempty"`
	Actors  int     `json:"actors"` // of a process, at most
	Handled uint64  `json:"messages"`
	Busy    float64 `json:"busy"`    // of all actors of a process together, as a part of one core
	Busiest float64 `json:"busiest"` // of the busiest actor in its busiest span
	Queue   float64 `json:"queue"`   // messages that wait in a process, on average
	Wait    float64 `json:"wait_median_us"`
	Wait99  float64 `json:"wait_p99_us"`
	Took    float64 `json:"service_median_us"`
	Took99  float64 `json:"service_p99_us"`
}

// Flow is who sends what to whom.
type Flow struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Message string  `json:"message"`
	Count   uint64  `json:"count"`
	Bytes   uint64  `json:"bytes"`
	Busy    float64 `json:"busy"` // of the receiver, as a part of one core
}

// Unknown is the sender in Flow of what nobody knows the sender of.
const Unknown = "?"

// Sum adds up the work of spans: by kind of actor, the busiest first, and then
// of devices; and who sends what to whom, the most frequent first.
func Sum(spans []*Span) (workers []Worker, flows []Flow) {
	workers, flows = []Worker{}, []Flow{}
	total, length := map[string]*event.Work{}, time.Duration(0)
	busiest := map[string]float64{}
	for _, one := range spans {
		length += one.Length
		for kind, w := range one.Kinds {
			if total[kind] == nil {
				total[kind] = &event.Work{}
			}
			total[kind].Merge(w)
			busiest[kind] = max(busiest[kind], min(1, Part(w.Busiest, one.Length))) // more if a message has begun before the span
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		w := total[kind]
		workers = append(workers, Worker{
			Kind: kind, Device: w.Device, Actors: w.Actors, Handled: w.Handled,
			Busy: Part(w.Busy, length), Busiest: busiest[kind], Queue: Part(w.Waiting, length),
			Wait: inMicros(w.Waits.Quantile(0.5)), Wait99: inMicros(w.Waits.Quantile(0.99)),
			Took: inMicros(w.Service.Quantile(0.5)), Took99: inMicros(w.Service.Quantile(0.99)),
		})
		if w.Device {
			continue
		}
		for _, f := range w.Flows {
			flows = append(flows, Flow{cmp.Or(f.From, Unknown), kind, f.Message, f.Count, f.Bytes, Part(f.Busy, length)})
		}
	}
	slices.SortFunc(workers, func(a, b Worker) int {
		if a.Device != b.Device {
			return map[bool]int{false: -1, true: 1}[a.Device]
		}
		return cmp.Or(cmp.Compare(b.Busy, a.Busy), strings.Compare(a.Kind, b.Kind))
	})
	slices.SortFunc(flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.To, b.To), strings.Compare(a.From, b.From), strings.Compare(a.Message, b.Message))
	})
	return workers, flows
}

// Part is which part of a time another one is; 0 if there is no time.
func Part(of, all time.Duration) float64 {
	if all <= 0 {
		return 0
	}
	return float64(of) / float64(all)
}

func inMicros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
