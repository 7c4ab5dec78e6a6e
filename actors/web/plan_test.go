package web

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/buffer"
)

// Runs are whole, within their bounds, and take each block once; the block that
// has waited longest is in the next one.
func TestRunsOfBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const pieceLength = 40_000 // whose last block is short
		var all []messages.Block
		for piece := range uint32(6) {
			for begin := uint32(0); begin < pieceLength; begin += buffer.Size {
				all = append(all, messages.Block{Piece: piece, Begin: begin, Length: min(buffer.Size, pieceLength-begin)})
			}
		}
		p := plan{pieceLength: pieceLength}
		p.add(rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID).Draw(t, "wanted"))
		for left := slices.Clone(p.waiting); len(left) > 0; {
			most := rapid.IntRange(1, 8).Draw(t, "most")
			run := p.next(most, 1<<40)
			if len(run) == 0 || len(run) > most || !slices.Contains(run, left[0]) {
				t.Fatalf("a run of %v, of at most %d, with %v", run, most, left[0])
			}
			for i, b := range run {
				if i > 0 && !p.follows(run[i-1], b) || !slices.Contains(left, b) {
					t.Fatalf("%v in %v", b, run)
				}
			}
			left = slices.DeleteFunc(left, func(b messages.Block) bool { return slices.Contains(run, b) })
			if !slices.Equal(left, p.waiting) {
				t.Fatalf("%v wait, want %v", p.waiting, left)
			}
		}
	})
}

func TestRunsAreBoundedByTokens(t *testing.T) {
	p := plan{pieceLength: 64 * kib}
	p.add([]messages.Block{{Piece: 0, Begin: 0, Length: 16 * kib}, {Piece: 0, Begin: 16 * kib, Length: 16 * kib}, {Piece: 0, Begin: 32 * kib, Length: 16 * kib}})
	if run := p.next(8, 15*kib); run != nil || len(p.waiting) != 3 {
		t.Errorf("%v without tokens for it", run)
	}
	if run := p.next(8, 40*kib); len(run) != 2 || len(p.waiting) != 1 {
		t.Errorf("%v, and %v wait", run, p.waiting)
	}
}

// A server that is fast is asked for long runs, one that is slow for short
// ones.
func TestHowLongRunsAre(t *testing.T) {
	s := newScene(t, torrentOf(t, 64*kib, 256*kib), messages.SetLimits{})
	p := newPace()
	for range 10 {
		p.begins(s.now)
		p.ended(p.run, s.now.Add(runTime/2))
	}
	if p.run != maxRun {
		t.Errorf("%d blocks, want %d", p.run, maxRun)
	}
	p.begins(s.now)
	if p.ended(p.run, s.now.Add(slowFactor*runTime+1)); p.run != maxRun/2 {
		t.Errorf("%d blocks, want %d", p.run, maxRun/2)
	}
	p = newPace()
	p.begins(s.now)
	if p.ended(1, s.now); p.run != minRun {
		t.Errorf("%d blocks after a run of one", p.run)
	}
}
