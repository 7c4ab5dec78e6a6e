package scheduler

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

const (
	// A peer that we let download is always told of leastShown pieces, and of
	// as many more as it takes in showAhead, that we have not sent yet: it should
	// never wait for us. Its own word that it has a piece may come seconds later,
	// behind what it uploads.
	leastShown = 2
	showAhead  = 1.5 // seconds
	// A peer that has asked for all that it was told of is told of showMore: on a
	// fast line it asks for hundreds before it is known what was sent.
	showMore = 1
	// A peer that is alone has nobody to pass a piece on to, and may stay alone.
	// It is told of one of lonePart pieces when it comes, and of as many as it
	// knows once it has asked for half of those: with an eighth, none runs dry
	// while an acknowledgement is delayed.
	lonePart = 8
	// fastProof is after how many bytes to a peer its rate shows whether all of
	// the content can be uploaded within superWorth: more than a socket takes at
	// once.
	fastProof = 4 << 20
	// superWorth is within how many seconds a seed must be able to upload all of
	// the content for super-seeding to end: then copies cost nothing.
	superWorth = 10.0
	// showAgain is after how long a piece that no peer has got yet may be shown to
	// another one, and a peer that wants none of what it was shown is shown more.
	// One that was sent to a peer is shown to another after showSent: the word
	// that it has arrived may be late.
	showAgain = 10 * time.Second
	showSent  = 30 * time.Second
	// superStall is for how long nothing may be uploaded in super-seeding until it
	// ends: whatever the peers wait for, they are not to wait for us.
	superStall = 10 * time.Second
	// superWait is for how long a peer may be interested in nothing of ours until
	// it is told of everything: another may have been shown all pieces, download
	// slowly and announce nothing, or claim pieces that it lacks.
	superWait = 30 * time.Second
)

// superSeed is how a seed that nobody else helps gets one copy of each piece
// out with the least upload (BEP 16). It tells peers of no piece at first, and
// then each peer of pieces that no other peer was told of, so that no two begin
// the same one. It ends when every piece was seen at some other peer: then all
// are told of everything.
type superSeed struct {
	when   messages.SuperSeeding
	active bool
	hidden []uint32       // pieces of which no peer was told, in random order; some may be seen by now
	seen   *bitset.BitSet // pieces that another peer has or had
	moved  time.Time      // when payload was last uploaded, or a piece seen
	busy   *bitset.BitSet // scratch of overdue and superLeft
}

// shown is a piece that a peer was told of and that nobody is known to have
// yet. Many clients do not announce a piece to the peer that they know it from,
// so it is mostly another peer that shows that the piece has arrived.
type shown struct {
	piece uint32
	at    time.Time
}

// superPeer is what super-seeding has to know of a peer.
type superPeer struct {
	told  *bitset.BitSet // pieces that it was told of; nil: all, or no super-seeding
	shown []shown
	eager time.Time // when it was last interested in us; at first, when it came
}

// beginSuperSeeding is called when the store has told what is there.
func (s *swarm) beginSuperSeeding(rng *rand.Rand) {
	if s.super.when == messages.SuperSeedNever || s.owned < s.pieces {
		return
	}
	u := &s.super
	u.active, u.moved = true, s.now
	u.seen, u.busy = bitset.New(uint(s.pieces)), bitset.New(uint(s.pieces))
	for _, piece := range rng.Perm(s.pieces) {
		u.hidden = append(u.hidden, uint32(piece))
	}
}

// greets returns what a peer is told of by its bitfield: nothing while we
// super-seed, unless it is alone.
func (s *swarm) greets(p *peer) *bitset.BitSet {
	if !s.super.active {
		return s.have.Clone()
	}
	p.super = superPeer{told: bitset.New(uint(s.pieces)), eager: s.now}
	if len(s.peers) == 1 {
		s.reveal(p, s.unhide(max(leastShown, s.pieces/lonePart)))
	}
	return p.super.told.Clone()
}

// reveal records that p is told of pieces.
func (s *swarm) reveal(p *peer, pieces []uint32) {
	for _, piece := range pieces {
		p.super.shown = append(p.super.shown, shown{piece, s.now})
		p.super.told.Set(uint(piece))
	}
}

// superSaw notes which pieces p has, and shows it others.
func (s *swarm) superSaw(p *peer) {
	u := &s.super
	if !u.active {
		return
	}
	before := u.seen.Count()
	u.seen.InPlaceUnion(p.have)
	seen := u.seen.Count()
	if seen > before {
		u.moved = s.now
	}
	if int(seen) == s.pieces {
		s.endSuperSeeding()
		return
	}
	s.show(p)
}

// keepsFrom says that p lacks a piece that it was not told of.
func (s *swarm) keepsFrom(p *peer) bool {
	return p.super.told != nil && int(p.super.told.UnionCardinality(p.have)) < s.pieces
}

// superSent shows p what it may be shown by what we have sent it, or ends
// super-seeding if p alone shows that we are fast.
func (s *swarm) superSent(p *peer) {
	if s.super.active && s.super.when != messages.SuperSeedAlways && s.fastPeer(p) {
		s.endSuperSeeding()
		return
	}
	s.show(p)
}

// superLook shows peers what they may be shown by now, and ends super-seeding
// when it does not get on.
func (s *swarm) superLook() {
	if !s.super.active || len(s.peers) == 0 {
		return
	}
	if s.now.Sub(s.super.moved) > superStall || s.super.when != messages.SuperSeedAlways && s.fastSeed() {
		s.endSuperSeeding()
		return
	}
	for _, p := range s.peers {
		s.show(p)
	}
}

// superLeft hides again what was shown to p alone, which is shown nothing any
// more. It looks at each piece that is shown to somebody only once, see
// overdue.
func (s *swarm) superLeft(p *peer) {
	left := p.super.shown
	p.super = superPeer{}
	if len(left) == 0 {
		return
	}
	u := &s.super
	u.busy.ClearAll()
	for _, q := range s.peers {
		for _, one := range q.super.shown {
			u.busy.Set(uint(one.piece))
		}
	}
	for _, one := range left {
		if !u.busy.Test(uint(one.piece)) {
			u.hidden = append(u.hidden, one.piece)
		}
	}
}

// fastSeed says that all of the content could be uploaded in superWorth.
func (s *swarm) fastSeed() bool {
	sum := 0.0
	for _, p := range s.peers {
		_, up := p.ratesNow(s.now)
		sum += up
	}
	return sum*superWorth > float64(s.length)
}

// fastPeer says that all of the content could be uploaded to p alone in
// superWorth, by what p has taken since it came.
func (s *swarm) fastPeer(p *peer) bool {
	sent := p.rates.UpTotal
	return sent >= fastProof && float64(sent)*superWorth > float64(s.length)*s.now.Sub(p.At).Seconds()
}

// show tells p of as many pieces as it may be told of now.
func (s *swarm) show(p *peer) {
	switch {
	case p.super.told == nil:
		return
	case p.rates.Flags.PeerInterested:
		p.super.eager = s.now
	case s.now.Sub(p.super.eager) > superWait:
		s.tellAll(p)
		return
	}
	p.super.shown = slices.DeleteFunc(p.super.shown, func(one shown) bool { return s.super.seen.Test(uint(one.piece)) })
	n := s.mayShow(p) - len(p.super.shown)
	pieces := s.unhide(n)
	if len(pieces) < n && !p.rates.Flags.AmChoking {
		pieces = s.overdue(pieces, n, p)
	}
	s.reveal(p, pieces)
	if len(pieces) > 0 {
		s.offer(p, &messages.AnnounceHave{Pieces: pieces})
	}
}

// mayShow is how many pieces that it lacks p may have been told of. A peer that
// we choke needs one to be interested in us.
func (s *swarm) mayShow(p *peer) int {
	n, flags := len(p.super.shown), p.rates.Flags
	switch {
	case n > 0 && !flags.PeerInterested && s.now.Sub(p.super.shown[n-1].at) > showAgain:
		return 2 * n
	case flags.AmChoking || p.rates.At.IsZero():
		return 1
	}
	_, up := p.ratesNow(s.now)
	ahead := leastShown + s.sentShown(p) + int(showAhead*up/float64(s.pieceLength))
	switch told, asked := int(p.super.told.Count()), p.rates.Asked; {
	case len(s.peers) == 1 && told <= 2*asked:
		return max(ahead, n+told)
	case told <= asked:
		return max(ahead, n+showMore)
	default:
		return ahead
	}
}

// unhide returns up to n pieces that no peer was told of.
func (s *swarm) unhide(n int) (pieces []uint32) {
	u := &s.super
	for len(u.hidden) > 0 && len(pieces) < n {
		last := len(u.hidden) - 1
		if piece := u.hidden[last]; !u.seen.Test(uint(piece)) {
			pieces = append(pieces, piece)
		}
		u.hidden = u.hidden[:last]
	}
	return pieces
}

// overdue adds pieces for p, until they are n: those that only peers were told
// of that we choke, or that have been awaited for long. It looks at each piece
// that is shown to somebody only twice: a peer can have us show it thousands.
func (s *swarm) overdue(pieces []uint32, n int, p *peer) []uint32 {
	u := &s.super
	u.busy.ClearAll()
	for _, q := range s.peers {
		sent := s.sentShown(q)
		for i, one := range q.super.shown {
			if s.awaited(q, one, i < sent) {
				u.busy.Set(uint(one.piece))
			}
		}
	}
	for _, q := range s.peers {
		for _, one := range q.super.shown {
			piece := uint(one.piece)
			if len(pieces) == n {
				return pieces
			}
			if !u.seen.Test(piece) && !p.super.told.Test(piece) && !u.busy.Test(piece) {
				u.busy.Set(piece)
				pieces = append(pieces, one.piece)
			}
		}
	}
	return pieces
}

// awaited says that q, which was shown a piece, is expected to have it from us
// soon, or to announce that it has it, if it was sent.
func (s *swarm) awaited(q *peer, one shown, sent bool) bool {
	switch since := s.now.Sub(one.at); {
	case sent:
		return since < showSent
	case q.rates.Flags.AmChoking:
		return false
	default:
		return since < showAgain
	}
}

// sentShown is about how many of the pieces that p is shown we have sent it.
func (s *swarm) sentShown(p *peer) int {
	seen := int(p.super.told.Count()) - len(p.super.shown)
	return max(0, int(p.rates.UpTotal/s.pieceLength)-seen)
}

// endSuperSeeding tells all peers of all pieces.
func (s *swarm) endSuperSeeding() {
	s.super = superSeed{when: s.super.when}
	for _, p := range s.peers {
		if p.super.told != nil {
			s.tellRest(p)
			p.super = superPeer{}
		}
	}
}

// tellAll ends super-seeding for p alone.
func (s *swarm) tellAll(p *peer) {
	s.tellRest(p)
	s.superLeft(p)
}

// tellRest tells p of the pieces that it lacks and was not told of.
func (s *swarm) tellRest(p *peer) {
	var pieces []uint32
	for piece := range uint32(s.pieces) {
		if !p.has(piece) && !p.super.told.Test(uint(piece)) {
			pieces = append(pieces, piece)
		}
	}
	if len(pieces) > 0 {
		s.offer(p, &messages.AnnounceHave{Pieces: pieces})
	}
}
