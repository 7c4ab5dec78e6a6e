// Package keeper is the actor that does those jobs of its store that may block
// and concern the data as a whole, so that they hold up neither the store's
// mailbox nor a hash worker: the keeper opens and locks the folder, syncs
// files, renames the data, writes the journal, closes unused files, and moves
// what was stored of a file that was not wanted when it is.
//
// The store sends the keeper one Chore at a time, and the keeper sends it back
// when it is done. If the keeper fails, the store restarts it alone and sends
// it the same Chore again.
package keeper

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// Config is what a keeper is built from.
type Config struct {
	Disk    world.Disk
	Dir     string
	Files   *files.Files
	Torrent *metainfo.Torrent
	// MayBeReadOnly: the folder need not be locked if nothing can be written
	// there.
	MayBeReadOnly bool
	Force         bool // see store.Config
}

// New returns a keeper.
func New(cfg Config) actor.Actor { return &keeper{chores: chores{Config: cfg}} }

type keeper struct{ chores }

// resumed: keeper to itself, when the disk has answered what the keeper waits
// for.
type resumed struct{}

func (k *keeper) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		deliver := supervise.Deliver(c)
		k.disk = files.NewBarrier(func() { deliver(&resumed{}) })
		c.Send(c.Parent(), &Ready{Deliver: deliver})
	case *Chore:
		k.answer(c, k.begin(m))
	case *resumed:
		k.answer(c, k.resume())
	}
}

// answer sends the chore back if it is done.
func (k *keeper) answer(c actor.Context, done bool) {
	if done {
		c.Send(c.Parent(), k.chore)
	}
}
