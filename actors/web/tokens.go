package web

import (
	"math"

	"kouzui/messages"
	"kouzui/wire/buffer"
)

// tokens is the web seed's side of the limiter: while downloads are limited,
// bytes are asked for only against tokens, one a byte.
type tokens struct {
	limits messages.SetLimits
	left   int  // granted and not used
	asked  bool // an answer is to come
}

// allowance is how many bytes may be asked for now.
func (t *tokens) allowance() int {
	if t.limits.Down > 0 {
		return t.left
	}
	return math.MaxInt
}

func (t *tokens) spend(bytes int) {
	if t.limits.Down > 0 {
		t.left -= bytes
	}
}

func (t *tokens) grant(bytes int) { t.left, t.asked = t.left+bytes, false }

// setLimits also forgets what was asked for, as a limiter that was restarted
// does.
func (t *tokens) setLimits(limits messages.SetLimits) { t.limits, t.asked = limits, false }

// perSecond is how often a second a server is asked at most while the rate is
// limited: the limiter grants a block at a time, and tokens for a longer run
// are saved up.
const perSecond = 4

// missing is how many tokens are missing for the next run, of which so many
// bytes are wanted.
func (t *tokens) missing(wanted int) int {
	if t.limits.Down == 0 {
		return 0
	}
	return max(0, min(wanted, max(int(t.limits.Down/perSecond), buffer.Size))-t.left)
}

// ask tells whether the limiter is to be asked: unless an answer is to come.
func (t *tokens) ask() bool {
	asks := !t.asked
	t.asked = true
	return asks
}
