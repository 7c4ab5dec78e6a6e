// Package hashing computes the piece hashes of files on disk, on all
// processors, for commands that run no client.
package hashing

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/bits-and-blooms/bitset"
	"golang.org/x/sync/errgroup"

	"kouzui/actors/world"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

const (
	// chunk is how many bytes of a piece are read at a time: going from one piece
	// to the next costs a hard disk a seek.
	chunk = 1 << 20
	// memory is how many bytes the chunks of all processors may take together. On
	// many processors, chunks are smaller.
	memory = 16 << 20
	// smallestChunk is what a chunk has on any number of processors.
	smallestChunk = 64 << 10
)

// Content is what is hashed. Only regular files in the folder are opened; links
// that lead out of it are refused.
type Content struct {
	Folder world.Folder
	Files  []File // one after the other
	// Only are the pieces that are hashed; nil: all.
	Only *bitset.BitSet
}

// File is a part of the content.
type File struct {
	Name   string // in the folder; "" for one that is not on disk and all zeros (BEP 47)
	Length int64
	Begin  int64 // where these bytes begin in the file of the disk
}

// Piece is the outcome for one piece. Err is set if the piece could not be read
// whole, and File is then the index of the file that failed.
type Piece struct {
	Index int
	Sum   metainfo.Hash
	Err   error
	File  int
}

// Sums returns the hashes of all pieces, end to end. It calls step after each
// piece.
func Sums(ctx context.Context, content Content, pieceLength int64, step func()) ([]byte, error) {
	sums := make([]byte, Count(content.Length(), pieceLength)*len(metainfo.Hash{}))
	err := Pieces(ctx, content, pieceLength, func(p Piece) error {
		copy(sums[p.Index*len(p.Sum):], p.Sum[:])
		step()
		return content.Failure(p)
	})
	return sums, err
}

// Length is that of all files together.
func (c Content) Length() (n int64) {
	for _, f := range c.Files {
		n += f.Length
	}
	return n
}

// Failure is why the piece could not be read, for the user.
func (c Content) Failure(p Piece) error {
	if errors.Is(p.Err, io.ErrUnexpectedEOF) {
		return exit.Errorf(exit.IO, "%s became shorter while it was read", c.Files[p.File].Name)
	}
	return p.Err
}

// Pieces cuts content into pieces and calls done with each, or with each of
// Only: in any order, but never twice at the same time. An error of done ends
// the work and is returned.
func Pieces(ctx context.Context, content Content, pieceLength int64, done func(Piece) error) error {
	work := &work{Content: content, pieceLength: pieceLength, offsets: make([]int64, len(content.Files))}
	for i, f := range content.Files {
		work.offsets[i] = work.total
		work.total += f.Length
	}
	for i := range Count(work.total, pieceLength) {
		if content.Only == nil || content.Only.Test(uint(i)) {
			work.pieces = append(work.pieces, i)
		}
	}
	workers := runtime.GOMAXPROCS(0)
	work.batch = max(1, min(digest.Lanes, (len(work.pieces)+workers-1)/workers))
	if digest.Least() > digest.Lanes {
		work.batch = 1
	}
	work.chunk = min(chunk, pieceLength, max(smallestChunk, memory/int64(workers*work.batch)))
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error { return work.run(ctx, done) })
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return exit.ErrInterrupted
	}
	return err
}

// Count is how many pieces there are in total bytes.
func Count(total, pieceLength int64) int { return int((total + pieceLength - 1) / pieceLength) }

type work struct {
	Content
	offsets     []int64
	pieceLength int64
	total       int64
	pieces      []int // to be hashed
	batch       int   // pieces that a worker takes at a time
	chunk       int64
	next        atomic.Int64 // index in pieces

	mu sync.Mutex // held during done
}

// run is one worker. It hashes the pieces of a batch side by side, in the lanes
// of package digest.
func (w *work) run(ctx context.Context, done func(Piece) error) error {
	readers := make([]reader, w.batch)
	for i := range readers {
		readers[i] = reader{work: w, open: -1, buf: make([]byte, w.chunk)}
		defer readers[i].close()
	}
	sums := digest.New()
	data := make([][]byte, w.batch)
	for {
		first := int(w.next.Add(int64(w.batch))) - w.batch
		n := min(w.batch, len(w.pieces)-first)
		if n <= 0 {
			return nil
		}
		sums.Reset()
		for i := range n {
			readers[i].begin(w.pieces[first+i])
		}
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			more = false
			for i := range n {
				data[i] = readers[i].read()
				more = more || len(data[i]) > 0
			}
			sums.Write(data[:n]...)
		}
		for i := range n {
			p := readers[i].piece
			if p.Err == nil {
				p.Sum = sums.Sum(i)
			}
			w.mu.Lock()
			err := done(p)
			w.mu.Unlock()
			if err != nil {
				return err
			}
		}
	}
}

// reader reads one piece of each batch. The last file stays open, because the
// piece of the next batch mostly lies in the same file. No two readers share an
// open file: the kernel reads ahead only for a file that is read in sequence.
type reader struct {
	*work
	open  int // index in files, -1 for none
	file  world.File
	buf   []byte
	piece Piece
	off   int64 // in the content, of what is left of the piece
	end   int64 // in the content, of the piece
}

func (r *reader) begin(index int) {
	r.piece = Piece{Index: index}
	r.off = int64(index) * r.pieceLength
	r.end = min(r.off+r.pieceLength, r.total)
}

// read returns the next chunk of the piece. The chunk is empty at the end of
// the piece, and after a failure.
func (r *reader) read() []byte {
	part := r.buf[:min(int64(len(r.buf)), r.end-r.off)]
	for i, at := r.fileAt(r.off), 0; at < len(part); i++ {
		n := int(min(int64(len(part)-at), r.offsets[i]+r.Files[i].Length-r.off))
		if err := r.readFile(i, part[at:at+n]); err != nil {
			r.piece.Err, r.piece.File = err, i
			r.off = r.end
			return nil
		}
		at += n
		r.off += int64(n)
	}
	return part
}

// fileAt is the index of the first file that ends behind off.
func (r *reader) fileAt(off int64) int {
	low, high := 0, len(r.Files)-1
	for low < high {
		middle := (low + high) / 2
		if r.offsets[middle]+r.Files[middle].Length > off {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// readFile fills part with the bytes of a file at off.
func (r *reader) readFile(file int, part []byte) error {
	if len(part) == 0 {
		return nil
	}
	if r.Files[file].Name == "" {
		clear(part)
		return nil
	}
	if r.open != file {
		r.close()
		f, err := r.Folder.Open(r.Files[file].Name, false)
		if err != nil {
			return err
		}
		r.open, r.file = file, f
	}
	answer := make(chan error, 1)
	r.file.ReadBlocks([][]byte{part}, r.Files[file].Begin+r.off-r.offsets[file], func(err error) { answer <- err })
	return <-answer
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	r.open, r.file = -1, nil
}
