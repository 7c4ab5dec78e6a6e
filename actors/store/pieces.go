package store

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

// storeBlocks takes blocks in; whole pieces go to the workers. While somebody
// waits for a Flush nothing more is taken in, so that it has an end; and nothing
// ever where data must be complete, as it may be the user who has changed it.
func (s *store) storeBlocks(m *messages.StoreBlocks) {
	for _, b := range m.Blocks {
		if s.phase != ready || s.MustExist || len(s.flushes) > 0 {
			b.Data.Release()
			continue
		}
		if p := s.assembly.add(m.Key, b); p != nil {
			s.queuePiece(p)
		}
	}
}

func (s *store) queuePiece(p *partial) {
	j := s.newJob(taskPiece, p.piece)
	j.part = p
	j.blocks = append(j.blocks, p.blocks...)
	j.startFrom(p.hashed)
	j.want = s.blame.suspected(p.piece)
	s.jobs = append(s.jobs, j)
	s.gather.whole(s.World.Clock.Now())
}

// spill makes room: half of the memory may lie in unfinished pieces, the other
// half is for what is on its way, without which none of them would be finished.
// Long runs of large pieces go at once.
func (s *store) spill() {
	if s.phase != ready {
		return
	}
	for len(s.assembly.long) > 0 && s.queueSpill(s.assembly.nextLong) {
	}
	if s.assembly.memory <= s.memory/2 {
		return
	}
	for s.assembly.memory > s.memory*3/8 && s.queueSpill(s.assembly.spill) {
	}
}

func (s *store) queueSpill(from func([]held) (*partial, []held)) bool {
	j := s.newJob(taskSpill, 0)
	if j.part, j.blocks = from(j.blocks); j.part == nil {
		s.spare = append(s.spare, j)
		return false
	}
	j.piece = j.part.piece
	j.startFrom(j.part.hashed)
	s.jobs = append(s.jobs, j)
	return true
}

// dropPiece lets go what has come of a piece, as soon as none of it is on its way
// to the disk, where it would come to lie over what comes later.
func (s *store) dropPiece(c actor.Context, piece uint32) {
	if s.phase == ready && s.assembly.forget(int(piece)) {
		c.Send(s.Refs.Scheduler, &messages.PieceDropped{Piece: piece})
	}
}

func (s *store) spilled(c actor.Context, j *job) {
	if j.part.dropped {
		s.assembly.spilled(j.part, j.blocks, j.prefix)
		s.dropPiece(c, uint32(j.piece))
		return
	}
	c.Send(s.Refs.Scheduler, &messages.BlocksSpilled{Piece: uint32(j.piece), Blocks: len(j.blocks)})
	if p := s.assembly.spilled(j.part, j.blocks, j.prefix); p != nil {
		s.queuePiece(p)
	}
}

// verified: the piece is right and written.
func (s *store) verified(c actor.Context, j *job) {
	s.have.Set(uint(j.piece))
	s.lacking--
	s.unsaved = true
	s.tellBoth(c, &messages.PieceVerified{Piece: uint32(j.piece), At: s.World.Clock.Now()})
	if s.blame.suspected(j.piece) {
		if guilty := s.blame.settle(j.piece, j.blocks, j.sums); len(guilty) > 0 {
			c.Send(s.Refs.Scheduler, &messages.BlameProven{Piece: uint32(j.piece), Peers: guilty})
		}
	}
	s.assembly.drop(j.part)
}

func (s *store) corrupt(c actor.Context, j *job) {
	s.blame.record(j.piece, j.blocks, j.sums)
	c.Send(s.Refs.Scheduler, &messages.PieceCorrupt{Piece: uint32(j.piece), Contributors: j.part.contributors()})
	s.assembly.restart(j.part)
}

// markDirty notes which files a job has written to.
func (s *store) markDirty(j *job) { s.mark(s.dirty, j.piece) }

// mark sets the files that a piece is in.
func (s *store) mark(files *bitset.BitSet, piece int) {
	size := s.Torrent.PieceSize(piece)
	s.spans = s.Torrent.AppendSpans(s.spans[:0], int64(piece)*s.Torrent.PieceLength, size)
	for _, span := range s.spans {
		if !s.Torrent.Files[span.File].Padding {
			files.Set(uint(span.File))
		}
	}
}

// leasePieces says what may be served and where it is: whoever sends it reads it.
func (s *store) leasePieces(c actor.Context, m *messages.QueryServable) {
	answer := &messages.PiecesServable{Link: m.Link, Pieces: m.Pieces, Source: s.source}
	for _, piece := range m.Pieces {
		known := slices.ContainsFunc(answer.Runs, func(r messages.PieceRun) bool { return r.Holds(piece) })
		if s.phase == ready && !known && s.have.Test(uint(piece)) {
			answer.Runs = append(answer.Runs, s.runAround(uint(piece)))
		}
	}
	c.Send(m.ReplyTo, answer)
}

// runAround is the longest run of verified pieces that piece is in.
func (s *store) runAround(piece uint) messages.PieceRun {
	run := messages.PieceRun{To: uint32(s.Torrent.PieceCount())}
	if before, ok := s.have.PreviousClear(piece); ok {
		run.From = uint32(before + 1)
	}
	if after, ok := s.have.NextClear(piece); ok {
		run.To = uint32(after)
	}
	return run
}
