package dispatch

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/pattern"
)

// Dispatcher is a pattern of how mailboxes are run.
type Dispatcher struct {
	Real    func() actor.Dispatcher // that of a real run
	Workers int                     // how many mailboxes run at a time; 0: as many as there are processors
	Wakes   bool                    // a goroutine is started for each mailbox that wakes up
}

// Dispatchers are those that a user can choose from. Actors that may block have
// one of their own.
var Dispatchers = pattern.NewKind[Dispatcher]("dispatcher", "which goroutines run the actors that do not block", "workers", pattern.Everywhere, pattern.OfClient)

type workers struct {
	N int `about:"how many; 0 is one for each processor, and two at least"`
}

// Check refuses numbers that stand for something else.
func (w workers) Check() error {
	if w.N == 1 {
		return errors.New("n must be 2 or more, or 0; one is the dispatcher single")
	}
	return nil
}

var _ = pattern.Keyed(Dispatchers, "workers", "a few that stay, and hand mailboxes to each other", workers{}, func(w workers) Dispatcher {
	return Dispatcher{Real: func() actor.Dispatcher { return New(w.N) }, Workers: w.N}
})

var _ = Dispatchers.Register("goroutines", "a new one each time a mailbox wakes up", func() Dispatcher {
	return Dispatcher{Real: func() actor.Dispatcher { return actor.NewDefaultDispatcher(throughput) }, Wakes: true}
})

var _ = Dispatchers.Register("single", "one", func() Dispatcher {
	return Dispatcher{Real: func() actor.Dispatcher { return newSingle() }, Workers: 1}
})
