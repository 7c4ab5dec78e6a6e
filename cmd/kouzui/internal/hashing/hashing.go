// Package hashing computes the piece hashes of files on disk, on all processors,
// for those who make or check a torrent without an engine.
package hashing

import (
	"context"
	"crypto/sha1"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"kouzui/wire/metainfo"
)

// chunk is how much is read at a time, in bytes.
const chunk = 256 << 10

// File is a part of the content.
type File struct {
	Path   string // "" for one that is not on disk and all zeros (BEP 47)
	Length int64
}

// Piece is the outcome for one piece. Err is set if it could not be read whole:
// File says where.
type Piece struct {
	Index int
	Sum   metainfo.Hash
	Err   error
	File  int
}

// Pieces cuts files, one after the other, into pieces and gives each to done, in
// no order but one at a time. An error of done ends it and is returned.
func Pieces(ctx context.Context, files []File, pieceLength int64, done func(Piece) error) error {
	work := &work{files: files, pieceLength: pieceLength, offsets: make([]int64, len(files))}
	for i, f := range files {
		work.offsets[i] = work.total
		work.total += f.Length
	}
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			r := reader{work: work, open: -1, buf: make([]byte, chunk), sum: sha1.New()}
			defer r.close()
			return r.run(ctx, done)
		})
	}
	return group.Wait()
}

// Count is how many pieces there are in total bytes.
func Count(total, pieceLength int64) int { return int((total + pieceLength - 1) / pieceLength) }

type work struct {
	files       []File
	offsets     []int64
	pieceLength int64
	total       int64
	next        atomic.Int64 // piece

	mu sync.Mutex // held during done
}

// reader is one worker. Neighbouring pieces mostly lie in the same file, so it
// keeps the last one open.
type reader struct {
	*work
	open int // index in files, -1 for none
	file *os.File
	buf  []byte
	sum  hash.Hash
}

func (r *reader) run(ctx context.Context, done func(Piece) error) error {
	for {
		i := r.next.Add(1) - 1
		if i*r.pieceLength >= r.total {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p := r.piece(int(i))
		r.mu.Lock()
		err := done(p)
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (r *reader) piece(index int) Piece {
	p := Piece{Index: index}
	r.sum.Reset()
	off := int64(index) * r.pieceLength
	end := min(off+r.pieceLength, r.total)
	for i := r.fileAt(off); off < end; i++ {
		n := min(end, r.offsets[i]+r.files[i].Length) - off
		if err := r.add(i, off-r.offsets[i], n); err != nil {
			p.Err, p.File = err, i
			return p
		}
		off += n
	}
	r.sum.Sum(p.Sum[:0])
	return p
}

// fileAt is the first file that reaches beyond off.
func (r *reader) fileAt(off int64) int {
	low, high := 0, len(r.files)-1
	for low < high {
		middle := (low + high) / 2
		if r.offsets[middle]+r.files[middle].Length > off {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// add hashes n bytes of a file from off on.
func (r *reader) add(file int, off, n int64) error {
	if n == 0 {
		return nil
	}
	from, err := r.source(file)
	for err == nil && n > 0 {
		part := r.buf[:min(n, chunk)]
		if _, err = from.ReadAt(part, off); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		r.sum.Write(part)
		off += int64(len(part))
		n -= int64(len(part))
	}
	return err
}

func (r *reader) source(file int) (io.ReaderAt, error) {
	if r.files[file].Path == "" {
		return zeros{}, nil
	}
	if r.open == file {
		return r.file, nil
	}
	r.close()
	f, err := os.Open(r.files[file].Path)
	if err != nil {
		return nil, err
	}
	r.open, r.file = file, f
	return f, nil
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	r.open, r.file = -1, nil
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}
