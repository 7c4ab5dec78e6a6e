package peer

import (
	"math"

	"kouzui/messages"
)

// tokensAhead is for how many of the blocks that wait tokens are asked for at a
// time: few, so that peers take turns.
const tokensAhead = 8

// tokens is the peer's side of the limiter: while a direction is limited,
// payload is asked for and sent only against tokens, one a byte.
type tokens struct {
	limits  messages.SetLimits
	granted [2]int  // and not used, by direction
	asked   [2]bool // an answer is to come
}

func (t *tokens) limited(d messages.Direction) bool {
	return d == messages.Down && t.limits.Down > 0 || d == messages.Up && t.limits.Up > 0
}

// allowance is how many bytes may be asked for or sent now.
func (t *tokens) allowance(d messages.Direction) int {
	if t.limited(d) {
		return t.granted[d]
	}
	return math.MaxInt
}

func (t *tokens) spend(d messages.Direction, bytes int) {
	if t.limited(d) {
		t.granted[d] -= bytes
	}
}

func (t *tokens) grant(d messages.Direction, bytes int) {
	t.granted[d] += bytes
	t.asked[d] = false
}

// setLimits also forgets what was asked for, as a limiter that was restarted
// does.
func (t *tokens) setLimits(limits messages.SetLimits) {
	t.limits, t.asked = limits, [2]bool{}
}

// want returns how many tokens to ask for, for the blocks that wait: 0 if there
// are enough, or an answer is to come.
func (t *tokens) want(d messages.Direction, blocks []messages.Block) int {
	if t.asked[d] || len(blocks) == 0 || !t.limited(d) {
		return 0
	}
	bytes := -t.granted[d]
	for _, b := range blocks[:min(len(blocks), tokensAhead)] {
		bytes += int(b.Length)
	}
	t.asked[d] = bytes > 0
	return max(0, bytes)
}
