package supervise_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
)

type step struct {
	what, where int
}

// TestTheTraceOfAStormIsComplete breaks, stops and spawns actors at random; the
// tree that the events describe must be the tree that there is, and every event
// must have its cause (checked at the end of the bubble).
func TestTheTraceOfAStormIsComplete(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.IntRange(0, 6).Draw(r, "what"), rapid.IntRange(0, 12).Draw(r, "where")}
		}), 20, 100).Draw(r, "steps")
		var diff string
		bubble(t, func(f *fixture) { diff = storm(f, steps) })
		if diff != "" || t.Failed() {
			r.Fatalf("the tree by its events and as it is: %s", diff)
		}
	})
}

// every is one strategy of each kind.
var every = []supervise.Strategy{supervise.DefaultBackoff, supervise.Backoff{All: true}, supervise.StopChild, supervise.Escalate}

func storm(f *fixture, steps []step) string {
	leaf := f.Props("leaf", scripted(nil))
	paths := []string{"root"}
	mids := map[string]*actor.Props{}
	for i, strategy := range every {
		leaves := map[string]*actor.Props{}
		for j := range 3 {
			leaves[fmt.Sprint(j)] = leaf
			paths = append(paths, fmt.Sprintf("root/%d/%d", i, j))
		}
		mids[fmt.Sprint(i)] = f.Props("mid", family(leaves, nil), supervise.WithStrategy(strategy))
		paths = append(paths, fmt.Sprintf("root/%d", i))
	}
	f.root(f.Props("root", family(mids, nil), supervise.WithStrategy(steady)), supervise.DefaultBackoff)

	send := func(path string, m any) { f.System.Root.Send(f.System.NewLocalPID(path), m) }
	for _, s := range steps {
		path := paths[s.where%len(paths)]
		switch s.what {
		case 0, 1:
			send(path, &crash{"boom"})
		case 2:
			send(path, &mark{})
		case 3:
			send(path, &end{"enough"})
		case 4:
			send(path, &grow{fmt.Sprint("extra", s.where), leaf})
		case 5:
			f.advance(time.Duration(s.where) * 50 * time.Millisecond)
		case 6:
			_ = f.Kill(path, "storm") // it may be gone
		}
	}
	synctest.Wait()

	var replay trace.Replay
	for _, e := range f.trace.Events() {
		replay.Apply(e)
	}
	now := f.Snapshot()
	for i := range now {
		now[i].MailboxDepth = 0
	}
	return cmp.Diff(replay.Nodes(), now)
}
