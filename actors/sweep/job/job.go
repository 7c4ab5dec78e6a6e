// Package job holds what the actors of a sweep say to each other: jobs,
// outcomes and records, and the messages between the sweep's process and those
// of its workers, see Remote.
package job

import (
	"encoding/json"
	"errors"
)

// Job is a run to be played, as JSON that its player understands. What a job
// measures depends on its text, the experiment and the build alone, so it does
// no harm to play one twice.
type Job string

// Outcome is what a player says of a job, as JSON. Of the same job it is the
// same everywhere.
type Outcome string

// MarshalJSON implements json.Marshaler.
func (j Job) MarshalJSON() ([]byte, error) { return []byte(j), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (j *Job) UnmarshalJSON(text []byte) error {
	*j = Job(text)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o Outcome) MarshalJSON() ([]byte, error) { return []byte(o), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Outcome) UnmarshalJSON(text []byte) error {
	*o = Outcome(text)
	return nil
}

// Record is a line of the journal: the outcome of a job, or that the job has
// ended a worker.
type Record struct {
	Job     Job     `json:"job"`
	Worker  string  `json:"worker"`            // HOST:PROCESS
	Outcome Outcome `json:"outcome,omitempty"` // empty: the worker has ended
	Ended   string  `json:"ended,omitempty"`   // why
}

// Subject is what a sweep plays jobs of.
type Subject struct {
	Build      string // of the program: workers of another build are refused
	Experiment string // as JSON that a player understands
	Digest     string // of the experiment: workers that understand another are refused
}

// Remote is a message to another process, as JSON. One of its fields is set.
type Remote struct {
	Join    *Join    `json:"join,omitempty"`
	Welcome *Welcome `json:"welcome,omitempty"`
	Ready   *Ready   `json:"ready,omitempty"`
	Play    *Play    `json:"play,omitempty"`
	Played  *Played  `json:"played,omitempty"`
	Leave   *Leave   `json:"leave,omitempty"`
	Dismiss *Dismiss `json:"dismiss,omitempty"`
}

// Join: worker to the sweep, again and again until it is welcome. The sweep has
// a proxy welcome the worker, or dismisses it.
type Join struct {
	ID    string `json:"id"`     // the same whenever this process joins, and no other's
	Label string `json:"worker"` // HOST:PROCESS, for people
	Build string `json:"build"`
}

// Welcome: proxy to the worker, which answers with Ready, and watches the
// proxy.
type Welcome struct {
	Experiment string `json:"experiment"`
}

// Ready: worker to its proxy, which passes it on to the sweep.
type Ready struct {
	Digest string  `json:"digest"`          // of the experiment, as the worker understands it
	Plays  Job     `json:"plays,omitempty"` // what it still plays for an earlier proxy; empty: nothing
	Last   *Played `json:"last,omitempty"`  // what it has said last: it may not have been heard
}

// Play: sweep to a proxy and on to the worker, which answers with Played.
type Play struct {
	Job Job `json:"job"`
}

// Played: worker to its proxy, which passes it on to the sweep.
type Played struct {
	Job     Job     `json:"job"`
	Outcome Outcome `json:"outcome"`
}

// Leave: worker to its proxy, because the user wants it to end. It is
// dismissed.
type Leave struct{}

// Dismiss: sweep or a proxy to the worker, which ends.
type Dismiss struct {
	Reason string `json:"reason,omitempty"` // what is wrong; empty: nothing is left to do
}

// Bounds of what a process may say to another, in bytes.
const (
	MaxRemote  = 2 << 20  // a message: a Welcome has the experiment with its scenarios
	MaxOutcome = 64 << 10 // an outcome, and a job
	maxName    = 256      // an id, a label, a build, a digest
	maxReason  = 4 << 10
)

var errTooLong = errors.New("longer than allowed")

// Encode is the text of a message.
func Encode(r Remote) (string, error) {
	text, err := json.Marshal(r)
	if err == nil && len(text) > MaxRemote {
		err = errTooLong
	}
	return string(text), err
}

// Decode reads what another process has sent. It returns an error unless one
// field is set, within its bounds.
func Decode(text string) (r Remote, err error) {
	if len(text) > MaxRemote {
		return r, errTooLong
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, err
	}
	set := 0
	long := func(most int, texts ...string) bool {
		for _, t := range texts {
			if len(t) > most {
				return true
			}
		}
		return false
	}
	tooLong := false
	if m := r.Join; m != nil {
		set++
		tooLong = long(maxName, m.ID, m.Label, m.Build)
	}
	if r.Welcome != nil {
		set++
	}
	if m := r.Ready; m != nil {
		set++
		tooLong = tooLong || long(maxName, m.Digest) || long(MaxOutcome, string(m.Plays))
		if l := m.Last; l != nil {
			tooLong = tooLong || long(MaxOutcome, string(l.Job), string(l.Outcome))
		}
	}
	if m := r.Play; m != nil {
		set++
		tooLong = tooLong || long(MaxOutcome, string(m.Job))
	}
	if m := r.Played; m != nil {
		set++
		tooLong = tooLong || long(MaxOutcome, string(m.Job), string(m.Outcome))
	}
	if r.Leave != nil {
		set++
	}
	if m := r.Dismiss; m != nil {
		set++
		tooLong = tooLong || long(maxReason, m.Reason)
	}
	switch {
	case tooLong:
		return r, errTooLong
	case set != 1:
		return r, errors.New("not one message")
	}
	return r, nil
}
