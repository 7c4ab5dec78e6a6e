package supervise

import (
	"sync/atomic"
	"time"
)

// stamps is the number of messages whose time of sending is remembered, the
// latest ones. It must be a power of two.
const stamps = 64

// ages remembers when the last messages were sent to a mailbox, so that a
// failure and a sample can tell how long a message has waited. When several
// goroutines send at once, the order here may differ from that in the mailbox;
// the times are then off by some nanoseconds.
type ages struct {
	start  time.Time
	posted atomic.Int64         // messages ever sent
	at     [stamps]atomic.Int64 // nanoseconds since start
}

// post counts a message that is being sent, and returns its number from 0.
func (a *ages) post(now time.Time) (n int64) {
	n = a.posted.Add(1) - 1
	a.at[n%stamps].Store(int64(now.Sub(a.start)))
	return n
}

// since is how long ago the n-th of the waiting messages was sent: 0 is the
// oldest of them, -1 the message that was read last. If more than 64 messages
// have been sent since, the result is the age of the oldest one that is
// remembered, which is too low.
func (a *ages) since(now time.Time, depth, n int) time.Duration {
	posted := a.posted.Load()
	i := posted - int64(depth) + int64(n)
	i = max(i, posted-stamps)
	if i < 0 || i >= posted {
		return 0
	}
	return max(0, now.Sub(a.start)-time.Duration(a.at[i%stamps].Load()))
}
