// Package real is the world as it is: the system's clock, sockets, files, HTTP
// trackers and randomness. See package world for what each part promises.
package real

import (
	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

// Options says how a World works.
type Options struct {
	Pool    *buffer.Pool // lends the blocks that payload is read into
	Version string       // of this program, as trackers are told it
	// Connections with peers that may be open at a time; 0: no limit.
	Connections int
	Source      *Source // where connections and look-ups leave from; nil: anywhere
	// AllowPrivate: trackers of a .torrent, and peers that they name, may be at
	// any address.
	AllowPrivate bool
}

// New returns the real world.
func New(o Options) *world.World {
	http := NewHTTP(HTTPOptions{Version: o.Version, Source: o.Source, AllowPrivate: o.AllowPrivate})
	w := &world.World{
		Clock:    Clock{},
		Chance:   Chance{},
		Network:  NewNetwork(NetworkOptions{Pool: o.Pool, Connections: o.Connections, Source: o.Source}),
		Packets:  Packets{Source: o.Source},
		Names:    Names{Source: o.Source},
		Disk:     new(Disk),
		Trackers: http,
		Fetcher:  http.Fetcher(o.Pool),
		Web:      Web{},
		Digest:   world.SHA1{},
	}
	// From loopback no router is reached, and none is asked beside a proxy.
	if o.Source == nil || !o.Source.local && !o.Source.Proxied() {
		w.Gateway = NewGateway(o.Source)
	}
	return w
}
