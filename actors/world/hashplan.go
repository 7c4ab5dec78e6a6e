package world

import (
	"cmp"

	"kouzui/wire/buffer"
	"kouzui/wire/digest"
)

// HashPlan says how the pieces of a torrent are hashed side by side. The store
// hashes by it, and the scheduler asks for blocks by it.
type HashPlan struct {
	// Together is how many pieces are hashed side by side, 1 if that is not faster
	// than one after the other.
	Together int
	// Run is how many bytes of a piece are hashed and written at a time before the
	// rest of the piece has arrived; 0: a piece is hashed when it is whole.
	Run int64
}

const (
	// longRun is a run of a large piece, and half of the length from which a piece
	// is large: whole, it would fill the memory.
	longRun = 1 << 20
	// runShare: when runs of several pieces are hashed side by side, one run has
	// 1/runShare of the memory, so that as many as there are lanes fill a quarter.
	// Another quarter may be in the hands of hash workers, and half is for blocks
	// that are under way.
	runShare = 32
)

// SideBySide tells whether there is a number of pieces that are hashed faster
// side by side.
func (m Machine) SideBySide() bool { return m.least() <= digest.Lanes }

func (m Machine) least() int { return cmp.Or(m.Together, digest.Least()) }

// PlanHashing returns the plan for pieces of a length, if there may be so much
// payload in memory (both in bytes).
func (m Machine) PlanHashing(memory, pieceLength int64) HashPlan {
	if n := int(min(memory*5/8/pieceLength, digest.Lanes)); n >= m.least() {
		return HashPlan{Together: n}
	}
	switch {
	case pieceLength <= 2*longRun:
		return HashPlan{Together: 1}
	case !m.SideBySide():
		return HashPlan{Together: 1, Run: longRun}
	}
	run := min(memory/runShare, longRun) / buffer.Size * buffer.Size
	return HashPlan{Together: digest.Lanes, Run: max(run, buffer.Size)}
}
