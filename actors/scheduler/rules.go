package scheduler

import (
	"errors"

	"kouzui/actors/runtime/pattern"
)

// Rules are the numbers by which blocks are requested from a second peer. Times
// are in seconds.
type Rules struct {
	// EndBlocks is no more than a few peers have in their queues: with more, what
	// comes anyway would be requested twice.
	EndBlocks int `about:"blocks that are under way at most at the end, of which each may be requested from several peers"`
	// A saving below MinSaving is within the error of the estimate, and the block
	// would often come twice: what lies in a link of the slow peer, some
	// Uncancelled blocks, cannot be cancelled.
	MinSaving   float64 `about:"seconds that a second request must save at the end"`
	Uncancelled int     `about:"blocks for which the slow peer needs as long as a second request must save, too"`
	// A healthy queue is far shorter than Long. Of a silent peer nobody knows
	// whether it will bring anything, so LongSilent is enough. Its silence counts
	// twice, see eta, so that is up to three seconds of silence: where several
	// connections share a full uplink, one often stands still for two.
	Long       float64 `about:"seconds that a slow peer must need for a block to be taken over before the end"`
	LongSilent float64 `about:"the same for a peer that is silent"`
	LongFactor float64 `about:"times that a slow peer must need of what the other needs before the end"`
	Askers     int     `about:"peers from which one of the last blocks may be requested at a time, while they send data"`
}

// Check refuses numbers with which a download could not end.
func (r Rules) Check() error {
	if r.EndBlocks == 0 || r.Askers < 2 {
		return errors.New("end-blocks must be 1 or more, and askers 2 or more")
	}
	return nil
}

var usualRules = Rules{
	EndBlocks: 32, MinSaving: 0.2, Uncancelled: 4, Long: 10, LongSilent: 6, LongFactor: 4, Askers: 3,
}

// Requests are the rules that a user can choose from.
var Requests = pattern.NewKind[Rules]("requests", "when a block is requested from a second peer", "usual", pattern.Everywhere, pattern.OfTorrent)

var _ = pattern.Keyed(Requests, "usual", "at the end, or if the first peer needs far too long", usualRules, func(r Rules) Rules { return r })

var _ = Requests.Register("eager", "as if it were the end from the 256 last blocks on", func() Rules {
	r := usualRules
	r.EndBlocks = 256
	return r
})
