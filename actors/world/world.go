// Package world is the one seam between the actors and everything outside them:
// time, network, disk, trackers and chance.
//
// Actors are given a World and use nothing else: no clock, socket, file, HTTP
// client or random source of the standard library is reached from an actor's
// folder. There is a real world (package world/real) and there can be others;
// nothing in an actor knows in which one it runs.
//
// Calls of a World that may take time answer through a callback. A callback may
// run on any goroutine, even before the call has returned; it only sends a
// message.
package world

import (
	"math/rand/v2"
	"time"
)

// World is what an actor may reach outside its mailbox. It is shared by all
// actors of a process and safe for concurrent use.
type World struct {
	Clock    Clock
	Chance   Chance
	Network  Network
	Packets  Packets
	Names    Names
	Gateway  Gateway // nil: no router is asked for anything
	Disk     Disk
	Trackers Announcer
	Fetcher  Fetcher
	Web      Web
	Digest   Digest
	Machine  Machine
}

// Machine tells by what work is divided. A zero field stands for what the
// machine at hand has.
type Machine struct {
	Processors int
	// Together is the number of pieces from which on hashing them side by side is
	// faster than one after the other.
	Together int
}

// Clock tells the time and wakes actors up.
type Clock interface {
	// Now is monotonic within one process.
	Now() time.Time
	// AfterFunc calls f once, d from now, unless it is stopped before.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a wake-up that has not happened yet.
type Timer interface {
	// Stop cancels the wake-up; false means that it has happened already.
	Stop() bool
}

// Chance hands out random sources. A source is owned by its caller and not safe
// for concurrent use; the name (an actor's path) keeps the streams of different
// actors independent, so that a seeded world can repeat a run.
type Chance interface {
	Source(name string) *rand.Rand
}
