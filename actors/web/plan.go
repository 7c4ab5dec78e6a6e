package web

import (
	"cmp"
	"slices"

	"kouzui/messages"
)

// plan is the blocks that the scheduler wants and that the server has not been
// asked for, in the order in which they were wanted.
type plan struct {
	pieceLength int64
	waiting     []messages.Block
}

func (p *plan) add(blocks []messages.Block) { p.waiting = append(p.waiting, blocks...) }

func (p *plan) remove(blocks []messages.Block) {
	p.waiting = slices.DeleteFunc(p.waiting, func(b messages.Block) bool { return slices.Contains(blocks, b) })
}

// start is where a block begins in the content.
func (p *plan) start(b messages.Block) int64 { return int64(b.Piece)*p.pieceLength + int64(b.Begin) }

// next takes out a run: blocks of which each begins in the content where the
// one before ends, and that has the block that has waited longest. A run has at
// most most blocks; of a run of more bytes than allowed the end is left out.
func (p *plan) next(most, allowed int) []messages.Block {
	if len(p.waiting) == 0 || most <= 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(p.waiting), func(a, b messages.Block) int { return cmp.Compare(p.start(a), p.start(b)) })
	first := slices.Index(sorted, p.waiting[0])
	end := first + 1
	for first > 0 && end-first < most && p.follows(sorted[first-1], sorted[first]) {
		first--
	}
	for end < len(sorted) && end-first < most && p.follows(sorted[end-1], sorted[end]) {
		end++
	}
	run := sorted[first:end]
	for n := range run {
		if allowed -= int(run[n].Length); allowed < 0 {
			run = run[:n]
			break
		}
	}
	if len(run) == 0 {
		return nil
	}
	from, to := p.start(run[0]), p.start(run[len(run)-1])
	p.waiting = slices.DeleteFunc(p.waiting, func(b messages.Block) bool { at := p.start(b); return at >= from && at <= to })
	return run
}

func (p *plan) follows(a, b messages.Block) bool { return p.start(a)+int64(a.Length) == p.start(b) }

func lengthOf(blocks []messages.Block) (bytes int) {
	for _, b := range blocks {
		bytes += int(b.Length)
	}
	return bytes
}
