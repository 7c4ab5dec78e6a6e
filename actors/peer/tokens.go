package peer

import (
	"math"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// The peer's side of the limiter: while a direction is limited, payload is
// asked for and sent only against tokens.

func (p *peer) limited(d messages.Direction) bool {
	return d == messages.Down && p.Limits.Down > 0 || d == messages.Up && p.Limits.Up > 0
}

// allowance is how many bytes may be asked for or sent now.
func (p *peer) allowance(d messages.Direction) int {
	if p.limited(d) {
		return p.tokens[d]
	}
	return math.MaxInt
}

func (p *peer) spend(d messages.Direction, bytes int) {
	if p.limited(d) {
		p.tokens[d] -= bytes
	}
}

// wantTokens asks for what the blocks that wait still lack, at most for a few
// blocks at a time so that peers take turns.
func (p *peer) wantTokens(c actor.Context) {
	p.want(c, messages.Down, p.session.requests.waiting)
	if !p.session.uploads.asking && !p.session.uploads.full() {
		p.want(c, messages.Up, p.session.uploads.queue)
	}
}

func (p *peer) want(c actor.Context, d messages.Direction, blocks []messages.Block) {
	if p.waiting[d] || len(blocks) == 0 || !p.limited(d) {
		return
	}
	const turn = 8
	lacking := bytesOf(blocks[:min(len(blocks), turn)]) - p.tokens[d]
	if lacking <= 0 {
		return
	}
	p.waiting[d] = true
	c.Send(p.Refs.Limiter, &messages.TokensWanted{From: c.Self(), Direction: d, Bytes: lacking})
}
