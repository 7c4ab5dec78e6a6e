package store

import (
	"errors"
	"io/fs"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// checker is what a worker needs to hash pieces that are on disk, side by side.
type checker struct {
	hasher world.Hashes // the worker's
	lanes  [digest.Lanes]lane
	blocks [digest.Lanes][]byte    // that are hashed together
	zeros  map[int64]metainfo.Hash // of so many: there are two lengths of pieces
}

// lane is one of these pieces.
type lane struct {
	piece int
	begin int64    // of what has not been read
	view  [][]byte // what has been read and not hashed
	zeros int64    // all so far are zeros, this many, and not hashed yet; -1: not any more
	err   error
	read  func(error) // the answer of the disk, bound once
}

func (w *worker) startCheck() {
	k := &w.checker
	if k.zeros == nil {
		k.hasher, k.zeros = w.hasher, map[int64]metainfo.Hash{}
		for i := range k.lanes {
			l := &k.lanes[i]
			l.read = func(err error) {
				l.err = err
				w.gate.done(nil)
			}
		}
	}
	k.hasher.Reset()
	w.gate.err = nil
	for i, piece := range w.job.pieces {
		l := &k.lanes[i]
		l.piece, l.begin, l.zeros, l.err = piece, 0, 0, nil
	}
	w.step = w.loadLanes
}

// loadLanes has the next blocks of every piece read.
func (w *worker) loadLanes() bool {
	lanes := w.checker.lanes[:len(w.job.pieces)]
	lent := 0
	w.step = w.judgeLanes
	w.gate.shut()
	for i := range lanes {
		l := &lanes[i]
		l.view = l.view[:0]
		size := w.torrent.PieceSize(l.piece)
		if l.err != nil || l.begin == size {
			continue
		}
		from := int64(l.piece)*w.torrent.PieceLength + l.begin
		for l.begin < size && len(l.view) < w.job.each {
			if lent == len(w.loans) {
				w.loans = append(w.loans, w.pool.Get())
			}
			n := min(buffer.Size, size-l.begin)
			l.view = append(l.view, w.loans[lent].Bytes()[:n])
			l.begin += n
			lent++
		}
		w.gate.expect()
		w.files.transfer(toCheck, l.view, from, l.read)
		w.step = w.digestLanes
	}
	return w.gate.passed()
}

// digestLanes hashes what was read. What was never written reads as zeros; those
// are counted, which is quicker, for as long as there is nothing else.
func (w *worker) digestLanes() bool {
	k := &w.checker
	lanes := k.lanes[:len(w.job.pieces)]
	longest := 0
	for i := range lanes {
		l := &lanes[i]
		if l.err != nil {
			l.view = l.view[:0]
		}
		for n, b := range l.view {
			if l.zeros < 0 {
				break
			}
			if w.digests.Blank(b) {
				l.zeros += int64(len(b))
				l.view[n] = nil
				continue
			}
			k.hashZeros(i)
		}
		longest = max(longest, len(l.view))
	}
	for n := range longest {
		for i := range lanes {
			k.blocks[i] = nil
			if n < len(lanes[i].view) {
				k.blocks[i] = lanes[i].view[n]
			}
		}
		k.hasher.Write(k.blocks[:len(lanes)]...)
	}
	w.step = w.loadLanes
	return true
}

var zeros [buffer.Size]byte

// hashZeros hashes what was only counted of a lane.
func (k *checker) hashZeros(i int) {
	clear(k.blocks[:])
	for n := k.lanes[i].zeros; n > 0; n -= buffer.Size {
		k.blocks[i] = zeros[:min(n, buffer.Size)]
		k.hasher.Write(k.blocks[:]...)
	}
	k.lanes[i].zeros = -1
}

// judgeLanes compares the hashes. What is not there or cannot be read any more
// has to come again; a file that is there and cannot be opened is for the user to
// see to.
func (w *worker) judgeLanes() bool {
	k := &w.checker
	for i, piece := range w.job.pieces {
		l := &k.lanes[i]
		var shut unopened
		if errors.As(l.err, &shut) && !errors.Is(l.err, fs.ErrNotExist) {
			w.job.err = l.err
		}
		w.job.has = append(w.job.has, l.err == nil && k.sum(i) == w.torrent.PieceHash(piece))
		clear(l.view[:cap(l.view)])
	}
	clear(k.blocks[:])
	w.step = nil
	return true
}

// sum keeps what it finds out of zeros.
func (k *checker) sum(i int) metainfo.Hash {
	n := k.lanes[i].zeros
	if n < 0 {
		return k.hasher.Sum(i)
	}
	sum, ok := k.zeros[n]
	if !ok {
		k.hashZeros(i)
		sum = k.hasher.Sum(i)
		k.zeros[n] = sum
	}
	return sum
}
