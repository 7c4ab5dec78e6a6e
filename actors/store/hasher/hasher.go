// Package hasher hashes pieces, and reads and writes their blocks.
//
// The entry point is Queue. A store puts pieces into it to be verified, spilled
// or checked, and sends the batches that come out to its hash workers. Each
// worker sends each Job back with its result. Queue decides which pieces are
// hashed side by side, and how much of a large piece is hashed before the rest
// has arrived.
//
// A hash worker is an actor that may block. If it fails, its store restarts it
// alone and sends it its unfinished jobs again.
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
