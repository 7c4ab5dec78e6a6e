// Package experiment compares variants of a scenario: the same swarm with
// another rule, another number or another fault, over many seeds.
//
// Read reads an Experiment from TOML, with the scenario that its file names:
// the value holds all that a run depends on. Play plays one Job of it. A Runner
// plays many, in this process (Local) or elsewhere.
package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
)

// Experiment is what is played and what is measured. As JSON it is complete:
// who has the JSON and the build can play every job.
type Experiment struct {
	Name     string    `json:"name"`
	About    string    `json:"about,omitempty"`
	Path     string    `json:"path"` // of the scenario, for commands that play a run again
	Quick    bool      `json:"quick"`
	Variants []Variant `json:"variants"` // the first is the control, which the others are compared with
	Measures []string  `json:"measures"` // by their names, see measures; the first decides when it is enough
	Rule     Rule      `json:"rule"`
}

// Variant is one way to play the scenario.
type Variant struct {
	Name     string            `json:"name"`
	Set      map[string]string `json:"set,omitempty"` // what it sets, as TOML, for people and for --set
	Scenario string            `json:"scenario"`      // the whole of it, in TOML
}

// Rule says which seeds are played, and when there are enough.
type Rule struct {
	First uint64 `json:"first"` // seed
	Least int    `json:"least"` // seeds that are played in any case
	Most  int    `json:"most"`  // seeds that are played at most
	// Precision is how narrow the interval of each difference in the first measure
	// must be, as a part of the control's mean, for fewer than Most seeds to be
	// enough; 0: all are played.
	Precision float64 `json:"precision,omitempty"`
}

// Digest names what the outcome of a job depends on beside the build: the
// scenarios, what is measured, and which checks are made.
type Digest string

// Digest is that of the experiment. Experiments that differ in their names or
// in how many seeds they play have the same one, and their jobs are the same.
func (e *Experiment) Digest() Digest {
	var scenarios []string
	for _, v := range e.Variants {
		scenarios = append(scenarios, v.Scenario)
	}
	text, err := json.Marshal([]any{scenarios, e.Measures, e.Quick})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	sum := sha256.Sum256(text)
	return Digest(hex.EncodeToString(sum[:]))
}

// Job is one run: a pure function of build, experiment, variant and seed.
type Job struct {
	Experiment Digest `json:"experiment"`
	Variant    int    `json:"variant"`
	Seed       uint64 `json:"seed"`
}

// Outcome is what one job measured.
type Outcome struct {
	Job    Job    `json:"job"`
	Values Values `json:"values,omitempty"` // in the order of Experiment.Measures
	Run    Digest `json:"run,omitempty"`    // of the whole run: that of the same job is the same everywhere
	// Failure is why there are no values, or what must hold of every swarm and did
	// not; empty: all is well.
	Failure string `json:"failure,omitempty"`
}

// Values are numbers. One that a run does not have, such as the median of those
// who were complete when nobody was, is NaN, and null in JSON.
type Values []float64

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	values := make([]*float64, len(v))
	for i := range v {
		if !math.IsNaN(v[i]) {
			values[i] = &v[i]
		}
	}
	return json.Marshal(values)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(text []byte) error {
	var values []*float64
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*v = make(Values, len(values))
	for i, value := range values {
		(*v)[i] = math.NaN()
		if value != nil {
			(*v)[i] = *value
		}
	}
	return nil
}

// Jobs are the jobs of a number of seeds: all variants of the first seed, then
// all of the second, so that what has been played is always paired.
func (e *Experiment) Jobs(first uint64, seeds int) []Job {
	digest := e.Digest()
	var jobs []Job
	for i := range seeds {
		for variant := range e.Variants {
			jobs = append(jobs, Job{digest, variant, first + uint64(i)})
		}
	}
	return jobs
}

// Runner plays jobs in any order, and says the outcome of each exactly once,
// never two at a time. It returns an error if not all could be played; what was
// said before stands.
type Runner interface {
	Run(ctx context.Context, jobs []Job, say func(Outcome)) error
}
