package peer

import (
	"math"
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// sloppy is a session with a peer that has unchoked us.
type sloppy struct {
	*session
	t    *testing.T
	pool *buffer.Pool
	now  time.Time
	got  int // blocks that we lacked
}

func newSloppy(t *testing.T) *sloppy {
	s := &sloppy{session: newTestSession(t), t: t, pool: buffer.NewPool(100), now: start}
	s.take(t, frame.Frame{Kind: frame.Unchoke}, s.now)
	return s
}

func (s *sloppy) want(blocks ...messages.Block) {
	s.requests.waiting = append(s.requests.waiting, blocks...)
	s.ask(math.MaxInt, s.now)
}

func (s *sloppy) send(b messages.Block) error {
	f := pieceFrame(s.pool, b)
	err := s.received(&f, s.now)
	s.batchDone(s.now)
	for _, stored := range s.out.stored {
		stored.Data.Release()
		s.got++
	}
	s.out.stored, s.out.arrived = nil, nil
	return err
}

// A peer that sends each block that it was asked for more often than once is
// kept as long as what it wastes is in proportion to what it brings. As the
// only source it may waste more.
func TestBlocksThatComeAgainAreBorneInProportion(t *testing.T) {
	const blocks = 5000
	for name, c := range map[string]struct {
		copies int
		only   bool
		kept   bool
	}{
		"once":                        {1, false, true},
		"twice":                       {2, false, true},
		"five times":                  {5, false, false},
		"five times, the only source": {5, true, true},
		"for ever, the only source":   {1000, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSloppy(t)
			s.setOnlySource(c.only)
			var err error
			for i := 0; i < blocks && err == nil; i++ {
				s.want(block(i % 36))
				for copies := c.copies; copies > 0 && err == nil; copies-- {
					err = s.send(block(i % 36))
				}
			}
			if (err == nil) != c.kept {
				t.Errorf("after %d blocks: %v", s.got, err)
			}
			most := int64(s.got*paidByBlock + maxFlood)
			if c.only {
				most *= toleranceOnly
			}
			most = most*repeatUnit + blockSize
			if s.wasted > most {
				t.Errorf("wastes %d bytes, at most %d", s.wasted, most)
			}
			if live := s.pool.Stats().Live; live != 0 {
				t.Errorf("%d blocks are not released", live)
			}
		})
	}
}

// A peer that chokes and unchokes us around each block, and one that sends
// other frames of no use beside what it brings, is kept as long as these are in
// proportion.
func TestBlocksPayForFramesOfNoUse(t *testing.T) {
	for name, c := range map[string]struct {
		chokes, others int
		only, kept     bool
	}{
		"one choke around each block":                 {1, 0, false, true},
		"one choke and some keep-alives":              {1, 10, false, false},
		"one choke and some keep-alives, only source": {1, 10, true, true},
		"three chokes":                                {3, 0, false, false},
		"three chokes, the only source":               {3, 0, true, true},
		"nine chokes, the only source":                {9, 0, true, false},
		"as many keep-alives as a block pays for":     {0, paidByBlock - 1, false, true},
		"more keep-alives than a block pays for":      {0, paidByBlock + 1, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSloppy(t)
			s.setOnlySource(c.only)
			s.surplus.ignoresChoke = true
			var err error
			take := func(kinds ...frame.Kind) {
				for _, kind := range kinds {
					if err == nil {
						err = s.received(&frame.Frame{Kind: kind}, s.now)
					}
				}
			}
			for i := 0; i < 20*maxFlood && err == nil; i++ {
				s.want(block(i%36), block((i+1)%36))
				if c.chokes > 0 {
					take(frame.Choke)
				}
				if err == nil {
					err = s.send(block(i % 36))
				}
				for again := 1; again < c.chokes; again++ {
					take(frame.Unchoke, frame.Choke)
				}
				take(frame.Unchoke) // which is of no use if there was no choke
				for range c.others {
					take(frame.KeepAlive)
				}
				s.requests.clear(nil)
				s.out = effects{}
			}
			if (err == nil) != c.kept {
				t.Errorf("after %d blocks: %v", s.got, err)
			}
		})
	}
}

// A slow peer that serves on after its chokes is waited for, though not longer
// than one that is silent.
func TestSlowPeersThatServeOnAreWaitedFor(t *testing.T) {
	s := newSloppy(t)
	s.surplus.ignoresChoke = true
	const slow = 10 * time.Second
	rounds := 0
	for ; s.got == 0 && rounds < 10; rounds++ {
		s.want(block(0))
		s.take(t, frame.Frame{Kind: frame.Choke}, s.now)
		for until := s.now.Add(slow); s.now.Before(until); s.now = s.now.Add(tickBusy) {
			if err := s.tick(s.now); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.send(block(0)); err != nil {
			t.Fatal(err)
		}
		s.take(t, frame.Frame{Kind: frame.Unchoke}, s.now)
		s.out = effects{}
	}
	if rounds != 4 { // it may pause for 2, 4, 8 and 16 s
		t.Errorf("a block was taken after %d rounds", rounds)
	}
	s.want(block(0))
	s.take(t, frame.Frame{Kind: frame.Choke}, s.now)
	for range 20 {
		s.surplus.hurried, s.requests.late = true, 1
		if err := s.send(block(1)); err != nil {
			t.Fatal(err)
		}
	}
	if s.surplus.pause != snubAfter {
		t.Errorf("it may pause for %v", s.surplus.pause)
	}
}

// What only looks like a block that comes again is unasked for.
func TestWhatWasNeverAskedForIsNoRepetition(t *testing.T) {
	for name, odd := range map[string]messages.Block{
		"another piece": block(7),
		"no such piece": {Piece: 99, Length: blockSize},
		"a part":        {Length: blockSize - 1},
		"another start": {Begin: 1, Length: blockSize},
		"beyond":        {Begin: 1 << 30, Length: blockSize},
	} {
		for only, most := range map[bool]int{false: maxUnasked, true: toleranceOnly * maxUnasked} {
			s := newSloppy(t)
			s.setOnlySource(only)
			s.want(block(0))
			n := 0
			for ; s.send(odd) == nil && n < 1000; n++ {
			}
			if n != most {
				t.Errorf("%s: bears %d", name, n)
			}
		}
	}
}

// A peer that chokes us with each request, and serves it all the same, is found
// out at the first time; what it serves is taken from then on.
func TestWhatComesAfterAChokeIsTaken(t *testing.T) {
	s := newSloppy(t)
	round := func(serve func()) {
		s.want(block(0), block(1), block(2))
		s.take(t, frame.Frame{Kind: frame.Choke}, s.now)
		serve()
		s.take(t, frame.Frame{Kind: frame.Unchoke}, s.now)
		s.out = effects{}
	}
	serve := func() {
		for i := range 3 {
			if err := s.send(block(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	round(serve)
	if s.got != 0 || !s.surplus.ignoresChoke {
		t.Fatalf("%d blocks, found out: %v", s.got, s.surplus.ignoresChoke)
	}
	for range 10 {
		s.now = s.now.Add(time.Second)
		round(func() {
			if s.out.choking {
				t.Error("the scheduler takes everything back at once")
			}
			serve()
		})
	}
	if s.got != 30 {
		t.Errorf("%d blocks were taken", s.got)
	}
	// Once it keeps to its choke, the scheduler hears of it.
	s.want(block(0), block(1))
	s.take(t, frame.Frame{Kind: frame.Choke}, s.now)
	s.requests.waiting = []messages.Block{block(3)}
	if asked := s.ask(math.MaxInt, s.now); asked != 0 {
		t.Errorf("asks for %d bytes while choked", asked)
	}
	if err := s.tick(s.now.Add(serveOnPause + 1)); err != nil || !s.out.choking || s.requests.outstanding() != 0 {
		t.Errorf("%v, told %v, %d outstanding", err, s.out.choking, s.requests.outstanding())
	}
}
