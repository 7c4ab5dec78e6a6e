package sweepd

import (
	"fmt"

	"kouzui/actors/sweep"
)

// DisagreementError: two workers have played a job, and something else has come
// out. One of them cannot be relied on, or the run is not repeatable.
type DisagreementError struct{ *sweep.Disagreed }

func (e *DisagreementError) Error() string {
	return fmt.Sprintf("two workers disagree about %s: %s on %s, %s on %s",
		e.Job, e.One.Outcome, e.One.Worker, e.Other.Outcome, e.Other.Worker)
}
