package lab

import (
	"errors"
	"math/rand/v2"
	"time"

	"kouzui/actors/runtime/pattern"
)

// Arrival draws when the next node of a class comes, after the last one and the
// start of the class; within is that of the class.
type Arrival func(last, within time.Duration, rnd *rand.Rand) time.Duration

// Arrivals are those that a class can choose from.
var Arrivals = pattern.NewKind[Arrival]("arrivals", "when the nodes of a class come", "uniform", pattern.Simulated, pattern.OfClass)

var _ = Arrivals.Register("uniform", "at any moment of the time within, all alike", func() Arrival {
	return func(_, within time.Duration, rnd *rand.Rand) time.Duration {
		if within == 0 {
			return 0
		}
		return time.Duration(rnd.Int64N(int64(within)))
	}
})

var _ = Arrivals.Register("flash", "a crowd at the beginning: half of the nodes come in the first thirtieth of the time within", func() Arrival {
	return func(_, within time.Duration, rnd *rand.Rand) time.Duration {
		p := rnd.Float64()
		return time.Duration(p * p * p * p * p * float64(within))
	}
})

type poisson struct {
	Rate float64 `about:"nodes a second, on average"`
}

// Check refuses a class of which nobody would come.
func (p poisson) Check() error {
	if p.Rate < 1e-6 {
		return errors.New("rate must be more than 0")
	}
	return nil
}

var _ = pattern.Keyed(Arrivals, "poisson", "one after the other, with independent gaps", poisson{1}, func(p poisson) Arrival {
	return func(last, _ time.Duration, rnd *rand.Rand) time.Duration {
		return last + time.Duration(rnd.ExpFloat64()/p.Rate*float64(time.Second))
	}
})
