// Package hasher hashes pieces, and reads and writes the blocks that this
// takes.
//
// The door is Queue: a store puts pieces into it to be verified, spilled or
// checked, hands the batches that come out to its hash workers, and is handed
// back each Job with the result. How many workers there are, which pieces are
// hashed side by side, and what of a large piece is hashed before the rest has
// come is decided behind that door.
//
// A hash worker is an actor that may block. Its store restarts it alone; the
// jobs that it had are then given to it again.
package hasher

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Config is what a hash worker is built from.
type Config struct {
	Index   int // of the worker, from 0
	Files   *files.Files
	Torrent *metainfo.Torrent
	Pool    *buffer.Pool
	Digest  world.Digest
}

// New returns a hash worker.
func New(cfg Config) actor.Actor { return &hasher{Config: cfg} }

type hasher struct {
	Config
	worker *worker
}

// resumed: a hash worker to itself, when the disk has answered what the worker
// waits for.
type resumed struct{}

func (h *hasher) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		deliver := supervise.Deliver(c)
		h.worker = newWorker(h.Config, func() { deliver(&resumed{}) })
		c.Send(c.Parent(), &Ready{Index: h.Index, Deliver: deliver})
	case *Batch:
		h.worker.take(m.Jobs)
		h.goOn(c)
	case *resumed:
		h.goOn(c)
	}
}

// goOn works until the worker waits for the disk or has nothing to do. The
// store hears of each job as soon as it is done.
func (h *hasher) goOn(c actor.Context) {
	for j := h.worker.next(); j != nil; j = h.worker.next() {
		c.Send(c.Parent(), j)
	}
}
