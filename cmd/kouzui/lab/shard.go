package lab

import (
	"errors"
	"fmt"

	"kouzui/actors/lab/experiment"
)

// shard is one of several parts of an experiment, as a flag; zero: the whole.
type shard struct{ number, of int }

// Set implements pflag.Value.
func (s *shard) Set(text string) error {
	var one shard
	var rest string
	if n, _ := fmt.Sscanf(text, "%d/%d%s", &one.number, &one.of, &rest); n != 2 || one.number < 1 || one.number > one.of {
		return errors.New("must be the number of a part and how many there are, such as 1/8")
	}
	*s = one
	return nil
}

// Type implements pflag.Value.
func (s *shard) Type() string { return "I/N" }

func (s *shard) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.number, s.of)
}

// suffix distinguishes the journals of the parts.
func (s *shard) suffix() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("-%dof%d", s.number, s.of)
}

// part are the jobs of the shard: every so many-th seed, with all variants.
func (s *shard) part(e *experiment.Experiment) (jobs []experiment.Job) {
	for _, j := range e.Jobs(e.Rule.First, e.Rule.Most) {
		if (j.Seed-e.Rule.First)%uint64(s.of) == uint64(s.number-1) {
			jobs = append(jobs, j)
		}
	}
	return jobs
}
