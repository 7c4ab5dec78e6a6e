// Package event holds what is recorded of the lives of actors: the entries of a
// supervision trace, and the sinks that take them. It imports nothing of this
// program, so that whatever records, keeps, shows or simulates can know it.
package event

import (
	"cmp"
	"time"
)

// Kind is what an Event tells.
type Kind string

// The kinds of events. Behind each stands what its Cause points at.
const (
	Header     Kind = "header"      // first line of a file; nothing
	Spawned    Kind = "spawned"     // the parent's Started or Restarted
	Started    Kind = "started"     // Spawned
	Fault      Kind = "fault"       // the victim's Started or Restarted
	Failed     Kind = "failed"      // Fault, if injected, or else the actor's Started or Restarted
	Directive  Kind = "directive"   // Failed or Escalated: every failure is answered by one
	Escalated  Kind = "escalated"   // the child's Directive; the actor fails in its child's place
	Restarting Kind = "restarting"  // Directive
	Restarted  Kind = "restarted"   // Restarting
	Stopping   Kind = "stopping"    // Directive, the parent's Stopping or Restarting, or who asked for it, through its Fault if there is one
	Stopped    Kind = "stopped"     // Stopping
	DeadLetter Kind = "dead_letter" // nothing: the receiver is unknown
	Mailbox    Kind = "mailbox"     // the actor's Spawned, Started or Restarted; a sample or the answer to a probe
	Note       Kind = "note"        // the actor's Started or Restarted
	Worked     Kind = "worked"      // nothing; what actors of a kind have done since the last event about them
	Dropped    Kind = "dropped"     // nothing; a sink could not keep up and lost events
)

// NotePanic is the text of the only Note that the runtime itself records: an
// actor panicked while it was being stopped or restarted, when a failure has no
// answer any more.
const NotePanic = "swallowed_panic"

// NoteRecovered is the text of the Note that a node of a simulated swarm serves
// or downloads again, Down after its process was ended.
const NoteRecovered = "recovered"

// The reasons of the Fault that ends a process of a simulated swarm, and for
// which all actors of that process stop.
const (
	ReasonKill     = "kill"
	ReasonPowerCut = "power cut"
)

// Action is how a supervisor answers a failure.
type Action string

// The actions. There is none to resume: a failed incarnation runs no more.
const (
	ActionRestart  Action = "restart"
	ActionStop     Action = "stop"
	ActionEscalate Action = "escalate"
)

// Event is one entry of the supervision trace. It is immutable once recorded.
// Fields that do not apply to its Kind are zero.
type Event struct {
	Kind        Kind
	Seq         uint64    // from 1, without gaps, in the order of recording
	Time        time.Time // by the world's clock
	Actor       string    // path, stable across restarts: client/torrents/torrent-ab12/engine
	Incarnation int       // from 1; raised by every restart
	Cause       uint64    // Seq of the event that led to this one, 0 if there is none
	// Origin is the Seq of the event that the message stems from at which the
	// actor did this, if Cause is no more than the start of an incarnation. Only
	// simulated worlds follow messages that far; 0 elsewhere.
	Origin uint64

	ActorKind   string // what was given to Props
	Parent      string // path of the parent, empty for a root
	Strategy    string // name of the strategy that gave the directive; of Spawned: that its children will be under
	Reason      string
	MessageType string // of the message at which the actor failed, or that found no receiver
	Stack       string // from the panicking function down to Receive; empty for a designed failure

	Action     Action
	Attempt    int // restarts since the child was last healthy, this one included
	BudgetLeft int // restarts left in the window; -1 if there is no limit

	Delay  time.Duration // from the directive to the restart
	Down   time.Duration // from the failure to the restart; of NoteRecovered: from the end of the process
	Kept   int           // messages that waited in the mailbox for the new incarnation
	Lost   int           // messages that were never handled, the one that caused the failure included; for Dropped: events
	Depth  int           // messages in the mailbox
	Waited time.Duration // for Failed: of the message; for Mailbox: of the oldest, or of a probe; see Config.Sample

	Note   string // for Note: what was noted
	Detail []Detail
	Work   *Work // for Worked
}

// From is the Seq of the event that led to this one; of two it is the Origin,
// which says more. 0: there is none.
func (e *Event) From() uint64 { return cmp.Or(e.Origin, e.Cause) }

// Detail is one thing that a Note says: a text or a number.
type Detail struct {
	Key     string
	Text    string
	Number  int64
	Numeric bool // it is the number
}

// Text makes a Detail of words.
func Text(key, value string) Detail { return Detail{Key: key, Text: value} }

// Number makes a Detail of a number.
func Number[N ~int | ~int64 | ~uint32 | ~uint64](key string, value N) Detail {
	return Detail{Key: key, Number: int64(value), Numeric: true}
}

// Sink takes the events of a trace, in order, one at a time. Record must not
// block and must not call the supervision tree; it may keep the event but not
// change it.
type Sink interface {
	Record(*Event)
}
