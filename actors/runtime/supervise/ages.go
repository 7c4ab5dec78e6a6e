package supervise

import (
	"sync/atomic"
	"time"
)

// stamps is how many messages back the times of sending are remembered. A power
// of two.
const stamps = 64

// ages remembers when the last messages of a mailbox were sent, so that a
// failure and a sample can tell how long one has waited. Senders on several
// goroutines may come in another order here than in the mailbox: by as little
// as the time between two instructions.
type ages struct {
	start  time.Time
	posted atomic.Int64         // messages ever sent
	at     [stamps]atomic.Int64 // nanoseconds since start
}

func (a *ages) post(now time.Time) {
	n := a.posted.Add(1) - 1
	a.at[n%stamps].Store(int64(now.Sub(a.start)))
}

// since is how long ago the n-th of the waiting messages was sent: 0 is the
// oldest, -1 the one that was read last. If more than 64 have been sent since
// then it is the age of the oldest that is known, and so too little.
func (a *ages) since(now time.Time, depth, n int) time.Duration {
	posted := a.posted.Load()
	i := posted - int64(depth) + int64(n)
	i = max(i, posted-stamps)
	if i < 0 || i >= posted {
		return 0
	}
	return max(0, now.Sub(a.start)-time.Duration(a.at[i%stamps].Load()))
}
