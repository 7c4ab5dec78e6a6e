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
	// maxRun is how long a run is at most: longer ones make nothing cheaper. Where
	// nothing is hashed side by side all runs are so long, of pieces that are more
	// than twice as long.
	maxRun = 1 << 20
	// minRun is how long a run is at least: each costs a system call and some
	// messages.
	minRun = 128 << 10
	// runShare: a run has 1/runShare of the memory at most, so that as many as
	// there are lanes fill a third. Another third may be in the hands of hash
	// workers, and the rest is for blocks that are under way.
	runShare = 24
)

// SideBySide tells whether there is a number of pieces that are hashed faster
// side by side.
func (m Machine) SideBySide() bool { return m.least() <= digest.Lanes }

// OneByOne is m if hashing side by side never paid there.
func (m Machine) OneByOne() Machine {
	m.Together = digest.Lanes + 1
	return m
}

func (m Machine) least() int { return cmp.Or(m.Together, digest.Least()) }

// PlanHashing returns the plan for pieces of a length, if there may be so much
// payload in memory (both in bytes). Pieces of which several would fill much of
// the memory are hashed in runs. These need not come quickly to be hashed side
// by side, as it costs nothing to leave a run unhashed for a while.
func (m Machine) PlanHashing(memory, pieceLength int64) HashPlan {
	most := min(memory/runShare, maxRun)
	if m.SideBySide() && most >= minRun && pieceLength > most {
		parts := (pieceLength + most - 1) / most
		blocks := (pieceLength/parts + buffer.Size - 1) / buffer.Size
		return HashPlan{Together: digest.Lanes, Run: blocks * buffer.Size}
	}
	if n := int(min(memory*5/8/pieceLength, digest.Lanes)); n >= m.least() {
		return HashPlan{Together: n}
	}
	if pieceLength > 2*maxRun {
		return HashPlan{Together: 1, Run: maxRun}
	}
	return HashPlan{Together: 1}
}
