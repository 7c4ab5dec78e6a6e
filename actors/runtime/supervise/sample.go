package supervise

import (
	"cmp"
	"kouzui/actors/runtime/event"
	"slices"
	"time"
)

// mostSamples is how many mailboxes one sample records, the fullest first.
const mostSamples = 64

// sampling starts the timer of the next sample, which starts the next one,
// until stopSampling. t.mu is held.
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
// have become empty since the last sample. It reads the mailboxes without help
// of their actors, so it also records that of an actor that hangs. t.mu is
// held.
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

// waited is how long ago a message was sent, see ages.since; 0 if times of
// sending are not remembered. tree.mu is held.
func (n *node) waited(depth, which int) time.Duration {
	if n.ages == nil || depth == 0 && which == 0 {
		return 0
	}
	return n.ages.since(n.tree.Clock.Now(), depth, which)
}
