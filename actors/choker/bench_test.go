package choker

import (
	"testing"

	"kouzui/messages"
)

// BenchmarkRound is a round among 200 peers, all interested, after each has
// told its rates.
func BenchmarkRound(b *testing.B) {
	for _, name := range Algorithms.Names() {
		for state, seeding := range map[string]bool{"downloading": false, "seeding": true} {
			b.Run(name+"/"+state, func(b *testing.B) {
				s := newSwarm(b, name, 8)
				s.seeding = seeding
				b.ReportAllocs()
				for b.Loop() {
					for key := range 200 {
						rate := float64(s.rand.IntN(1 << 20))
						s.set(key, func(m *messages.PeerRates) { m.Down, m.Up = rate, rate })
					}
					s.round()
				}
			})
		}
	}
}
