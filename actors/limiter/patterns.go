package limiter

import (
	"errors"
	"fmt"
	"time"

	"kouzui/actors/runtime/pattern"
)

// Rule is a pattern of how rates are kept.
type Rule struct {
	// Burst is what may pass at once after a while of less, in time at the rate;
	// one grant always may.
	Burst time.Duration
	// Per tells whose rate it is.
	Per Per
	// Passes: the rate is not kept, and who asks is let pass at once.
	Passes bool
}

// Limiters are the rules that a user can choose from.
var Limiters = pattern.NewKind[Rule]("limiter", "how rate limits are kept", "token-bucket", pattern.Everywhere, pattern.OfClient)

// Per is who has a bucket.
type Per string

const (
	perClient Per = "client" // all peers share one
	perPeer   Per = "peer"   // each peer has one with the whole rate
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Per) UnmarshalText(text []byte) error {
	if *p = Per(text); *p != perClient && *p != perPeer {
		return fmt.Errorf("must be %s or %s", perClient, perPeer)
	}
	return nil
}

type tokens struct {
	Burst time.Duration `about:"how long what is not used is saved up"`
	Per   Per           `about:"client: all peers share the rate; peer: each has the whole rate"`
}

// Check refuses what is another pattern.
func (t tokens) Check() error {
	if t.Burst == 0 {
		return errors.New("burst must be more than 0; without one it is the limiter leaky-bucket")
	}
	return nil
}

var _ = pattern.Keyed(Limiters, "token-bucket", "what is not used of a rate is saved up for a while", tokens{burst, perClient}, func(t tokens) Rule { return Rule{Burst: t.Burst, Per: t.Per} })

type leaks struct {
	Per Per `about:"as that of token-bucket"`
}

var _ = pattern.Keyed(Limiters, "leaky-bucket", "nothing is saved up: one grant after the other, and what comes late is not made up for", leaks{perClient}, func(l leaks) Rule { return Rule{Per: l.Per} })

var _ = Limiters.Register("none", "limits are not kept: who asks is let pass at once, so that what keeping them costs can be seen", func() Rule { return Rule{Per: perClient, Passes: true} })
