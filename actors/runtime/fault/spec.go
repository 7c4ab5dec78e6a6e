// Package fault breaks a client on purpose, by plan, so that its recovery can
// be watched, measured and repeated.
//
// A Spec says what breaks, where and when; Parse reads one from text. A Plan
// carries them out: as the Injector of a supervision tree it strikes actors at
// their messages, and the World that it gives them has disks, trackers,
// connections and datagrams that fail. Each fault is in the trace before what
// follows from it.
package fault

import (
	"math/rand/v2"
	"time"
)

// Kind is what a fault does.
type Kind string

// The kinds of faults.
const (
	Panic   Kind = "panic"   // the actor panics in place of handling a message
	Hang    Kind = "hang"    // the actor blocks, with the goroutine that it runs on
	Delay   Kind = "delay"   // a message comes later
	Link    Kind = "link"    // the connection of a peer is cut
	Disk    Kind = "disk"    // a torrent's disk refuses, or is slow
	Tracker Kind = "tracker" // an announce fails
	// Datagram: a datagram is lost, doubled or late.
	Datagram Kind = "datagram"
)

// Spec is one fault. The empty Pattern fits everything.
type Spec struct {
	Kind Kind
	When
	Actor   Pattern       // paths of the actors to strike
	Message string        // of panic, hang and delay: the type of a message in package messages
	Peer    Pattern       // of link and datagram: the other side, as address:port
	Path    Pattern       // of disk: names of files below the torrent's folder
	Op      string        // of disk: "read" or "write", of datagram: "receive" or "send"; empty for both
	URL     Pattern       // of tracker
	Error   string        // of disk, tracker and datagram
	Time    time.Duration // of hang, delay, a slow disk and a late datagram: how long

	// Spare is the number of the strike, from 1, that does not happen, so that a
	// run can be compared with one that has it; 0: none. Spared is told then.
	Spare  int
	Spared func()

	text string
}

// String is the text that the Spec was parsed from.
func (s Spec) String() string { return s.text }

// When says at which occasions a fault strikes. An occasion is a message to an
// actor, a call of the disk, an announce, or a datagram.
type When struct {
	At    time.Duration // not before, from the start of the client
	For   time.Duration // not later than this after At; 0: without end
	Count int           // times at most; 0: without limit
	Every int           // at each n-th occasion; 0 is 1
	Pause time.Duration // at the first occasion after each such time
	P     float64       // with this probability; 0 is 1
	Seed  uint64        // of the draws for P
}

// trigger counts the occasions of a When, and draws its chances.
type trigger struct {
	When
	rnd       *rand.Rand
	occasions int
	struck    int
	next      time.Duration // the time of the next strike, if Pause is set
}

func newTrigger(w When) *trigger {
	return &trigger{When: w, rnd: rand.New(rand.NewPCG(w.Seed, 0))}
}

// due tells whether the fault strikes at an occasion at the time now, which
// counts from the start.
func (t *trigger) due(now time.Duration) bool {
	if now < t.At || t.For > 0 && now >= t.At+t.For || t.Count > 0 && t.struck >= t.Count || now < t.next {
		return false
	}
	if t.occasions++; t.Every > 1 && t.occasions%t.Every != 0 {
		return false
	}
	if t.P > 0 && t.rnd.Float64() >= t.P {
		return false
	}
	if t.Pause > 0 {
		t.next = now + t.Pause
	}
	t.struck++
	return true
}

// Pattern is a text in which * stands for any text, also one with a '/'.
type Pattern string

// Match tells whether the pattern fits all of s.
func (p Pattern) Match(s string) bool {
	if p == "" {
		return true
	}
	// Where to go on when the text after the last * does not fit: behind that * in
	// the pattern, and one character later in s.
	i, star, from := 0, -1, 0
	for j := 0; j < len(s); {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && p[i] == s[j]:
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
