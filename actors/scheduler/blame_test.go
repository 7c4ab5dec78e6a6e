package scheduler

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/messages"
)

// liars is a sim in which some peers may send wrong blocks, and whose store
// compares corrupt pieces with right ones, as the real store does.
type liars struct {
	*sim
	lies func(key messages.PeerKey, piece uint32, begin uint32) bool

	wrong  map[uint32]map[messages.PeerKey]bool // who sent a wrong block of a corrupt piece
	banned map[netip.AddrPort]bool
	spoilt int // pieces
}

func newLiars(t tester, s *swarm) *liars {
	x := &liars{sim: newSim(t, s), wrong: map[uint32]map[messages.PeerKey]bool{}, banned: map[netip.AddrPort]bool{}}
	x.sim.judge = x.judge
	return x
}

func (x *liars) judge(piece uint32, blocks map[uint32]messages.PeerKey) {
	from, wrong := map[messages.PeerKey]bool{}, map[messages.PeerKey]bool{}
	for begin, key := range blocks {
		from[key] = true
		if x.lies(key, piece, begin) {
			wrong[key] = true
		}
	}
	if len(wrong) > 0 {
		x.spoilt++
		m := &messages.PieceCorrupt{Piece: piece}
		for key := range from {
			m.Contributors = append(m.Contributors, key)
		}
		if x.wrong[piece] == nil {
			x.wrong[piece] = map[messages.PeerKey]bool{}
		}
		for key := range wrong {
			x.wrong[piece][key] = true
		}
		x.asked.judged(piece, false)
		x.s.pieceCorrupt(m)
	} else {
		x.asked.judged(piece, true)
		x.s.pieceVerified(piece)
		proof := &messages.BlameProven{Piece: piece}
		for key := range x.wrong[piece] {
			proof.Peers = append(proof.Peers, key)
		}
		delete(x.wrong, piece)
		x.s.blame.proven(proof)
	}
	x.flush()
	x.sweep()
}

// sweep removes the peers that are dismissed.
func (x *liars) sweep() {
	for _, ban := range x.s.orders.bans {
		x.banned[ban.Addr] = true
	}
	x.s.orders.bans = nil
	for i := 0; i < len(x.s.peers); i++ {
		if p := x.s.peers[i]; p.dismissed {
			x.s.leave(p)
			x.flush()
			i--
		}
	}
}

func (x *liars) join(key messages.PeerKey, rate float64) *simPeer {
	sp := x.add(key, full(x.s.pieces), rate, 16)
	return sp
}

func TestOnlyLiarsAreBanned(t *testing.T) {
	g := geometryOf(200, 256<<10, 256<<10)
	always := func(messages.PeerKey, uint32, uint32) bool { return true }
	oneIn := func(n uint32) func(messages.PeerKey, uint32, uint32) bool {
		return func(key messages.PeerKey, piece, begin uint32) bool {
			return (uint32(key)*7919+piece*104729+begin/BlockSize*1299709)%n == 0
		}
	}
	for name, c := range map[string]struct {
		bad, good int
		rate      float64 // of each liar
		honest    float64 // the rate of each of the others
		lies      func(messages.PeerKey, uint32, uint32) bool
		spoilt    int // pieces at most
	}{
		"one of two":                {1, 1, 5e6, 5e6, always, 8},
		"one of two, slow":          {1, 1, 1e5, 1e5, always, 10},
		"nine of ten":               {9, 1, 1e6, 1e6, always, 9 * 8},
		"one of ten, slow":          {1, 9, 5e4, 5e4, always, 10},
		"one block in a hundred":    {1, 1, 5e6, 5e6, oneIn(100), 8},
		"one in a hundred, of many": {5, 5, 5e4, 5e4, oneIn(100), 40},
		"half of the blocks":        {3, 3, 2e5, 2e5, oneIn(2), 30},
		"a fast one beside a slow":  {1, 1, 2e7, 1e5, always, 4},
		"fast, one in a hundred":    {1, 1, 2e7, 1e5, oneIn(100), 8},
		"three fast, one slow":      {3, 1, 2e7, 5e4, oneIn(7), 30},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSwarm(g, "rarest", 5)
			x := newLiars(t, s)
			x.lies = func(key messages.PeerKey, piece, begin uint32) bool {
				return int(key) <= c.bad && c.lies(key, piece, begin)
			}
			for k := 1; k <= c.bad+c.good; k++ {
				rate := c.rate
				if k > c.bad {
					rate = c.honest
				}
				x.join(messages.PeerKey(k), rate)
			}
			took := x.run(time.Hour)
			t.Logf("took %v, %d pieces spoilt, %d banned, %d bytes for %d", took, x.spoilt, len(x.banned), x.bytes, g.length)
			for k := c.bad + 1; k <= c.bad+c.good; k++ {
				if x.banned[x.peers[messages.PeerKey(k)].p.Addr] {
					t.Errorf("peer %d is banned, and honest", k)
				}
			}
			if len(x.banned) == 0 || len(x.banned) > c.bad {
				t.Errorf("%d are banned, want up to %d", len(x.banned), c.bad)
			}
			if x.spoilt > c.spoilt {
				t.Errorf("%d pieces came wrong, more than %d", x.spoilt, c.spoilt)
			}
			if over := x.bytes - g.length - int64(x.spoilt)*g.pieceLength; over > g.length/50 {
				t.Errorf("%d bytes more than the content and what was spoilt", over)
			}
			if len(s.blame.suspects) != 0 {
				t.Errorf("suspects are left: %v", s.blame.suspects)
			}
		})
	}
}

// The only peer may have a faulty disk. One that sends nothing right is banned
// all the same.
func TestTheOnlyPeerIsSparedAFewErrors(t *testing.T) {
	g := geometryOf(100, 256<<10, 256<<10)
	s := openSwarm(g, "rarest", 5)
	x := newLiars(t, s)
	seen := map[uint32]bool{}
	x.lies = func(_ messages.PeerKey, piece, begin uint32) bool {
		if piece%33 != 5 || begin != 0 || seen[piece] {
			return false
		}
		seen[piece] = true
		return true
	}
	x.join(1, 5e6)
	x.run(time.Hour)
	if x.spoilt != 3 || len(x.banned) != 0 {
		t.Errorf("%d pieces came wrong, %d are banned", x.spoilt, len(x.banned))
	}

	s = openSwarm(g, "rarest", 5)
	x = newLiars(t, s)
	x.lies = func(messages.PeerKey, uint32, uint32) bool { return true }
	x.join(1, 5e6)
	for len(x.banned) == 0 && s.now.Sub(epoch) < time.Hour {
		x.step()
		x.sweep()
	}
	if len(x.banned) != 1 || x.spoilt != maxErrors+1 {
		t.Errorf("%d are banned after %d pieces", len(x.banned), x.spoilt)
	}
}

// A liar that comes again and again under other ids costs a piece each time,
// with growing pauses. Its neighbours are trusted after their first piece.
func TestALiarThatComesAgainIsOnParole(t *testing.T) {
	g := geometryOf(400, 64<<10, 64<<10)
	s := openSwarm(g, "rarest", 5)
	x := newLiars(t, s)
	liar := map[messages.PeerKey]bool{}
	x.lies = func(key messages.PeerKey, _, _ uint32) bool { return liar[key] }
	x.addr = func(key messages.PeerKey) netip.AddrPort { // all behind one host
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(key))
	}
	x.join(1, 2e5)
	const newcomer = 1000
	key := messages.PeerKey(2)
	var again func()
	again = func() {
		if current := x.peers[key]; current == nil || current.p.gone {
			key++
			liar[key] = true
			x.join(key, 1e6)
		}
		x.after(10*time.Millisecond, again)
	}
	again()
	x.after(20*time.Second, func() {
		x.join(newcomer, 1e6)
		key += newcomer // those to come are younger
	})
	took := x.run(time.Hour)
	honest, neighbour := x.peers[1], x.peers[newcomer]
	if x.banned[honest.p.Addr] || neighbour != nil && x.banned[neighbour.p.Addr] {
		t.Error("an honest neighbour is banned")
	}
	t.Logf("took %v, %d pieces spoilt by %d incarnations", took, x.spoilt, len(liar))
	if x.spoilt > 30 || len(x.banned) < 3 {
		t.Errorf("%d pieces came wrong, %d bans", x.spoilt, len(x.banned))
	}
	if neighbour == nil || neighbour.p.good == 0 || neighbour.p.parole != nil {
		t.Errorf("the neighbour never had its chance")
	}
}

// Peers that unchoke us and never answer do not take the memory from others.
func TestTheSilentDoNotTakeTheMemory(t *testing.T) {
	g := geometryOf(200, 256<<10, 256<<10)
	s := openSwarm(g, "rarest", 5)
	s.setMemory(4 << 20)
	x := newSim(t, s)
	for k := range messages.PeerKey(100) {
		x.add(k+1, full(g.pieces), 0, 16)
	}
	silent := s.planner.ledger.memory
	x.add(1000, full(g.pieces), 10e6, 64)
	took := x.run(time.Hour)
	t.Logf("took %v, the silent ones held %d of %d blocks", took, silent, s.planner.budget.limit)
	if silent > s.planner.budget.limit/advanceShare+100 || took > 10*time.Second {
		t.Errorf("it took %v, and the silent ones held %d blocks", took, silent)
	}
}

func TestHostsThatSentRubbishAreBounded(t *testing.T) {
	s := openSwarm(geometryOf(1, BlockSize, BlockSize), "", 1)
	for i := range 2 * maxHosts {
		s.blame.distrust(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(s.blame.hosts) != maxHosts {
		t.Errorf("%d hosts are remembered", len(s.blame.hosts))
	}
}
