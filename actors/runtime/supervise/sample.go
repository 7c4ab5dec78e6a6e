package supervise

import (
	"cmp"
	"kouzui/actors/runtime/event"
	"slices"
	"time"
)

// mostSamples is how many mailboxes a sample shows: the fullest.
const mostSamples = 64

// sampling has the mailboxes sampled again and again until the shutdown. t.mu
// is held.
func (t *Tree) sampling() {
	t.sampler = t.Clock.AfterFunc(t.Sample, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.sampler == nil {
			return
		}
		t.sample()
		t.sampling()
	})
}

func (t *Tree) stopSampling() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sampler != nil {
		t.sampler.Stop()
		t.sampler = nil
	}
}

// sample records the mailboxes in which messages wait, and once more those that
// have been emptied since. It looks at them from outside: also that of an actor
// that hangs is seen. t.mu is held.
func (t *Tree) sample() {
	type found struct {
		*node
		depth int
	}
	var list []found
	for _, n := range t.nodes {
		if depth := n.depth(); depth > 0 || n.sampled {
			list = append(list, found{n, depth})
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.depth, a.depth), cmp.Compare(a.path, b.path))
	})
	for i, f := range list {
		if f.depth > 0 && i >= mostSamples {
			continue
		}
		f.sampled = f.depth > 0
		e := f.event(event.Mailbox, f.alive)
		e.Depth = f.depth
		e.Waited = f.waited(f.depth, 0)
		t.record(e)
	}
}

// waited is how long ago a message was sent, see ages.since; 0 if nothing keeps
// account. tree.mu is held.
func (n *node) waited(depth, which int) time.Duration {
	if n.ages == nil || depth == 0 && which == 0 {
		return 0
	}
	return n.ages.since(n.tree.Clock.Now(), depth, which)
}
