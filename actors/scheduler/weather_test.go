package scheduler

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/messages"
)

// weather is a sim in which peers come and go, choke and fall silent, and some
// send wrong blocks.
type weather struct {
	*liars
	rng  *rand.Rand
	last messages.PeerKey
}

// requestTimeout is for how long a peer's actor waits for a block.
const requestTimeout = 30 * time.Second

func (x *weather) arrive() {
	if len(x.s.peers) < 12 {
		x.last++
		have := full(x.s.pieces)
		if x.rng.IntN(3) == 0 {
			have = bitset.New(uint(x.s.pieces))
			for i := range have.Len() {
				have.SetTo(i, x.rng.IntN(2) == 0)
			}
		}
		rate := []float64{0, 1e3, 5e4, 1e6, 2e7}[x.rng.IntN(5)]
		x.add(x.last, have, rate, 1+x.rng.IntN(40))
	}
	x.later(x.arrive)
}

// befall does something to one of the peers.
func (x *weather) befall() {
	if len(x.s.peers) > 0 {
		p := x.s.peers[x.rng.IntN(len(x.s.peers))]
		sp := x.peers[p.Key]
		switch x.rng.IntN(4) {
		case 0:
			x.s.leave(p)
		case 1:
			sp.asked = nil
			x.s.peerChoking(p, &messages.PeerChoking{Choking: true})
		case 2:
			if p.choked {
				x.s.peerChoking(p, &messages.PeerChoking{Window: sp.window})
			}
		case 3:
			x.s.peerHave(p, []uint32{uint32(x.rng.IntN(x.s.pieces))})
		}
		x.flush()
	}
	x.later(x.befall)
}

// lose drops the requests of slow peers, as their actors do when they time out.
func (x *weather) lose() {
	for _, p := range slices.Clone(x.s.peers) {
		if sp := x.peers[p.Key]; len(sp.asked) > 0 && x.s.now.Sub(p.speed.heard) > requestTimeout {
			dropped := slices.Clone(sp.asked)
			sp.asked = nil
			x.asked.dropped(p, dropped...)
			x.s.requestsDropped(p, &messages.RequestsDropped{Blocks: dropped, Window: 1, Snubbed: true})
			x.flush()
		}
	}
	x.flush()
	x.after(requestTimeout/3, x.lose)
}

func (x *weather) later(do func()) {
	x.after(time.Duration(x.rng.IntN(3000))*time.Millisecond, do)
}

// TestAnyWeatherEndsWithAllFetched: whatever peers do, in whatever order, all
// pieces are fetched in the end, and nothing is left in the ledger.
func TestAnyWeatherEndsWithAllFetched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := geometryOf(rapid.IntRange(1, 60).Draw(t, "pieces"), rapid.Int64Range(1, 20*BlockSize).Draw(t, "piece length"), 1)
		g.padding = drawPadding(t, g)
		s := openSwarm(g, rapid.SampledFrom(Pickers.Names()).Draw(t, "picker"), rapid.Uint64().Draw(t, "seed"))
		s.setMemory(rapid.Int64Range(1, 200).Draw(t, "memory") * BlockSize)
		s.planner.abreast.setPlan(drawPlan(t))
		x := &weather{liars: newLiars(t, s), rng: seeded(rapid.Uint64().Draw(t, "weather"))}
		lying := rapid.IntRange(2, 100).Draw(t, "one in so many lies")
		x.lies = func(key messages.PeerKey, piece, begin uint32) bool {
			return int(key)%5 == 0 && (int(key)+int(piece)+int(begin/BlockSize))%lying == 0
		}
		x.later(x.arrive)
		x.later(x.befall)
		x.after(requestTimeout/3, x.lose)
		x.after(time.Minute, func() { x.add(1_000_001, full(g.pieces), 1e5, 16) })
		x.run(time.Hour)
		for len(s.peers) > 0 {
			s.leave(s.peers[0])
		}
		if l := s.planner.ledger; l.memory != 0 || l.free != 0 || l.duplicates != 0 || len(l.active) != 0 || len(l.partial) != 0 || len(s.blame.suspects) != 0 {
			t.Fatalf("something is left: %+v, suspects %v", l, s.blame.suspects)
		}
	})
}
