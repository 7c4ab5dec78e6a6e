// Package world is the one seam between the actors and everything outside them:
// time, network, disk, trackers and chance.
//
// Actors are given a World and use nothing else: no clock, socket, file, HTTP
// client or random source of the standard library is reached from an actor's
// folder. There is a real world (package world/real) and there can be others;
// nothing in an actor knows in which one it runs.
//
// Whatever may take time in a World answers through a callback. A callback may
// come from any goroutine, also before the call that was given it has returned;
// it does nothing but send a message.
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
	Disk     Disk
	Trackers Announcer
	Web      Web
	Digest   Digest
	Machine  Machine
}

// Machine is what the work is divided by. A zero field stands for what the
// machine at hand has.
type Machine struct {
	Processors int
	// Together is from how many pieces on it pays to hash them side by side.
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
