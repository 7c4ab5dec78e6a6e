package peers

import (
	"time"

	"kouzui/messages"
)

const (
	maxHalfOpen    = 16 // dials whose handshake has not arrived yet
	dialsPerSecond = 20
	// exhaustedPause is how long no peer is dialled after a dial failed because
	// the process has too many connections. After the pause, peers are dialled one
	// at a time until a dial succeeds.
	exhaustedPause = time.Second
)

// dialling limits when and how often peers are dialled.
type dialling struct {
	wanted bool // dial at all
	// pausedUntil is not zero while the last dial failed because the process had
	// too many connections.
	pausedUntil time.Time
	exhausted   bool // a dial failed like this, and the session has not been told
	// A token bucket with room for the dials of a second.
	tokens float64
	filled time.Time
}

func newDialling(now time.Time) dialling { return dialling{tokens: dialsPerSecond, filled: now} }

func (d *dialling) refill(now time.Time) {
	d.tokens = min(d.tokens+now.Sub(d.filled).Seconds()*dialsPerSecond, dialsPerSecond)
	d.filled = now
}

func (d *dialling) pause(now time.Time) { d.pausedUntil, d.exhausted = now.Add(exhaustedPause), true }

func (d *dialling) resume() { d.pausedUntil = time.Time{} }

func (d *dialling) maxHalfOpen() int {
	if d.pausedUntil.IsZero() {
		return maxHalfOpen
	}
	return 1
}

func (k *connections) addCandidates(addrs []messages.PeerAddr) {
	blocked := 0
	for _, a := range addrs {
		switch {
		case k.blocklist.Blocks(a.Addr.Addr()):
			blocked++
		case !k.bans.hasAddr(a.Addr):
			k.candidates.add(a)
		}
	}
	if blocked > 0 {
		k.out.add(reportBlocked{blocked})
	}
	k.dial()
}

func (k *connections) setDialing(dial bool) {
	k.dialling.wanted = dial && k.closing == nil
	k.dial()
	k.askForSlots()
	k.countSources()
}

// dial dials the best addresses as far as the limits allow, and sets the timer
// for the next dial that they allow.
func (k *connections) dial() {
	d := &k.dialling
	d.refill(k.now)
	if d.wanted && d.pausedUntil.After(k.now) {
		k.out.add(dialAfter{d.pausedUntil.Sub(k.now)})
		return
	}
	for d.wanted && len(k.slots.all) < k.max && k.slots.halfOpen < d.maxHalfOpen() {
		k.candidates.room = k.max - len(k.slots.all)
		best, due := k.candidates.next(k.now, k.rnd)
		if best == nil {
			if !due.IsZero() {
				k.out.add(dialAfter{due.Sub(k.now)})
			}
			return
		}
		if d.tokens < 1 {
			k.out.add(dialAfter{time.Second / dialsPerSecond})
			return
		}
		d.tokens--
		k.candidates.dialled(best.addr, k.now)
		k.open(best.addr, best.source.Source, nil)
	}
}
