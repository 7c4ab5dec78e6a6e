package work

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
)

// Round is what one download was seen to cost: by kind of actor, and Processor,
// in the process that downloaded and in the one that seeded.
type Round struct{ Down, Up map[string]*event.Work }

// connected are the kinds of actors that do the same: one dials, and the other
// is dialled.
var connected = [2]string{"peer", "inbound-peer"}

// Measured makes a table of several rounds of the same download. Other work on
// the machine only adds to what is seen, so of each cost the least counts. What
// the process used and no actor did is the cost of its connections.
func Measured(machine string, rounds []Round) *Table {
	t := &Table{Machine: machine}
	costs := map[[2]string]Cost{}
	for _, r := range rounds {
		for _, side := range []map[string]*event.Work{r.Down, r.Up} {
			for kind, w := range side {
				if w.Device {
					continue
				}
				for message, f := range messages(w) {
					lower(costs, costOf(kind, message, f))
				}
			}
		}
	}
	for _, c := range slices.Collect(maps.Values(costs)) {
		if at := slices.Index(connected[:], c.Kind); at >= 0 {
			c.Kind = connected[1-at]
			lower(costs, c)
		}
	}
	received, sent := math.Inf(1), math.Inf(1)
	for _, r := range rounds {
		received = min(received, restOf(r.Down, costs, bytesOf(r.Down, "FramesReceived")))
		sent = min(sent, restOf(r.Up, costs, bytesOf(r.Down, "FramesReceived")))
	}
	for message, rest := range map[string]float64{Received: received, Sent: sent} {
		if !math.IsInf(rest, 0) {
			costs[[2]string{Link, message}] = Cost{Kind: Link, Message: message, KiB: Time(max(0, rest))}
		}
	}
	for _, c := range costs {
		t.Cost = append(t.Cost, c)
	}
	slices.SortFunc(t.Cost, func(a, b Cost) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Message, b.Message))
	})
	return t
}

// messages adds up the flows of each type, whoever has sent it.
func messages(w *event.Work) map[string]event.Flow {
	sums := map[string]event.Flow{}
	for _, f := range w.Flows {
		if f.Count == 0 {
			continue
		}
		sum := sums[f.Message]
		sum.Count += f.Count
		sum.Busy += f.Busy
		sum.Bytes += f.Bytes
		sums[f.Message] = sum
	}
	return sums
}

// long is from how many bytes on the length of a message decides what it costs.
const long = 4 << 10

// costOf is the mean cost of a message. Long ones cost by their length: how
// much travels at a time differs from run to run.
func costOf(kind, message string, f event.Flow) Cost {
	c := Cost{Kind: kind, Message: message}
	if f.Bytes >= long*f.Count {
		c.KiB = Time(float64(f.Busy) * 1024 / float64(f.Bytes))
	} else {
		c.Time = Time(f.Busy / time.Duration(f.Count))
	}
	return c
}

// lower keeps the least cost of each message. A part that is 0 is not known.
func lower(costs map[[2]string]Cost, c Cost) {
	which := [2]string{c.Kind, c.Message}
	if known, is := costs[which]; is {
		c.Time, c.KiB = least(c.Time, known.Time), least(c.KiB, known.KiB)
	}
	costs[which] = c
}

func least(a, b Time) Time {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// bytesOf is how many bytes came with messages of a type.
func bytesOf(side map[string]*event.Work, message string) (n uint64) {
	for _, w := range side {
		n += messages(w)[message].Bytes
	}
	return n
}

// restOf is what a process used beside what its actors cost, in nanoseconds for
// each KiB.
func restOf(side map[string]*event.Work, costs map[[2]string]Cost, bytes uint64) float64 {
	if side[Processor] == nil || bytes == 0 {
		return math.Inf(1)
	}
	rest := float64(side[Processor].Busy)
	for kind, w := range side {
		if w.Device {
			continue
		}
		for message, f := range messages(w) {
			c := costs[[2]string{kind, message}]
			rest -= float64(f.Count) * float64(c.Took(int(f.Bytes/f.Count)))
		}
	}
	return rest * 1024 / float64(bytes)
}
