// Package whatif plays simulated runs again with one thing changed, and says
// what difference that makes. The runs of one seed have the same chance as long
// as the change lets them, so they are compared in pairs.
package whatif

import (
	"context"
	"errors"
	"math"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// ended is how a run has gone, in seconds; not a number if no downloader was
// complete.
type ended struct {
	last float64 // when the last downloader was complete
	mean float64 // how long downloaders took on average
	met  bool    // what was to be left out was there
}

// play plays a scenario with each of the seeds, as many runs at a time as there
// are processors. The error is about a scenario that cannot be played.
func play(ctx context.Context, s func() *lab.Scenario, seeds []uint64, spared *lab.Spared) ([]ended, error) {
	runs := make([]ended, len(seeds))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, seed := range seeds {
		group.Go(func() error {
			o := lab.Options{Seed: seed, Quick: true, Stop: ctx.Done()}
			if spared != nil {
				one := *spared
				o.Spared = &one
			}
			r, err := lab.Run(s(), o)
			if errors.Is(err, lab.ErrStopped) {
				return ctx.Err()
			}
			if err != nil {
				return err
			}
			runs[i] = endOf(r)
			runs[i].met = o.Spared != nil && o.Spared.Met
			return nil
		})
	}
	return runs, group.Wait()
}

func endOf(r *lab.Result) ended {
	times := r.Times()
	if len(times) == 0 || len(times) < r.Downloaders() {
		return ended{last: math.NaN(), mean: math.NaN()}
	}
	sum := time.Duration(0)
	for _, t := range times {
		sum += t
	}
	return ended{last: r.End.Seconds(), mean: sum.Seconds() / float64(len(times))}
}

// sooner compares runs pair by pair: how much sooner the second ones end, in
// seconds.
func sooner(before, after []ended, of func(ended) float64) stat.Paired {
	var a, b []float64
	for i := range before {
		a, b = append(a, of(after[i])), append(b, of(before[i]))
	}
	return stat.Compare(a, b)
}

func last(e ended) float64 { return e.last }
func mean(e ended) float64 { return e.mean }

// Seeds are n seeds, beginning with this one.
func Seeds(first uint64, n int) []uint64 {
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = first + uint64(i)
	}
	return seeds
}
