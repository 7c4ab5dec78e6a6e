package hasher

import (
	"errors"
	"io/fs"

	"kouzui/actors/store/files"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// checker is what a worker needs to hash pieces that are on disk side by side.
type checker struct {
	lanes [digest.Lanes]lane
	zeros map[int64]metainfo.Hash // hash of so many zeros, for the lengths of pieces
}

// lane is one of these pieces.
type lane struct {
	piece int
	begin int64    // of what has not been read
	view  [][]byte // what has been read and not hashed
	zeros int64    // bytes read so far, as long as all are zeros and not hashed; else -1
	gap   bool     // a block is zeros
	err   error
	read  func(error) // what the disk calls, bound once to save an allocation
}

// startCheck begins to hash the pieces of a Check.
func (w *worker) startCheck() {
	if w.zeros == nil {
		w.zeros = map[int64]metainfo.Hash{}
		for i := range w.lanes {
			l := &w.lanes[i]
			l.read = func(err error) {
				l.err = err
				w.disk.Done(nil)
			}
		}
	}
	w.many.Reset()
	for i, piece := range w.job.Pieces {
		l := &w.lanes[i]
		l.piece, l.begin, l.zeros, l.gap, l.err = piece, 0, 0, false, nil
	}
	w.step = w.loadLanes
}

// loadLanes reads the next blocks of every piece.
func (w *worker) loadLanes() bool {
	lanes := w.lanes[:len(w.job.Pieces)]
	lent := 0
	w.step = w.judgeLanes
	w.disk.Close()
	for i := range lanes {
		l := &lanes[i]
		l.view = l.view[:0]
		size := w.Torrent.PieceSize(l.piece)
		if l.err != nil || l.begin == size {
			continue
		}
		from := int64(l.piece)*w.Torrent.PieceLength + l.begin
		for l.begin < size && len(l.view) < w.job.each {
			if lent == len(w.loans) {
				w.loans = append(w.loans, w.Pool.Get())
			}
			n := min(buffer.Size, size-l.begin)
			l.view = append(l.view, w.loans[lent].Bytes()[:n])
			l.begin += n
			lent++
		}
		w.disk.Expect()
		w.Files.Transfer(files.Check, l.view, from, l.read)
		w.step = w.digestLanes
	}
	return w.disk.Passed()
}

// digestLanes hashes what was read. Parts of a file that were never written
// read as zeros. As long as a piece has nothing but zeros, they are only
// counted, which is quicker.
func (w *worker) digestLanes() bool {
	lanes := w.lanes[:len(w.job.Pieces)]
	longest := 0
	for i := range lanes {
		l := &lanes[i]
		if l.err != nil {
			l.view = l.view[:0]
		}
		for n, b := range l.view {
			if l.zeros < 0 && l.gap {
				break
			}
			switch blank := w.Digest.Blank(b); {
			case blank && l.zeros >= 0:
				l.gap = true
				l.zeros += int64(len(b))
				l.view[n] = nil
			case blank:
				l.gap = true
			case l.zeros >= 0:
				w.hashZeros(i)
			}
		}
		longest = max(longest, len(l.view))
	}
	for n := range longest {
		for i := range lanes {
			w.strips[i] = nil
			if n < len(lanes[i].view) {
				w.strips[i] = lanes[i].view[n]
			}
		}
		w.many.Write(w.strips[:len(lanes)]...)
	}
	w.step = w.loadLanes
	return true
}

var zeros [buffer.Size]byte

// hashZeros hashes the zeros of a lane that were only counted, and counts no
// more.
func (w *worker) hashZeros(i int) {
	clear(w.strips[:])
	for n := w.lanes[i].zeros; n > 0; n -= buffer.Size {
		w.strips[i] = zeros[:min(n, buffer.Size)]
		w.many.Write(w.strips[:]...)
	}
	w.lanes[i].zeros = -1
}

// judgeLanes compares the hashes. A piece that is missing or cannot be read
// counts as wrong, and is downloaded again. A file that exists and cannot be
// opened fails the job, as the user has to do something about it.
func (w *worker) judgeLanes() bool {
	for i, piece := range w.job.Pieces {
		l := &w.lanes[i]
		if files.Unopened(l.err) && !errors.Is(l.err, fs.ErrNotExist) {
			w.job.Err = l.err
		}
		w.job.Blank = append(w.job.Blank, l.err == nil && l.zeros == w.Torrent.PieceSize(piece))
		w.job.Filled = append(w.job.Filled, l.err == nil && !l.gap)
		w.job.Right = append(w.job.Right, l.err == nil && w.laneSum(i) == w.Torrent.PieceHash(piece))
		clear(l.view[:cap(l.view)])
	}
	clear(w.strips[:])
	w.step = nil
	return true
}

// laneSum is the hash of a lane. The hash of zeros alone is worked out once.
func (w *worker) laneSum(i int) metainfo.Hash {
	n := w.lanes[i].zeros
	if n < 0 {
		return w.many.Sum(i)
	}
	sum, ok := w.zeros[n]
	if !ok {
		w.hashZeros(i)
		sum = w.many.Sum(i)
		w.zeros[n] = sum
	}
	return sum
}
