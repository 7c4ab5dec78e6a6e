// Package trackerd runs a tracker in a supervision tree of its own.
package trackerd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui"
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

// portTries is how many ports are tried if any will do: that which TCP gets may
// be in use for UDP.
const portTries = 10

// Tracker is a tracker at work.
type Tracker struct {
	URL    string       // where clients announce, over HTTP
	Failed <-chan error // gets the error that ends serving

	tree     *supervise.Tree
	pid      *actor.PID
	listener world.Listener
	sockets  []world.PacketSocket
}

// Start serves at listen, a HOST:PORT.
func Start(log zerolog.Logger, sinks []event.Sink, listen string, limits trackerserver.Limits) (*Tracker, error) {
	w := real.New(real.Options{Pool: buffer.NewPool(0), Version: kouzui.Version})
	failed := make(chan error, 3) // HTTP, UDP over IPv4 and IPv6
	t := &Tracker{Failed: failed, tree: supervise.New(supervise.Config{
		System: supervise.NewSystem(log), Clock: w.Clock, Chance: w.Chance, Sinks: sinks,
	})}
	config := trackerserver.Config{World: w, Limits: limits}
	_, _ = rand.Read(config.Key[:]) // never fails
	props := t.tree.Props("trackerserver", func() actor.Actor { return trackerserver.New(config) })
	forever := supervise.DefaultBackoff
	forever.WhenSpent = supervise.Forever
	var err error
	if t.pid, err = t.tree.Spawn("tracker", props, forever); err == nil {
		err = t.serve(w, listen, func(err error) { failed <- err })
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("cannot serve at %s: %w", listen, err)
	}
	t.URL = fmt.Sprintf("http://%s/announce", t.listener.Addr())
	return t, nil
}

// serve binds UDP at TCP's port. If any port will do, one is looked for that
// both have free.
func (t *Tracker) serve(w *world.World, listen string, failed func(error)) (err error) {
	for range portTries {
		if t.listener, err = trackerserver.Serve(w.Web, listen, t.tree.System.Root, t.pid, failed); err != nil {
			return err
		}
		if err = t.serveUDP(w, failed); err == nil {
			return nil
		}
		t.unbind()
		if _, port, _ := net.SplitHostPort(listen); port != "0" {
			return err
		}
	}
	return err
}

// serveUDP binds where TCP is bound. All addresses of the machine are a socket
// for each family that it has.
func (t *Tracker) serveUDP(w *world.World, failed func(error)) error {
	at := t.listener.Addr()
	addrs := []netip.Addr{at.Addr().Unmap()}
	if addrs[0] == netip.IPv6Unspecified() {
		addrs = append(addrs, netip.IPv4Unspecified())
	}
	for _, addr := range addrs {
		socket, err := trackerserver.ServeUDP(w.Packets, netip.AddrPortFrom(addr, at.Port()), t.tree.System.Root, t.pid, failed)
		if err == nil {
			t.sockets = append(t.sockets, socket)
		} else if !errors.Is(err, world.ErrNoAddress) {
			return err
		}
	}
	return nil
}

func (t *Tracker) unbind() {
	if t.listener != nil {
		t.listener.Close()
	}
	for _, s := range t.sockets {
		s.Close()
	}
	t.listener, t.sockets = nil, nil
}

// Counts asks what the tracker knows. It does not wait for the answer: reply is
// called by the tracker, and never if the tracker ends before.
func (t *Tracker) Counts(reply func(trackerserver.Counts)) {
	t.tree.System.Root.Send(t.pid, &trackerserver.QueryCounts{Reply: reply})
}

// Close stops serving.
func (t *Tracker) Close() {
	t.unbind()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if t.pid != nil {
		t.tree.Shutdown(ctx, t.pid)
	}
}
