package experiment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/actors/world/sim"
)

// Play plays one job. It returns an error if the job is not one of the
// experiment, or if the context ends before the run does; whatever goes wrong
// in the run is in the outcome.
func (e *Experiment) Play(ctx context.Context, j Job) (Outcome, error) {
	if digest := e.Digest(); j.Experiment != digest {
		return Outcome{}, fmt.Errorf("the job is of experiment %.12s, and this is %.12s", j.Experiment, digest)
	}
	if j.Variant < 0 || j.Variant >= len(e.Variants) {
		return Outcome{}, fmt.Errorf("the job is of variant %d; there are %d", j.Variant, len(e.Variants))
	}
	result, err := e.run(ctx, j, false)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Job: j, Run: Digest(strconv.FormatUint(result.Sum, 16))}
	if len(result.Wrong) > 0 {
		o.Failure = result.Wrong[0].Error()
	}
	for _, name := range e.Measures {
		m, err := measureOf(name, result.Played)
		if err != nil {
			return Outcome{}, err
		}
		o.Values = append(o.Values, m.of(result))
	}
	return o, nil
}

// Replay plays the run of a job for its whole result, with the critical path.
func (e *Experiment) Replay(ctx context.Context, j Job) (*lab.Result, error) {
	return e.run(ctx, j, true)
}

func (e *Experiment) run(ctx context.Context, j Job, path bool) (*lab.Result, error) {
	s, err := lab.Read(e.Variants[j.Variant].Scenario)
	if err != nil {
		return nil, err
	}
	result, err := lab.Run(s, lab.Options{Seed: j.Seed, Quick: e.Quick, Path: path, Journal: sim.NewJournal(false), Stop: ctx.Done()})
	if errors.Is(err, lab.ErrStopped) {
		return nil, ctx.Err()
	}
	return result, err
}

// Local plays jobs in this process, on so many goroutines.
type Local struct {
	Experiment *Experiment
	Workers    int
}

// Run implements Runner.
func (l Local) Run(ctx context.Context, jobs []Job, say func(Outcome)) error {
	var group errgroup.Group
	group.SetLimit(max(1, l.Workers))
	var one sync.Mutex // say is called by one goroutine at a time
	for _, j := range jobs {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			o, err := l.Experiment.Play(ctx, j)
			if err != nil {
				return err
			}
			one.Lock()
			defer one.Unlock()
			say(o)
			return nil
		})
	}
	return group.Wait()
}
