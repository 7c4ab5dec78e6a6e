package store

import (
	"slices"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/hasher"
	"kouzui/messages"
)

// storeBlocks takes blocks, and has whole pieces verified. It takes none while
// a Flush is pending, which would otherwise never end. It never takes any if
// the data has to exist (a seed): data that is wrong there may have been
// changed by the user, and must not be overwritten.
func (s *core) storeBlocks(m *messages.StoreBlocks, now time.Time) {
	for _, b := range m.Blocks {
		if s.phase != ready || s.MustExist || len(s.flushes) > 0 {
			b.Data.Release()
			continue
		}
		if p := s.assembly.Add(m.Key, b); p != nil {
			s.verify(p, now)
		}
	}
}

func (s *core) verify(p *assembly.Piece, now time.Time) {
	s.queue.Verify(p, s.blame.Suspected(p.Index), now)
}

// spill makes room in memory by writing blocks of unfinished pieces to disk.
// Unfinished pieces may hold half of the memory; the other half is for blocks
// that are requested, without which no piece would be finished. Long runs of
// blocks of large pieces are written at once.
func (s *core) spill() {
	if s.phase != ready {
		return
	}
	for s.assembly.Long() && s.queue.Spill(s.assembly.SpillRun) {
	}
	if s.assembly.Memory <= s.memory/2 {
		return
	}
	for s.assembly.Memory > s.memory*3/8 && s.queue.Spill(s.assembly.Spill) {
	}
}

// dropPiece discards the blocks of a piece. If some are being written to disk,
// it waits for that: else they might overwrite blocks that arrive later.
func (s *core) dropPiece(piece uint32) {
	if s.phase == ready && s.assembly.Forget(int(piece)) {
		s.out.Send(s.Refs.Scheduler, &messages.PieceDropped{Piece: piece})
	}
}

func (s *core) spilled(j *hasher.Job, now time.Time) {
	if j.Piece.Dropped {
		index := uint32(j.Piece.Index)
		s.assembly.Spilled(j.Piece, j.Blocks, j.Hashed)
		s.dropPiece(index)
		return
	}
	s.out.Send(s.Refs.Scheduler, &messages.BlocksSpilled{Piece: uint32(j.Piece.Index), Blocks: len(j.Blocks)})
	if p := s.assembly.Spilled(j.Piece, j.Blocks, j.Hashed); p != nil {
		s.verify(p, now)
	}
}

// verified: the piece is right and written.
func (s *core) verified(j *hasher.Job, now time.Time) {
	piece := j.Piece.Index
	s.have.Set(uint(piece))
	s.missing--
	if s.Wanted == nil || s.Wanted.Test(uint(piece)) {
		s.lacking--
	}
	s.unsaved = true
	if s.missing == 0 { // also if not all were wanted: now the data takes its final name
		s.finished = false
	}
	s.tellBoth(&messages.PieceVerified{Piece: uint32(piece), At: now})
	if s.blame.Suspected(piece) {
		if guilty := s.blame.Settle(piece, j.Blocks, j.Sums); len(guilty) > 0 {
			s.out.Send(s.Refs.Scheduler, &messages.BlameProven{Piece: uint32(piece), Peers: guilty})
		}
	}
	s.assembly.Drop(j.Piece)
}

func (s *core) corrupt(j *hasher.Job) {
	piece := j.Piece.Index
	s.blame.Record(piece, j.Blocks, j.Sums)
	s.out.Send(s.Refs.Scheduler, &messages.PieceCorrupt{Piece: uint32(piece), Contributors: j.Piece.Contributors()})
	s.assembly.Restart(j.Piece)
}

// queryServable answers which pieces may be served to the other side, and where
// the peer reads them.
func (s *core) queryServable(m *messages.QueryServable) {
	answer := &messages.PiecesServable{Link: m.Link, Pieces: m.Pieces, Source: s.files}
	for _, piece := range m.Pieces {
		known := slices.ContainsFunc(answer.Runs, func(r messages.PieceRun) bool { return r.Holds(piece) })
		if s.phase == ready && !known && s.have.Test(uint(piece)) {
			answer.Runs = append(answer.Runs, s.runAround(uint(piece)))
		}
	}
	s.out.Send(m.ReplyTo, answer)
}

// maxContent is how many bytes one QueryContent is answered with, at most.
const maxContent = 256 << 10

// queryContent reads what there is. Reading is started here, and what is read
// goes to whoever asks.
func (s *core) queryContent(m *messages.QueryContent) {
	n := min(int64(m.Length), maxContent, s.Torrent.Length-m.Offset)
	piece := uint(m.Offset / s.Torrent.PieceLength)
	if s.phase != ready || m.Offset < 0 || n <= 0 || !s.have.Test(piece) {
		m.Reply(nil, nil)
		return
	}
	n = min(n, int64(s.runAround(piece).To)*s.Torrent.PieceLength-m.Offset)
	content := make([]byte, n)
	s.files.ReadBlocks([][]byte{content}, m.Offset, func(err error) {
		if err != nil {
			content = nil
		}
		m.Reply(content, err)
	})
}

// runAround is the longest run of verified pieces that piece is in.
func (s *core) runAround(piece uint) messages.PieceRun {
	run := messages.PieceRun{To: uint32(s.Torrent.PieceCount())}
	if before, ok := s.have.PreviousClear(piece); ok {
		run.From = uint32(before + 1)
	}
	if after, ok := s.have.NextClear(piece); ok {
		run.To = uint32(after)
	}
	return run
}
