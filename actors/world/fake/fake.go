// Package fake is a small world for tests of actors: a clock advanced by hand,
// seeded chance, links, dials and announces that the test answers, and a disk
// in memory that can be full or broken.
//
// Nothing in a fake world happens by itself: whatever happens, happens on the
// goroutine of the test, or of the actor that made a call. The Await functions
// wait without a time limit until an actor has done something; a test whose
// actor never does it is ended by go test's timeout, whose stack dump names the
// line.
package fake

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"kouzui/actors/world"
)

// World is the parts of a fake world; the method World makes of them what
// actors are given.
type World struct {
	Clock *Clock
	// Dates, if it is set, is the clock that actors read instead of Clock.
	Dates    *Jumping
	Chance   Chance
	Network  *Network
	Packets  *Packets
	Names    *Names
	Gateway  *Gateway
	Disk     *Disk
	Trackers *Announcer
	Fetcher  *Fetcher
	Web      *Web
}

// New returns a world whose clock stands at the start of the year 2026.
func New(seed uint64) *World {
	clock := NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	return &World{
		Clock:    clock,
		Chance:   Chance(seed),
		Network:  NewNetwork(clock),
		Packets:  &Packets{},
		Names:    &Names{},
		Gateway:  &Gateway{},
		Disk:     NewDisk(clock),
		Trackers: &Announcer{},
		Fetcher:  &Fetcher{},
		Web:      &Web{},
	}
}

// World is this world as actors see it.
func (w *World) World() *world.World {
	var clock world.Clock = w.Clock
	if w.Dates != nil {
		clock = w.Dates
	}
	return &world.World{Clock: clock, Chance: w.Chance, Network: w.Network, Packets: w.Packets, Names: w.Names, Gateway: w.Gateway, Disk: w.Disk, Trackers: w.Trackers, Fetcher: w.Fetcher, Web: w.Web, Digest: world.SHA1{}}
}

// Chance is the seed of all sources. A source of the same name gives the same
// numbers.
type Chance uint64

// Source implements world.Chance.
func (c Chance) Source(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(uint64(c), h.Sum64()))
}
