package event

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Work is what the actors of a kind have done, or a device of the machine, in
// the time before an event of kind Worked.
type Work struct {
	Span   time.Duration `json:"span_ns"` // the time that this sums up
	Cores  int           `json:"cores,omitempty"`
	Device bool          `json:"device,omitempty"` // it is a device, such as the disk, and no actor

	Actors  int           `json:"actors"`     // that did any of it
	Handled uint64        `json:"handled"`    // messages
	Busy    time.Duration `json:"busy_ns"`    // of all these actors together, while they handled messages
	Busiest time.Duration `json:"busiest_ns"` // of the one that was busy for the longest time
	Waiting time.Duration `json:"waiting_ns"` // of all messages together, from when they were sent
	Waits   Histogram     `json:"waits"`      // of messages until they were handled
	Service Histogram     `json:"service"`    // of messages: how long handling them took
	Flows   []Flow        `json:"flows"`      // sorted by sender and message
}

// Flow is who sent the messages of one type, and what they cost.
type Flow struct {
	From    string        `json:"from,omitempty"` // kind of actor; "world": a timer, a link or a disk; "": not known
	Message string        `json:"message"`        // its type
	Count   uint64        `json:"count"`
	Busy    time.Duration `json:"busy_ns"`
	Bytes   uint64        `json:"bytes,omitempty"` // of payload that came with them
}

// perDoubling is how many buckets of a Histogram cover a doubling of time: what
// is read from a histogram is right within 9 %.
const perDoubling = 4

// Histogram counts durations. Bucket i is of those from 2^(i/4) nanoseconds on.
type Histogram []uint64

// buckets is how many buckets there can be: enough for any time.Duration.
const buckets = 63*perDoubling + 1

// MarshalJSON writes the buckets that are not empty, by their numbers.
func (h Histogram) MarshalJSON() ([]byte, error) {
	full := map[int]uint64{}
	for i, n := range h {
		if n > 0 {
			full[i] = n
		}
	}
	return json.Marshal(full)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (h *Histogram) UnmarshalJSON(raw []byte) error {
	var full map[int]uint64
	if err := json.Unmarshal(raw, &full); err != nil {
		return err
	}
	*h = nil
	for i, n := range full {
		if i < 0 || i >= buckets {
			return fmt.Errorf("a histogram has no bucket %d", i)
		}
		for len(*h) <= i {
			*h = append(*h, 0)
		}
		(*h)[i] = n
	}
	return nil
}

// Add counts n durations of this length.
func (h *Histogram) Add(d time.Duration, n uint64) {
	i := 0
	if d > 1 {
		i = int(math.Log2(float64(d)) * perDoubling)
	}
	for len(*h) <= i {
		*h = append(*h, 0)
	}
	(*h)[i] += n
}

// Merge adds the counts of another histogram.
func (h *Histogram) Merge(o Histogram) {
	for len(*h) < len(o) {
		*h = append(*h, 0)
	}
	for i, n := range o {
		(*h)[i] += n
	}
}

// Count is how many durations there are.
func (h Histogram) Count() (n uint64) {
	for _, one := range h {
		n += one
	}
	return n
}

// Quantile is the duration that this part of all does not exceed, in the middle
// of its bucket; 0 if there are none.
func (h Histogram) Quantile(part float64) time.Duration {
	left := uint64(math.Ceil(part * float64(h.Count())))
	for i, n := range h {
		if n >= left && n > 0 {
			if i == 0 {
				return 0
			}
			return time.Duration(math.Exp2((float64(i) + 0.5) / perDoubling))
		}
		left -= min(n, left)
	}
	return 0
}

// Merge adds what another time has brought. The longest time of one actor is
// that in any of both times.
func (w *Work) Merge(o *Work) {
	w.Span += o.Span
	w.Cores = max(w.Cores, o.Cores)
	w.Device = w.Device || o.Device
	w.Actors = max(w.Actors, o.Actors)
	w.Handled += o.Handled
	w.Busy += o.Busy
	w.Busiest = max(w.Busiest, o.Busiest)
	w.Waiting += o.Waiting
	w.Waits.Merge(o.Waits)
	w.Service.Merge(o.Service)
	for _, f := range o.Flows {
		w.flow(f)
	}
}

func (w *Work) flow(f Flow) {
	for i := range w.Flows {
		if g := &w.Flows[i]; g.From == f.From && g.Message == f.Message {
			g.Count += f.Count
			g.Busy += f.Busy
			g.Bytes += f.Bytes
			return
		}
	}
	w.Flows = append(w.Flows, f)
}

// Queue is how many messages waited on average, by Little's law.
func (w *Work) Queue() float64 {
	if w.Span <= 0 {
		return 0
	}
	return float64(w.Waiting) / float64(w.Span)
}
