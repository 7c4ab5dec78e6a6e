// Package metadata asks peers for the info dictionary of a torrent of which
// only the info hash is known (BEP 9). There is one under such a torrent, until
// it has told MetadataFound.
//
// The shell in this file carries messages. What is asked of whom stands in
//
//	sources   the peers that offer it, and whose turn it is
//	attempt   the parts of one copy, and whether its hash is right
package metadata

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Config is what the actor is built from.
type Config struct {
	World    *world.World
	Refs     messages.Refs
	InfoHash metainfo.Hash
}

// New builds the actor. What it has received is lost when it dies: it asks
// peers for their offers again.
func New(c Config) actor.Actor { return &metadata{Config: c} }

// address is that of an actor, for the core.
type address = *actor.PID

type metadata struct {
	Config
	*sources                 // from Started on
	timer    supervise.Timer // of the next wake
}

// wake: metadata to itself, when something is due.
type wake struct{}

func (d *metadata) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		d.sources = newSources(d.InfoHash, d.Refs.Torrent, d.World.Chance.Source(c.Self().Id))
		c.Send(d.Refs.Torrent, &messages.QueryMetadataOffers{})
		return
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		d.timer.Stop()
		return
	}
	d.now = d.World.Clock.Now()
	switch m := c.Message().(type) {
	case *messages.MetadataOffered:
		d.offered(m)
	case *messages.MetadataArrived:
		d.arrived(m)
	case *messages.MetadataRejected:
		d.rejected(m)
	case *messages.MetadataPeerGone:
		d.gone(m.Key)
	}
	d.carryOut(c)
}

// carryOut has what is due done, and does what the core wants done.
func (d *metadata) carryOut(c actor.Context) {
	due := d.proceed()
	for _, wrong := range d.wrong {
		supervise.Remark(c, "metadata_wrong", event.Number("bytes", wrong.size), event.Number("peers", wrong.peers))
	}
	d.wrong = nil
	d.out.Flush(c.Send)
	d.timer.SetAt(c, d.World.Clock, due, &wake{})
}
