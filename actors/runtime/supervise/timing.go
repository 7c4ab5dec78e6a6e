package supervise

import (
	"sync/atomic"
	"time"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world"
)

// timedEvery is which part of the messages to a mailbox is measured: stamped
// when it is sent, and timed when it is handled. Tried with BenchmarkTell: each
// measured message costs some 1.5 us, a 64th of which is lost in what a message
// costs anyway. Of actors that may block, which get few messages and take long,
// each one is measured.
const timedEvery = 64

// timesKept is how many stamps a mailbox remembers, the latest ones. Messages
// whose stamp is overwritten before they are handled, as more than a thousand
// wait, are not measured.
const timesKept = 16

// timing measures a sample of the messages of one actor, while somebody wants
// to know. Messages are counted when they are sent and again when they are
// handled; those of the same number are taken for the same message. When
// several goroutines send at once that may be wrong by a place or two.
type timing struct {
	all    bool // every message is measured
	tree   *Tree
	kind   string
	traced *work.Actor // what the trace is told; nil: nothing

	posted  atomic.Int64 // messages ever sent
	round   atomic.Int64 // see Tree.rounds
	first   atomic.Int64 // number of the first message of that round
	stamped atomic.Int64 // stamps ever made
	at      [timesKept]stamp

	_ [64]byte // what follows is written for each message by the actor's side only: a cache line of its own

	number int64 // of the next message to be handled
	stamp  int64 // the next stamp to be met
	told   int64 // messages that those measured have stood for

	seen *work.Actor // what a Look is shown
	look *work.Meter // of which seen is
}

type stamp struct {
	number atomic.Int64 // of the message, from 1; 0: none
	time   atomic.Int64 // since the tree began
	caller atomic.Pointer[callers]
}

// of says whose messages are measured.
func (t *timing) of(n *node) {
	t.kind = n.kind
	if t.tree.measures {
		t.traced = t.tree.Meter.Actor(n.kind)
	}
}

// wanted tells whether anybody wants to know.
func (t *timing) wanted() bool { return t.traced != nil || t.tree.looked.Load() != nil }

// chosen tells whether the i-th message of a round, from 0, is one of the
// sample. Of the first messages relatively many are, so that actors that get
// few are seen too.
func chosen(i int64) bool {
	return i < 2 || i <= timedEvery && i&(i-1) == 0 || i%timedEvery == 0
}

// post counts a message that is being sent, and stamps it if it is to be
// measured.
func (t *timing) post(clock world.Clock) {
	n := t.posted.Add(1) - 1
	if !t.wanted() {
		return
	}
	if round := t.tree.rounds.Load(); round != t.round.Load() {
		t.round.Store(round)
		t.first.Store(n)
	}
	if !t.all && !chosen(n-t.first.Load()) {
		return
	}
	one := &t.at[(t.stamped.Add(1)-1)%timesKept]
	one.number.Store(0) // while it is written
	one.time.Store(int64(clock.Now().Sub(t.tree.begun)))
	one.caller.Store(whoCalls())
	one.number.Store(n + 1)
}

// next counts a message that is to be handled, and returns its stamp if it is
// to be measured, else nil.
func (t *timing) next() *stamp {
	t.number++
	if !t.wanted() {
		return nil
	}
	made := t.stamped.Load()
	t.stamp = max(t.stamp, made-timesKept)
	for ; t.stamp < made; t.stamp++ {
		one := &t.at[t.stamp%timesKept]
		switch number := one.number.Load(); {
		case number == t.number:
			t.stamp++
			return one
		case number == 0 || number > t.number: // it is being written, or its message waits
			return nil
		}
	}
	return nil
}

// stands is for how many messages the one that is being handled stands: those
// since the last that was measured.
func (t *timing) stands() uint64 {
	n := min(t.number-t.told, timedEvery)
	t.told = t.number
	if t.all { // the others are those at which the actor failed
		n = 1
	}
	return uint64(n)
}

// measured handles a message and measures it. A message at which the actor
// fails is not measured.
func (i *invoker) measured(message any, one *stamp) {
	t, plain := i.timing, inner(message)
	h := work.Handled{For: t.stands(), Message: work.NameOf(plain), From: one.caller.Load().sender(), Bytes: uint64(work.PayloadOf(plain))}
	begin := i.clock.Now()
	h.Waited = max(0, begin.Sub(t.tree.begun)-time.Duration(one.time.Load()))
	i.invoke(message)
	h.Took = max(0, i.clock.Now().Sub(begin))
	t.tell(h)
}

// tell adds a message to what the trace and a Look are told.
func (t *timing) tell(h work.Handled) {
	if t.traced != nil {
		t.traced.Add(h)
	}
	look := t.tree.looked.Load()
	if look == nil {
		return
	}
	if t.look != look {
		t.look, t.seen = look, look.Actor(t.kind)
		h.For = 1 // those before were not for this one to see
	}
	t.seen.Add(h)
}
