package scheduler

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const superPieces = 12

// seedOf is a seed that may super-seed.
func seedOf(when messages.SuperSeeding) *swarm { return seedOfPieces(superPieces, when) }

func seedOfPieces(pieces int, when messages.SuperSeeding) *swarm {
	s := newSwarm(geometryOf(pieces, 1<<18, 1<<18), nil, testMemory, rarest{}, seeded(1))
	s.torrent, s.now, s.super.when = &metainfo.Torrent{}, epoch, when
	s.storeReady(&messages.StoreReady{Have: full(pieces), Complete: true})
	return s
}

// reports has p report how many pieces were sent to it; it is not choked.
func (s *swarm) reports(p *peer, sent int) {
	s.peerRates(p, &messages.PeerRates{Key: p.Key, At: s.now, UpTotal: int64(sent) << 18, Flags: messages.PeerFlags{PeerInterested: true}})
}

func (s *swarm) joinEmpty(key messages.PeerKey) *peer {
	s.peerReady(&messages.PeerReady{Key: key, Link: uint64(key), Addr: testAddr(key), At: s.now})
	return s.byKey[key]
}

// haveOrders takes what was sent: how many peers are told of each piece.
func (s *swarm) haveOrders() map[uint32]int {
	times := map[uint32]int{}
	s.out.Flush(func(_ *actor.PID, m any) {
		switch m := m.(type) {
		case *messages.AnnounceHave:
			for _, piece := range m.Pieces {
				times[piece]++
			}
		case *messages.StartSession:
			for piece := range m.Have.EachSet() {
				times[uint32(piece)]++
			}
		}
	})
	return times
}

// While pieces are left that nobody was told of, no piece is shown to two
// peers, and no peer is shown more than it may be ahead of what it passes on;
// when others are seen to have all pieces, everybody is told of all.
func TestEachPieceIsShownToOnePeer(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	peers := []*peer{s.joinEmpty(1), s.joinEmpty(2), s.joinEmpty(3)}
	shows := map[uint32]int{}
	add := func() {
		for piece, n := range s.haveOrders() {
			shows[piece] += n
		}
	}
	sent := map[*peer]int{}
	for range 3 * superPieces {
		for i, p := range peers {
			s.now = s.now.Add(time.Second)
			s.reports(p, sent[p])
			s.superLook()
			add()
			if !s.super.active {
				break
			}
			for piece, n := range shows {
				if n > 1 {
					t.Fatalf("piece %d was shown to %d peers", piece, n)
				}
			}
			if n := len(p.super.shown); n > leastShown {
				t.Fatalf("a peer is shown %d pieces ahead of what it has passed on", n)
			}
			if len(p.super.shown) > 0 { // the next one gets it from p and says so
				sent[p]++
				s.peerHave(peers[(i+1)%3], []uint32{p.super.shown[0].piece})
			}
		}
	}
	add()
	if s.super.active {
		t.Fatalf("%d of %d pieces are seen, %d hidden, and there is no end", s.super.seen.Count(), superPieces, len(s.super.hidden))
	}
	for piece := range uint32(superPieces) {
		if n := shows[piece]; n != 2 { // to all but the one that was seen to have it
			t.Errorf("in the end piece %d was told %d times", piece, n)
		}
	}
}

// asks has p report of how many pieces that it was told of it has asked for.
func (s *swarm) asks(p *peer, pieces int) {
	s.peerRates(p, &messages.PeerRates{Key: p.Key, At: s.now, Asked: pieces, Flags: messages.PeerFlags{PeerInterested: true}})
}

// A peer that comes while nobody else is there is told of an eighth of the
// pieces by its bitfield, and one that comes later of none; each peer is asked
// to count what it is asked for while we super-seed.
func TestWhatAPeerIsToldOfWhenItComes(t *testing.T) {
	const pieces = 64
	for when, want := range map[messages.SuperSeeding][]int{
		messages.SuperSeedAuto:  {pieces / lonePart, 0},
		messages.SuperSeedNever: {pieces, pieces},
	} {
		s := seedOfPieces(pieces, when)
		for i, n := range want {
			s.joinEmpty(messages.PeerKey(i + 1))
			s.out.Flush(func(_ *actor.PID, m any) {
				if m, is := m.(*messages.StartSession); is && (int(m.Have.Count()) != n || m.SuperSeed != (when == messages.SuperSeedAuto)) {
					t.Errorf("%s: peer %d begins with %d pieces, counts: %v", when, i+1, m.Have.Count(), m.SuperSeed)
				}
			})
		}
	}
}

// A peer that is alone is told of twice as many pieces each time that it has
// asked for half of them; beside others it is told of one more once it has
// asked for all.
func TestWhoAsksIsToldOfMore(t *testing.T) {
	type step struct{ asked, told int }
	for _, when := range []messages.SuperSeeding{messages.SuperSeedAuto, messages.SuperSeedAlways} {
		for peers, steps := range map[int][]step{
			1: {{0, 2}, {1, 4}, {1, 4}, {2, 8}, {3, 8}, {4, 12}, {12, 12}},
			2: {{0, 2}, {1, 2}, {2, 3}, {2, 3}, {3, 4}, {4, 5}},
		} {
			s := seedOf(when)
			p := s.joinEmpty(1)
			for other := 1; other < peers; other++ {
				s.joinEmpty(messages.PeerKey(1 + other))
			}
			for i, step := range steps {
				s.asks(p, step.asked)
				if told := int(p.super.told.Count()); told != step.told {
					t.Errorf("%s, %d peers, step %d: told of %d pieces, want %d", when, peers, i, told, step.told)
				}
			}
		}
	}
}

// Beside others, a peer that we choke is told of one piece, and one that may
// download of some, and of more the faster it does; one that wants none of them
// is told of twice as many after a while.
func TestHowManyPiecesAPeerIsToldOf(t *testing.T) {
	interested, choked := messages.PeerFlags{PeerInterested: true}, messages.PeerFlags{AmChoking: true}
	for name, c := range map[string]struct {
		rates messages.PeerRates
		want  int
		later int // when showAgain is over
	}{
		"choked":     {messages.PeerRates{Flags: choked}, 1, 2},
		"interested": {messages.PeerRates{Flags: interested}, leastShown, leastShown},
		"not":        {messages.PeerRates{}, leastShown, 2 * leastShown},
		"fast":       {messages.PeerRates{Flags: interested, UpNow: 4 << 18}, leastShown + 6, leastShown + 6},
	} {
		s := seedOf(messages.SuperSeedAlways)
		s.joinEmpty(1)
		p := s.joinEmpty(2)
		for i, want := range []int{c.want, c.later} {
			s.now = s.now.Add(time.Duration(i) * (showAgain + 1))
			c.rates.At = s.now
			s.peerRates(p, &c.rates)
			if told := int(p.super.told.Count()); told != want {
				t.Errorf("%s, look %d: told of %d pieces, want %d", name, i, told, want)
			}
		}
	}
}

// A peer that is alone is told of what it takes, although it never says that it
// has something or asks ahead.
func TestALonePeerIsNotKeptWaiting(t *testing.T) {
	s := seedOf(messages.SuperSeedAuto)
	p := s.joinEmpty(1)
	for sent := range superPieces + 1 {
		s.now = s.now.Add(time.Second)
		s.reports(p, sent)
		if told := int(p.super.told.Count()); told < min(sent+leastShown, superPieces) {
			t.Fatalf("with %d pieces sent it was told of %d", sent, told)
		}
	}
	late := s.joinEmpty(2)
	if s.now = s.now.Add(time.Hour); !s.needsData(late) {
		t.Error("the second one is taken to want nothing though it was told of nothing yet")
	}
}

// A peer that asks for a part of every piece and takes none leaves others
// waiting for no longer than a piece may be awaited.
func TestWhoAsksForEverythingKeepsNothing(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	greedy, late := s.joinEmpty(1), s.joinEmpty(2)
	for asked := range superPieces {
		s.asks(greedy, asked)
	}
	if len(s.super.hidden) > 0 {
		t.Fatalf("%d pieces are hidden yet", len(s.super.hidden))
	}
	s.now = s.now.Add(showAgain)
	s.peerRates(late, &messages.PeerRates{Key: late.Key, At: s.now, Flags: messages.PeerFlags{AmChoking: true}})
	if told := int(late.super.told.Count()); told != 0 {
		t.Errorf("another peer, which may not download, was told of %d pieces", told)
	}
	s.asks(late, 0)
	if told := int(late.super.told.Count()); told < leastShown {
		t.Errorf("the other peer was told of %d pieces", told)
	}
	s.leave(greedy)
	if hidden, shown := len(s.super.hidden), len(late.super.shown); hidden+shown != superPieces {
		t.Errorf("%d pieces are hidden and %d shown, of %d", hidden, shown, superPieces)
	}
}

// A piece is shown to another peer at once if the one that it was shown to is
// choked, and else when that has not fetched it for showAgain; or, if it was
// sent, when nobody has announced it for showSent.
func TestWhenAPieceIsShownToAnother(t *testing.T) {
	const sent = 3
	for _, c := range []struct {
		after  time.Duration
		choked bool
		want   int
	}{
		{0, false, 0},
		{0, true, superPieces - sent},
		{showAgain - 1, false, 0},
		{showAgain, false, superPieces - sent},
		{showSent - 1, true, superPieces - sent},
		{showSent, false, superPieces},
	} {
		s := seedOf(messages.SuperSeedAlways)
		first, other := s.joinEmpty(1), s.joinEmpty(2)
		for asked := range superPieces {
			s.asks(first, asked)
		}
		s.peerRates(first, &messages.PeerRates{Key: 1, At: s.now, UpTotal: sent << 18, Flags: messages.PeerFlags{AmChoking: c.choked}})
		s.now = s.now.Add(c.after)
		if n := len(s.overdue(nil, superPieces, other)); n != c.want {
			t.Errorf("after %v, choked %v: %d pieces may be shown to another, want %d", c.after, c.choked, n, c.want)
		}
	}
}

// A peer that has been shown every piece, downloads something now and then and
// announces nothing does not keep a choked peer waiting that comes later, nor
// one for which the pieces are missing that the first claims to have.
func TestOnePeerCannotKeepOthersWaiting(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	hog, late := s.joinEmpty(1), s.joinEmpty(2)
	s.peerHave(hog, []uint32{0, 1, 2})
	sent := 10 * superPieces
	s.reports(hog, sent)
	if len(s.super.hidden) > 0 {
		t.Fatalf("%d pieces are hidden yet", len(s.super.hidden))
	}
	for range superWait/time.Second + 1 {
		s.now = s.now.Add(time.Second)
		sent++
		s.reports(hog, sent)
		s.peerRates(late, &messages.PeerRates{Key: late.Key, At: s.now, Flags: messages.PeerFlags{AmChoking: true}})
		s.superLook()
	}
	if !s.super.active || late.super.told != nil {
		t.Errorf("active %v; who came late was told of %v", s.super.active, late.super.told)
	}
}

// A peer that never wants anything is told of everything in the end, and what
// it alone was shown is for others again.
func TestPiecesShownToOneWhoWantsNothingAreHiddenAgain(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	idle, busy := s.joinEmpty(1), s.joinEmpty(2)
	for sent := 0; s.now.Sub(epoch) <= superWait+time.Second; sent++ {
		s.now = s.now.Add(time.Second)
		s.peerRates(busy, &messages.PeerRates{Key: busy.Key, At: s.now, UpTotal: int64(sent), Flags: messages.PeerFlags{PeerInterested: true, AmChoking: true}})
		s.superLook()
	}
	if idle.super.told != nil || busy.super.told == nil || !s.super.active {
		t.Errorf("told %v and %v, active %v", idle.super.told, busy.super.told, s.super.active)
	}
	if hidden, shown := len(s.super.hidden), len(busy.super.shown); hidden+shown != superPieces {
		t.Errorf("%d pieces are hidden and %d shown, of %d", hidden, shown, superPieces)
	}
}

// What a peer was shown that has left is shown to another.
func TestShownPiecesOfAPeerThatLeftComeAgain(t *testing.T) {
	s := seedOf(messages.SuperSeedAlways)
	p, q := s.joinEmpty(1), s.joinEmpty(2)
	s.reports(p, 0)
	was := p.super.shown[0].piece
	hidden := len(s.super.hidden)
	s.leave(p)
	if len(s.super.hidden) != hidden+leastShown {
		t.Errorf("%d pieces are hidden, %d were", len(s.super.hidden), hidden)
	}
	for sent := range superPieces {
		s.reports(q, sent)
	}
	if !q.super.told.Test(uint(was)) {
		t.Errorf("piece %d is lost", was)
	}
}

// A peer that may super-seed hears that the piece that it sent has arrived; a
// seed that has told us of everything does not.
func TestTheSourceOfAPieceHearsOfIt(t *testing.T) {
	for pieces, want := range map[int]int{2: 1, 4: 0} {
		s := openSwarm(geometryOf(4, BlockSize, BlockSize), "sequential", 1)
		have := bitset.New(4)
		for piece := range uint(pieces) {
			have.Set(piece)
		}
		p := s.joinTest(1, have)
		s.peerChoking(p, &messages.PeerChoking{Key: 1, Window: 4})
		s.haveOrders()
		s.blocksArrived(p, &messages.BlocksArrived{Key: 1, Blocks: []messages.Block{{Piece: 0, Length: BlockSize}}, Window: 4})
		s.pieceVerified(0)
		if n := s.haveOrders()[0]; n != want {
			t.Errorf("to a peer with %d of 4 pieces %d haves", pieces, n)
		}
	}
}

// A peer hears with its session that we want no more, but not of a super-seed.
func TestSessionsBeginWithWhatWeWant(t *testing.T) {
	for when, want := range map[messages.SuperSeeding]bool{messages.SuperSeedNever: true, messages.SuperSeedAlways: false} {
		s := newSwarm(geometryOf(4, BlockSize, BlockSize), nil, testMemory, rarest{}, seeded(1))
		s.super.when = when
		s.storeReady(&messages.StoreReady{Have: bitsOf(4, 0, 1, 2, 3), Complete: true})
		if s.uploadOnly() != want {
			t.Errorf("super-seeding %v: wants no more %v", when, s.uploadOnly())
		}
		s.endSuperSeeding()
		if !s.uploadOnly() {
			t.Errorf("super-seeding %v: more is wanted after the end", when)
		}
	}
}
