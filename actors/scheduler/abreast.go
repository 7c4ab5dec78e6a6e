package scheduler

import "kouzui/actors/world"

// abreast has a fast peer bring several large pieces in turn, a run of each at
// a time. Alone, a large piece would be hashed alone, which costs two to three
// times as much as hashing runs of several pieces side by side.
type abreast struct {
	most int // pieces to be hashed side by side; 0: pieces are not large
	run  int // blocks of a large piece that are hashed and written at a time
	turn int // how often the next run of a piece was chosen
}

// abreastTime is in how many seconds, at a peer's speed, all pieces have come
// that it brings abreast: that much may be lost if we are killed, and by that
// much later do others get the first of them. A slow peer brings one at a time.
const abreastTime = 0.5

// setPlan says how the store hashes pieces.
func (b *abreast) setPlan(plan world.HashPlan) {
	b.most = 0
	if plan.Run > 0 && plan.Together > 1 {
		b.most, b.run = plan.Together, int(plan.Run/BlockSize)
	}
}

// abreastOf is how many pieces p brings in turn, 1 if it brings one after the
// other. A web seed does: each run of another piece would be a request.
func (s *planner) abreastOf(p *peer) int {
	if s.abreast.most == 0 || p.isWebSeed() || p.snubbed || p.silent(s.now) {
		return 1
	}
	return max(1, min(s.abreast.most, int(p.speed.recent.PerSecond()*abreastTime)/int(s.pieceLength)))
}

// chooseAbreast returns the piece of whose next run p is asked for blocks, nil
// if p does not bring pieces abreast. It is a new piece, if p does not bring as
// many as it may, or the piece of p whose turn was the longest time ago. How
// many are begun so is bounded over all peers, since the memory holds a part of
// a run of each that has free blocks.
func (s *planner) chooseAbreast(p *peer) *active {
	most := s.abreastOf(p)
	if most == 1 {
		return nil
	}
	if a := s.continued(p); a != nil && a.lo%s.abreast.run != 0 {
		return a
	}
	var next *active
	n := 0
	for _, a := range s.ledger.partial {
		if a.leftTo() != p || !p.has(a.piece) {
			continue
		}
		if n++; next == nil || a.turn < next.turn {
			next = a
		}
	}
	bound := s.abreast.most
	if n == 0 {
		bound *= 2 // so that none is left without one
	}
	if n < most && len(s.ledger.partial) < bound {
		if a := s.begin(p); a != nil {
			next = a
		}
	}
	if next != nil {
		s.abreast.turn++
		next.turn, p.own = s.abreast.turn, next
	}
	return next
}

// runLeft is how many blocks follow in the run of a from which the next one is
// asked for.
func (b *abreast) runLeft(a *active) int { return b.run - a.lo%b.run }
