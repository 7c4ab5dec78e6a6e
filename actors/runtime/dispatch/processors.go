package dispatch

import (
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how often the load is looked at, while mailboxes run.
	lookEvery = 50 * time.Millisecond
	// full is the load of each processor from which on there are to be more, and
	// roomy the most that each may have to bear after their number was halved.
	full, roomy = 0.75, 0.6
	// calm is how many looks in succession must find few enough to do before the
	// number is halved: a download comes in gusts.
	calm = 10
	// looking stands in place of the time of the next look while a look is under
	// way, and when there are to be no more.
	looking = math.MaxInt64
)

// following is what FollowLoad has begun, nil if nothing.
var following atomic.Pointer[follower]

// Processors is how many processors there are for Go code, whether or not all
// of them are in use at the moment.
func Processors() int {
	if f := following.Load(); f != nil {
		return f.most
	}
	return runtime.GOMAXPROCS(0)
}

// FollowLoad makes the number of processors that run Go code (GOMAXPROCS)
// follow what the process has to do, until stop is called: it begins with one.
// With more of them than there is work, each message wakes a thread that looks
// for something to do and falls asleep again. FollowLoad does nothing if the
// user has set GOMAXPROCS, or where the system does not tell the time used.
//
// The number is one for the whole process, so this is for the program to call,
// not for a library.
func FollowLoad() (stop func()) {
	most := runtime.GOMAXPROCS(0)
	if _, ok := TimeUsed(); !ok || most == 1 || os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	f := &follower{most: most, number: 1, begin: time.Now()}
	f.used, _ = TimeUsed()
	f.next.Store(int64(lookEvery))
	runtime.GOMAXPROCS(f.number)
	following.Store(f)
	return func() {
		following.Store(nil)
		for !f.take(looking - 1) { // whenever it is due, for ever: a look that is under way could come later
			runtime.Gosched()
		}
		runtime.GOMAXPROCS(most)
	}
}

// follower sees how much of its processors the process uses.
type follower struct {
	most  int
	begin time.Time
	next  atomic.Int64 // when to look again, in nanoseconds since begin; or looking

	// The following belong to whoever has taken the next look.
	number int
	calm   int           // looks in succession that found too many
	used   time.Duration // at the last look
	last   time.Duration // of the last look, since begin
}

// take tells whether a look is due. If so, it is the caller's: no other is due
// until f.next is set again.
func (f *follower) take(now time.Duration) bool {
	due := f.next.Load()
	return int64(now) >= due && f.next.CompareAndSwap(due, looking)
}

// look is called whenever a mailbox is about to run, by many workers at a time.
func (f *follower) look() {
	now := time.Since(f.begin)
	if !f.take(now) {
		return
	}
	used, _ := TimeUsed()
	load := float64(used-f.used) / float64(now-f.last)
	f.used, f.last = used, now
	if n := f.decide(load); n != f.number {
		f.number = n
		runtime.GOMAXPROCS(n)
	}
	f.next.Store(int64(now + lookEvery))
}

// decide returns how many processors there are to be, if the process used load
// seconds of them a second.
func (f *follower) decide(load float64) int {
	half := f.number / 2
	switch {
	case load >= full*float64(f.number):
		f.calm = 0
		return min(2*f.number, f.most)
	case half == 0 || load > roomy*float64(half):
		f.calm = 0
	default:
		f.calm++
	}
	if f.calm < calm {
		return f.number
	}
	f.calm = 0
	return half
}
