package lab

import (
	"math"
	"slices"
	"time"
)

// Lookup is one lookup of a bare node in the DHT: for the one peer that has
// announced an info hash.
type Lookup struct {
	By, Of   string        // the class of the node that looked, and of the one that was looked for
	At, Took time.Duration // until the peer was told; negative: it was not, within 30 s
	False    int           // peers that were told and have announced nothing
	Queries  int           // for peers that were sent meanwhile
}

// DHTSum sums up lookups of a run.
type DHTSum struct {
	Lookups, Found int
	Median, P95    time.Duration // of those that found the peer
	False          int           // peers that were told and are none
	Queries        float64       // of a lookup, on average
}

// LookupsFrom sums up the lookups that began at a time or later.
func (r *Result) LookupsFrom(at time.Duration) DHTSum {
	return r.LookupsBetween(at, math.MaxInt64)
}

// LookupsBetween sums up the lookups that began from one time to another.
func (r *Result) LookupsBetween(from, to time.Duration) DHTSum {
	return r.LookupsWhere(func(l *Lookup) bool { return l.At >= from && l.At < to })
}

// LookupsWhere sums up the lookups that count.
func (r *Result) LookupsWhere(counts func(*Lookup) bool) (sum DHTSum) {
	var took []time.Duration
	for i := range r.Lookups {
		l := &r.Lookups[i]
		if !counts(l) {
			continue
		}
		sum.Lookups++
		sum.False += l.False
		sum.Queries += float64(l.Queries)
		if l.Took >= 0 {
			took = append(took, l.Took)
		}
	}
	sum.Queries /= float64(max(1, sum.Lookups))
	if sum.Found = len(took); sum.Found > 0 {
		slices.Sort(took)
		sum.Median, sum.P95 = took[len(took)/2], took[len(took)*95/100]
	}
	return sum
}
