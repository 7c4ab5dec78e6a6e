package supervise

import (
	"math/bits"
	"sync/atomic"
	"time"

	"kouzui/actors/runtime/work"
)

// timedEvery is which part of the messages to a mailbox is measured: stamped
// when it is sent, and timed when it is handled. Tried with BenchmarkTell: each
// measured message costs some 1.5 us, a 64th of which is lost in what a message
// costs anyway. Of actors that may block, which get few messages and take long,
// each one is measured.
const timedEvery = 64

// timesKept is how many stamps a mailbox remembers, the latest ones. It must
// be a power of two. Messages whose stamp is overwritten before they are
// handled, as more than a thousand wait, are not measured.
const timesKept = 16

// timing measures a sample of the messages of one actor. Messages are counted
// when they are sent and again when they are handled; those of the same number
// are taken for the same message. When several goroutines send at once that may
// be wrong by a place or two.
type timing struct {
	all   bool // every message is measured
	start time.Time
	at    [timesKept]stamp

	_ [64]byte // what follows is written for each message by the actor's side only: a cache line of its own

	actor  *work.Actor
	number int64 // of the next message to be handled
}

type stamp struct {
	number atomic.Int64 // of the message, from 1; 0: none
	time   atomic.Int64 // since start
	caller atomic.Pointer[callers]
}

// measured tells which sample the n-th message belongs to, from 0, and for how
// many messages that sample stands. Of the first messages relatively many are
// measured, so that actors that get few are seen too.
func (t *timing) measured(n int64) (sample int64, stands uint64, is bool) {
	switch {
	case t.all || n < 2:
		return n, 1, true
	case n <= timedEvery && n&(n-1) == 0:
		return int64(bits.Len64(uint64(n))), uint64(n / 2), true
	case n%timedEvery == 0:
		return int64(bits.Len64(timedEvery)) - 1 + n/timedEvery, timedEvery, true
	}
	return 0, 0, false
}

// post stamps the n-th message, from 0, if it is one of the sample.
func (t *timing) post(n int64, now time.Time) {
	sample, _, is := t.measured(n)
	if !is {
		return
	}
	one := &t.at[sample%timesKept]
	one.number.Store(0) // while it is written
	one.time.Store(int64(now.Sub(t.start)))
	one.caller.Store(whoCalls())
	one.number.Store(n + 1)
}

// next counts a message that is to be handled, and tells whether to measure it.
func (t *timing) next() (one *stamp, stands uint64, is bool) {
	n := t.number
	t.number++
	sample, stands, is := t.measured(n)
	if !is {
		return nil, 0, false
	}
	one = &t.at[sample%timesKept]
	return one, stands, one.number.Load() == n+1
}

// measured handles a message and measures it. A message at which the actor
// fails is not measured.
func (i *invoker) measured(message any, one *stamp, stands uint64) {
	t, plain := i.timing, inner(message)
	h := work.Handled{For: stands, Message: work.NameOf(plain), From: one.caller.Load().sender(), Bytes: uint64(work.PayloadOf(plain))}
	begin := i.clock.Now()
	h.Waited = max(0, begin.Sub(t.start)-time.Duration(one.time.Load()))
	i.invoke(message)
	h.Took = max(0, i.clock.Now().Sub(begin))
	t.actor.Add(h)
}
