package scheduler

import (
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/rate"
	"kouzui/messages"
)

// peer is what the scheduler knows of one connection, and what is to be told to
// it at the end of the current message.
type peer struct {
	*messages.PeerReady
	place int    // in roster.peers
	hash  uint64 // of its peer id, see share
	gone  bool

	have     *bitset.BitSet
	pieces   int  // in have
	cameSeed bool // its bitfields were complete: counted by Availability.JoinSeed
	wanted   int  // pieces in have that we lack; see swarm.recount

	choked  bool
	answers bool     // each request, also when it has choked us (BEP 6)
	allowed []uint32 // pieces that it may be asked for while it chokes us (BEP 6)
	serves  bool     // see roster.serving
	snubbed bool
	window  int // how many requests it can have pending
	queue   queue
	behind  uint32  // the piece behind that which was begun with this web seed last
	own     *active // the last piece that was begun with it
	speed   speed
	rates   messages.PeerRates // the last that it reported
	useful  time.Time          // when payload was last transferred, either way
	offered time.Time          // when it was last told of pieces, but for its bitfield
	brought bool               // at least one block arrived from it
	stalled bool               // was silent, and has brought nothing since
	good    int                // pieces that came from it alone and were right
	bad     int                // pieces that it spoilt
	parole  *host              // nil: it is trusted
	super   superPeer

	// To be told.
	touched    bool // the peer is among orders.peers
	interested bool // as it was told last
	told       int  // how far it was told of our pieces, see haves
	uploadOnly bool // what it was told of us last (BEP 21)
	ask        []messages.Block
	cancel     []messages.Block
	dismissed  bool
	dismissal  messages.GoneReason
}

const (
	// minQueue is how short, in requests, a queue may become before it is filled
	// up, whatever the size of the window.
	minQueue = 4
	// measurement is how long a peer's speed is measured at a time. The first time
	// is shorter: a guess is better than none.
	measurement      = 250 * time.Millisecond
	firstMeasurement = 20 * time.Millisecond
	// slowest is the speed assumed of a peer of which nothing is known, in bytes a
	// second.
	slowest = BlockSize
	// A peer is silent when no block has arrived from it for minSilence plus the
	// time that it needs for silentBlocks at its speed.
	minSilence   = 1.0 // seconds
	silentBlocks = 3
	// A peer that has been silent for quietAfter with requests pending is expected
	// to stay so for quietFactor times as long again.
	quietAfter  = time.Second
	quietFactor = 2
	// snubDelay is added to the time, in seconds, in which a snubbed peer is
	// expected to send the blocks requested from it.
	snubDelay = 60.0
)

// free is how many more requests the peer should be given. It is 0 until a
// quarter of the window is free, so that a fast peer is asked in batches.
func (p *peer) free() int {
	n := p.queue.len()
	if n >= minQueue && 4*n > 3*p.window {
		return 0
	}
	return max(0, p.window-n)
}

func (p *peer) has(piece uint32) bool { return p.have.Test(uint(piece)) }

// seed tells whether the peer has all pieces.
func (p *peer) seed(pieces int) bool { return p.pieces == pieces && pieces > 0 }

// lacks tells whether the peer lacks some of these pieces.
func (p *peer) lacks(pieces []uint32) bool {
	return slices.ContainsFunc(pieces, func(piece uint32) bool { return !p.has(piece) })
}

// speed is how fast a peer sends blocks while some are requested from it.
type speed struct {
	rate.Flow           // bytes
	recent    rate.Flow // bytes, in measurements as short as the first one
	heard     time.Time // the last block, or the first request after a rest
}

// begins: the first block is requested from the peer after a time without
// requests.
func (s *speed) begins(now time.Time) {
	s.Resume(now)
	s.recent.Resume(now)
	s.heard = now
}

func (s *speed) arrived(bytes int, now time.Time) {
	s.heard = now
	least := measurement
	if s.PerSecond() == 0 {
		least = firstMeasurement
	}
	s.Add(now, bytes, least, rate.Mean)
	s.recent.Add(now, bytes, firstMeasurement, rate.Mean)
}

// silent tells whether no block has arrived from the peer for clearly longer
// than it needs for one at its speed, as far as that is known.
func (p *peer) silent(now time.Time) bool {
	if p.stalled {
		return true
	}
	limit := minSilence
	if r := p.speed.PerSecond(); r > 0 {
		limit += silentBlocks * BlockSize / r
	}
	return now.Sub(p.speed.heard).Seconds() > limit
}

// eta is in how many seconds n blocks will have arrived from a peer. A peer
// that has been silent for long is expected to need longer.
func (p *peer) eta(n int, now time.Time) float64 {
	seconds := float64(n) * BlockSize / max(p.speed.PerSecond(), slowest)
	if quiet := now.Sub(p.speed.heard); p.queue.len() > 0 && quiet > quietAfter {
		seconds += quietFactor * quiet.Seconds()
	}
	if p.snubbed {
		seconds += snubDelay
	}
	return seconds
}
