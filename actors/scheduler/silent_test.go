package scheduler

import (
	"fmt"
	"testing"
	"time"

	"kouzui/messages"
)

// Peers that bring something, are asked for more because of that, and fall
// silent delay a download by a few seconds, however many they are, and not
// until their requests time out.
func TestThoseWhoFallSilentHoldNothingUpForLong(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := geometryOf(30, 256<<10, 256<<10)
			s := openSwarm(g, "rarest", seed)
			s.setMemory(4 << 20)
			x := newSim(t, s)
			x.add(1, full(g.pieces), 10e6, 64)
			for k := range 30 {
				p := x.add(messages.PeerKey(k+2), full(g.pieces), 10e6, 64)
				x.after(30*time.Millisecond, func() { p.rate = 0 })
			}
			if took := x.run(time.Hour); took > 8*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
