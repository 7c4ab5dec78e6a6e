// Package trackerd runs a tracker in a supervision tree of its own.
package trackerd

import (
	"context"
	"fmt"
	"kouzui"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/trackerserver"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/wire/buffer"
)

// shutdownTimeout is how long the actors may take to stop. Those that do not
// stop in time end with the process.
const shutdownTimeout = 250 * time.Millisecond

// Tracker is a tracker at work.
type Tracker struct {
	URL    string       // where clients announce
	Failed <-chan error // gets the error that ends serving

	tree     *supervise.Tree
	pid      *actor.PID
	listener world.Listener
}

// Start serves at listen, a HOST:PORT.
func Start(log zerolog.Logger, sinks []event.Sink, listen string, limits trackerserver.Limits) (*Tracker, error) {
	w := real.New(real.Options{Pool: buffer.NewPool(0), Version: kouzui.Version})
	failed := make(chan error, 1)
	t := &Tracker{Failed: failed, tree: supervise.New(supervise.Config{
		System: supervise.NewSystem(log), Clock: w.Clock, Chance: w.Chance, Sinks: sinks,
	})}
	config := trackerserver.Config{World: w, Limits: limits}
	props := t.tree.Props("trackerserver", func() actor.Actor { return trackerserver.New(config) })
	forever := supervise.DefaultBackoff
	forever.WhenSpent = supervise.Forever
	var err error
	if t.pid, err = t.tree.Spawn("tracker", props, forever); err == nil {
		t.listener, err = trackerserver.Serve(w.Web, listen, t.tree.System.Root, t.pid, func(err error) { failed <- err })
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("cannot serve at %s: %w", listen, err)
	}
	t.URL = fmt.Sprintf("http://%s/announce", t.listener.Addr())
	return t, nil
}

// Counts asks what the tracker knows. It does not wait for the answer: reply is
// called by the tracker, and never if the tracker ends before.
func (t *Tracker) Counts(reply func(trackerserver.Counts)) {
	t.tree.System.Root.Send(t.pid, &trackerserver.QueryCounts{Reply: reply})
}

// Close stops serving.
func (t *Tracker) Close() {
	if t.listener != nil {
		t.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if t.pid != nil {
		t.tree.Shutdown(ctx, t.pid)
	}
}
