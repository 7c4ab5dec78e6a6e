// Package web is the actor of one web seed (BEP 19): a server that has the
// content of a torrent, and from which ranges of files are asked over HTTP. To
// scheduler and choker it is a peer that has everything and wants nothing.
//
// The shell in this file carries messages, and asks the server by the world.
// The core is
//
//	seed      sessions with the scheduler, failures, pauses, when to give up
//	plan      which of the blocks that are wanted make up the next run
//	transfer  the run under way: its ranges, and the blocks that come of them
//	pace      how long a run is
//	address   the URL of each file
//	tokens    the limiter's rates
package web

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Config is what a web seed is built from.
type Config struct {
	World   *world.World
	Refs    messages.Refs
	Torrent *metainfo.Torrent
	Seed    int // index in Torrent.WebSeeds
	Limits  messages.SetLimits
	Pool    *buffer.Pool
	// NextKey returns a key that no peer of this torrent has had.
	NextKey func() messages.PeerKey
}

// New builds a web seed.
func New(c Config) actor.Actor { return &web{config: c} }

type web struct {
	config Config
	*seed  // from Started on
	client world.FetchClient
	cancel func() // ends the fetch; nil: none is under way
	timer  supervise.Timer
}

// addresses are the actors that a web seed speaks to.
type addresses struct {
	messages.Refs
	self *actor.PID
}

// The answers of the world, as messages.
type (
	fetched struct {
		fetch  uint64
		blocks []*buffer.Block
	}
	fetchEnded struct {
		fetch uint64
		err   error
	}
	wake struct{}
)

// Discard releases blocks that were fetched for an incarnation that is over.
func (f *fetched) Discard() {
	for _, b := range f.blocks {
		b.Release()
	}
}

func (w *web) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		w.seed = newSeed(w.config, addresses{w.config.Refs, c.Self()}, w.config.World.Chance.Source(c.Self().Id), w.config.World.Clock.Now())
		w.client = w.config.World.Fetcher.Open(world.FromTorrent)
		w.started()
	case *actor.Restarting:
		w.out = actions{} // of a message that was not handled to its end
		w.finish(c, messages.GoneFailed)
		return
	case *actor.Stopping:
		w.finish(c, messages.GoneStopping)
		return
	case *actor.Stopped:
		return
	}
	w.now = w.config.World.Clock.Now()
	w.handle(c.Message())
	w.carryOut(c)
}

func (w *web) handle(message any) {
	switch m := message.(type) {
	case *messages.StartFetching:
		w.startFetching()
	case *messages.StartSession:
		w.startSession(m)
	case *messages.RequestBlocks:
		w.request(m.Blocks)
	case *messages.CancelBlocks:
		w.cancelBlocks(m.Blocks)
	case *messages.Disconnect:
		w.disconnect(m.Reason)
	case *messages.WebSeedLied:
		w.lied(m.Reason)
	case *messages.SetWanted:
		w.setWanted()
	case *messages.SetLimits:
		w.setLimits(m)
	case *messages.TokensGranted:
		w.granted(m)
	case *fetched:
		w.fetched(m.fetch, m.blocks)
	case *fetchEnded:
		w.fetchEnded(m.fetch, m.err)
	case *wake:
		w.wake()
	}
}

// carryOut does what the core wants done.
func (w *web) carryOut(c actor.Context) {
	out := &w.out
	if out.cancel {
		w.stopFetch()
	}
	if r := out.ask; r != nil {
		deliver, id := supervise.Deliver(c), w.fetch
		w.cancel = w.client.Fetch(*r, func(blocks []*buffer.Block) { deliver(&fetched{id, blocks}) }, func(err error) { deliver(&fetchEnded{id, err}) })
	}
	if out.failed != nil {
		supervise.Remark(c, "web_seed_failed", event.Text("host", w.host), event.Text("why", out.failed.Error()))
	}
	out.Flush(c.Send)
	end := out.end
	out.cancel, out.ask, out.failed, out.end = false, nil, nil, false
	if end {
		w.release()
		supervise.StopSelf(c, "given up")
		return
	}
	w.timer.SetBy(c, w.config.World.Clock, w.due(), &wake{})
}

// finish tells that the web seed is gone, and lets go of the connection.
func (w *web) finish(c actor.Context, reason messages.GoneReason) {
	if w.seed == nil {
		return
	}
	w.now = w.config.World.Clock.Now()
	w.gone(reason, nil)
	w.out.Flush(c.Send)
	w.release()
}

func (w *web) stopFetch() {
	if w.cancel != nil {
		w.cancel()
		w.cancel = nil
	}
}

func (w *web) release() {
	w.stopFetch()
	w.timer.Stop()
	if w.client != nil {
		w.client.Close()
	}
	w.client, w.seed = nil, nil
}
