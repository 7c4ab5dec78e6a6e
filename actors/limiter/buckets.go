package limiter

import (
	"slices"
	"time"

	"kouzui/messages"
)

// accounts are all buckets: those that all peers share, or those of each peer.
type accounts struct {
	rule   Rule
	limits *messages.SetLimits // nil: untold
	all    []account           // in the order in which they were opened
}

// account is the buckets of one peer, or of all.
type account struct {
	owner string // empty: all
	buckets
}

// of is the account of a peer.
func (a *accounts) of(id string, now time.Time) account {
	if a.rule.Per != perPeer {
		id = ""
	}
	i := slices.IndexFunc(a.all, func(one account) bool { return one.owner == id })
	if i >= 0 {
		return a.all[i]
	}
	opened := account{id, newBuckets(a.rule.Burst, now)}
	if a.limits != nil {
		opened.setLimits(a.limits, now)
	}
	a.all = append(a.all, opened)
	return opened
}

func (a *accounts) setLimits(m *messages.SetLimits, now time.Time) {
	if a.rule.Passes {
		m = &messages.SetLimits{Down: unlimited, Up: unlimited}
	}
	a.limits = m
	for _, one := range a.all {
		one.setLimits(m, now)
	}
}

// drop forgets a peer that is gone.
func (a *accounts) drop(id string) {
	for _, one := range a.all {
		one.drop(id)
	}
	a.all = slices.DeleteFunc(a.all, func(one account) bool { return one.owner != "" && one.owner == id })
}

// next is how long until there is something to grant; false means that time
// alone does not bring it.
func (a *accounts) next(now time.Time) (wait time.Duration, ok bool) {
	for _, one := range a.all {
		if d, some := one.next(now); some && (!ok || d < wait) {
			wait, ok = d, true
		}
	}
	return wait, ok
}

// buckets are two, by direction. A peer is known by its id.
type buckets [2]*bucket[string]

func newBuckets(burst time.Duration, now time.Time) buckets {
	return buckets{newBucket[string](burst, now), newBucket[string](burst, now)}
}

func (b *buckets) setLimits(m *messages.SetLimits, now time.Time) {
	b[messages.Down].setRate(m.Down, now)
	b[messages.Up].setRate(m.Up, now)
}

// drop forgets a peer that is gone.
func (b *buckets) drop(id string) {
	for _, of := range b {
		of.drop(id)
	}
}

// next is how long until there is something to grant; false means that time
// alone does not bring it.
func (b *buckets) next(now time.Time) (wait time.Duration, ok bool) {
	for _, of := range b {
		if d, some := of.next(now); some && (!ok || d < wait) {
			wait, ok = d, true
		}
	}
	return wait, ok
}
