package scheduler

import (
	"container/heap"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// sim drives a swarm in virtual time, with peers that deliver at rates of their
// own, and with a store that verifies a piece as soon as all of it is there,
// and spills when half of the memory lies in unfinished pieces.
type sim struct {
	t     tester
	s     *swarm
	peers map[messages.PeerKey]*simPeer
	store map[uint32]map[uint32]messages.PeerKey // piece -> begin -> from
	held  map[uint32]int                         // piece -> blocks of it in memory
	due   events
	asked *askings
	// corrupt says whether a piece of these contributors fails its hash.
	corrupt func(piece uint32, from map[messages.PeerKey]bool) bool
	// judge takes the place of all that.
	judge   func(piece uint32, blocks map[uint32]messages.PeerKey)
	addr    func(messages.PeerKey) netip.AddrPort // of a peer, if not its own
	bytes   int64                                 // that were delivered
	single  int                                   // pieces that came from one peer
	maxHeld int
}

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

type simPeer struct {
	p      *peer
	rate   float64
	window int
	asked  []messages.Block
	busy   bool
}

// due is what happens at a moment of the simulation.
type due struct {
	at  time.Time
	seq int
	do  func()
}

type events struct {
	list []due
	seq  int
}

func (e *events) Len() int { return len(e.list) }

func (e *events) Less(i, j int) bool {
	a, b := e.list[i], e.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.seq < b.seq
}

func (e *events) Swap(i, j int) { e.list[i], e.list[j] = e.list[j], e.list[i] }

func (e *events) Push(x any) { e.list = append(e.list, x.(due)) }

func (e *events) Pop() any {
	last := e.list[len(e.list)-1]
	e.list = e.list[:len(e.list)-1]
	return last
}

func newSim(t tester, s *swarm) *sim {
	sim := &sim{
		t: t, s: s, peers: map[messages.PeerKey]*simPeer{}, store: map[uint32]map[uint32]messages.PeerKey{},
		held: map[uint32]int{}, asked: newAskings(t, s),
	}
	sim.after(tick, sim.tick)
	return sim
}

func (x *sim) after(d time.Duration, do func()) {
	x.due.seq++
	heap.Push(&x.due, due{x.s.now.Add(d), x.due.seq, do})
}

func (x *sim) tick() {
	x.s.planner.timePassed()
	x.after(tick, x.tick)
}

func (x *sim) add(key messages.PeerKey, have *bitset.BitSet, rate float64, window int) *simPeer {
	addr := testAddr(key)
	if x.addr != nil {
		addr = x.addr(key)
	}
	sp := &simPeer{p: x.s.joinFrom(addr, key, have), rate: rate, window: window}
	x.peers[key] = sp
	x.s.peerChoking(sp.p, &messages.PeerChoking{Key: key, Window: window})
	x.flush()
	return sp
}

// flush carries out the orders of the swarm.
func (x *sim) flush() {
	x.t.Helper()
	x.asked.look()
	for _, p := range x.s.orders.peers {
		p.touched = false
		p.interested = p.wanted > 0
		sp := x.peers[p.Key]
		if p.gone || sp == nil {
			continue
		}
		for _, b := range p.cancel {
			for i, a := range sp.asked {
				if a == b {
					sp.asked = append(sp.asked[:i], sp.asked[i+1:]...)
					break
				}
			}
		}
		sp.asked = append(sp.asked, p.ask...)
		p.cancel, p.ask = p.cancel[:0], p.ask[:0]
		x.work(sp)
	}
	x.s.orders.peers = x.s.orders.peers[:0]
	for _, piece := range x.s.orders.drops {
		x.after(0, func() { x.drop(piece) })
	}
	x.s.orders.drops = x.s.orders.drops[:0]
	x.maxHeld = max(x.maxHeld, x.s.planner.ledger.memory)
}

// drop lets a piece go, unless it has become whole meanwhile and was judged.
func (x *sim) drop(piece uint32) {
	if a := x.s.planner.ledger.active[piece]; a == nil || !a.dropping {
		return
	}
	delete(x.store, piece)
	delete(x.held, piece)
	x.asked.judged(piece, false)
	x.s.pieceDropped(piece)
}

func (x *sim) work(sp *simPeer) {
	if sp.busy || len(sp.asked) == 0 || sp.rate == 0 || sp.p.gone {
		return
	}
	sp.busy = true
	b := sp.asked[0]
	x.after(time.Duration(float64(b.Length)/sp.rate*float64(time.Second)), func() {
		sp.busy = false
		if len(sp.asked) > 0 && sp.asked[0] == b && !sp.p.gone {
			sp.asked = sp.asked[1:]
			x.deliver(sp, b)
		}
		x.flush()
		x.work(sp)
	})
}

func (x *sim) deliver(sp *simPeer, b messages.Block) {
	x.bytes += int64(b.Length)
	x.asked.arrived(sp.p, b)
	x.s.blocksArrived(sp.p, &messages.BlocksArrived{Blocks: []messages.Block{b}, Window: sp.window, At: x.s.now})
	x.flush()
	if x.s.have.Test(uint(b.Piece)) {
		return
	}
	blocks := x.store[b.Piece]
	if blocks == nil {
		blocks = map[uint32]messages.PeerKey{}
		x.store[b.Piece] = blocks
	}
	blocks[b.Begin] = sp.p.Key
	x.held[b.Piece]++
	if len(blocks) < x.needed(b.Piece) {
		x.spill()
		return
	}
	delete(x.store, b.Piece)
	delete(x.held, b.Piece)
	if x.judge != nil {
		x.judge(b.Piece, blocks)
		return
	}
	from := map[messages.PeerKey]bool{}
	for _, key := range blocks {
		from[key] = true
	}
	if x.corrupt != nil && x.corrupt(b.Piece, from) {
		m := &messages.PieceCorrupt{Piece: b.Piece}
		for key := range from {
			m.Contributors = append(m.Contributors, key)
		}
		x.asked.judged(b.Piece, false)
		x.s.pieceCorrupt(m)
		return
	}
	if len(from) == 1 {
		x.single++
	}
	x.asked.judged(b.Piece, true)
	x.s.pieceVerified(b.Piece)
}

// needed is how many blocks of a piece the store needs: all but the padding,
// unless that may be why the piece was corrupt.
func (x *sim) needed(piece uint32) int {
	n := x.s.blocks(piece)
	if !x.s.blame.suspects[piece] {
		for _, r := range x.s.padding[piece] {
			n -= r.end - r.first
		}
	}
	return n
}

func (x *sim) spill() {
	sum := 0
	for _, n := range x.held {
		sum += n
	}
	if sum <= x.s.planner.budget.limit/2 {
		return
	}
	for _, piece := range slices.Sorted(maps.Keys(x.held)) {
		x.s.blocksSpilled(&messages.BlocksSpilled{Piece: piece, Blocks: x.held[piece]})
		delete(x.held, piece)
		x.flush()
	}
}

// step has the next event happen.
func (x *sim) step() {
	x.t.Helper()
	e := heap.Pop(&x.due).(due)
	x.s.now = e.at
	e.do()
	x.flush()
}

// run goes on until all that is wanted is there, and returns how long that
// took.
func (x *sim) run(limit time.Duration) time.Duration {
	x.t.Helper()
	return x.runUntil(x.s.complete, limit)
}

func (x *sim) runUntil(done func() bool, limit time.Duration) time.Duration {
	x.t.Helper()
	for !done() {
		x.step()
		if x.s.now.Sub(epoch) > limit {
			x.t.Fatalf("not done after %v: %d of %d pieces, %d free blocks, memory %d: %s",
				limit, x.s.owned, x.s.pieces, x.s.planner.ledger.free, x.s.planner.ledger.memory, x.s.why())
		}
	}
	return x.s.now.Sub(epoch)
}
