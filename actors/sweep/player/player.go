// Package player is the actor that plays jobs, one at a time. It blocks while
// it plays.
package player

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep/job"
)

// Play plays a job. It returns an error if it does not understand the job.
type Play func(job.Job) (job.Outcome, error)

// Start: worker to its player. The player answers with Played, or fails.
type Start struct {
	Job  job.Job
	Play Play
}

// Played: player to its worker.
type Played struct {
	Job     job.Job
	Outcome job.Outcome
}

// New returns a player.
func New() actor.Actor { return player{} }

type player struct{}

func (player) Receive(c actor.Context) {
	if m, is := c.Message().(*Start); is {
		outcome, err := m.Play(m.Job)
		if err != nil {
			supervise.Fail(err)
		}
		c.Send(c.Parent(), &Played{m.Job, outcome})
	}
}
