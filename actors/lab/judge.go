package lab

import (
	"slices"
	"strings"
	"time"

	"kouzui/actors/supervise"
)

// judge is a sink that holds the life of a process against the rules of
// supervision.
type judge struct {
	node     *node
	restarts map[string][]time.Time
	children map[string]int // that live
}

func newJudge(n *node) *judge {
	return &judge{node: n, restarts: map[string][]time.Time{}, children: map[string]int{}}
}

// Record implements supervise.Sink.
func (j *judge) Record(e *supervise.Event) {
	switch e.Kind {
	case supervise.Failed:
		if e.Stack != "" && !strings.HasPrefix(e.Reason, "injected fault") {
			j.node.run.blame(j.node, "%s panics at %s: %s\n%s", e.Actor, e.MessageType, e.Reason, e.Stack)
		}
	case supervise.Note:
		if e.Note == supervise.NotePanic {
			j.node.run.blame(j.node, "%s panics on its way out: %s\n%s", e.Actor, e.Reason, e.Stack)
		}
	case supervise.Restarted:
		b := j.node.class.Restarts.backoff()
		if b.All {
			break // siblings, which have not failed, spend no budget
		}
		recent := slices.DeleteFunc(j.restarts[e.Actor], func(t time.Time) bool { return e.Time.Sub(t) > b.Window })
		j.restarts[e.Actor] = append(recent, e.Time)
		// One that is tried for ever waits for Cap before each try.
		if most := b.Budget + int(float64(b.Window)/(float64(b.Cap)*(1-b.Jitter))) + 1; len(recent) >= most {
			j.node.run.blame(j.node, "%s is restarted more than %d times in %v", e.Actor, most, b.Window)
		}
	case supervise.Spawned:
		j.children[e.Parent]++
	case supervise.Stopped:
		j.children[e.Parent]--
		if n := j.children[e.Actor]; n > 0 {
			j.node.run.blame(j.node, "%d actors outlive %s", n, e.Actor)
		}
		delete(j.children, e.Actor)
	}
}
