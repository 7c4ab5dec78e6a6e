package store

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// source is the messages.BlockSource of a torrent. Whoever holds it asks only
// for pieces that PiecesServable named.
type source struct{ files *files }

func (s *source) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	s.files.transfer(toServe, bufs, off, done)
}

// SendTo ends with the file that off lies in.
func (s *source) SendTo(socket uintptr, off int64, n int) (int, error) {
	var room [1]metainfo.Span
	spans := s.files.torrent.AppendSpans(room[:0], off, 1)
	if len(spans) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	at := spans[0]
	if s.files.torrent.Files[at.File].Padding {
		return 0, errors.ErrUnsupported
	}
	h, file, err := s.files.acquire(at.File, toServe)
	if err != nil {
		return 0, err
	}
	defer s.files.release(h)
	straight, ok := file.(world.SocketFile)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	if err := s.files.watch.look(at.File, file); err != nil {
		return 0, err
	}
	return straight.SendTo(socket, at.Offset, int(min(int64(n), s.files.torrent.Files[at.File].Length-at.Offset)))
}

// atOnce is how many files one transfer has open at a time. A piece can lie in
// more files than a process may have open.
const atOnce = 8

// transfer reads or writes a stretch of the content, which may lie in several
// files; it is done when the last of them is. It is reused.
type transfer struct {
	files *files
	use   use
	left  atomic.Int32 // files under way, and one for who starts them
	done  func(error)
	one   func(error) // finishOne, bound once

	spans []metainfo.Span
	next  int    // of spans
	held  []loan // under way

	given      [][]byte
	bufs       [][]byte // what was given, cut where files end
	at, within int      // the next byte to cut: of what was given, and in there

	mu  sync.Mutex
	err error // the first
}

// loan is a file in use. It stays open until the handle is released.
type loan struct {
	*handle
	open world.File
}

// unopened: a file could not be opened; nothing was read or written.
type unopened struct{ error }

func (u unopened) Unwrap() error { return u.error }

func newTransfer(f *files) *transfer {
	t := &transfer{files: f}
	t.one = t.finishOne
	return t
}

// transfer moves bufs, one after the other, from or to the content at off, and
// calls done exactly once. Padding files (BEP 47) read as zeros and are not
// written. The bytes and the slice belong to the transfer until then. What was
// known and is not what it was, or cannot be read, is an error.
func (f *files) transfer(to use, bufs [][]byte, off int64, done func(error)) {
	length := int64(0)
	for _, b := range bufs {
		length += int64(len(b))
	}
	if off < 0 || length > f.torrent.Length-off {
		done(io.ErrUnexpectedEOF)
		return
	}
	t := f.transfers.Get().(*transfer)
	t.use, t.given, t.done = to, bufs, done
	t.spans = f.torrent.AppendSpans(t.spans, off, length)
	t.proceed()
}

// proceed starts with the next files, which are open until all of them are done.
func (t *transfer) proceed() {
	t.left.Store(1)
	for range atOnce {
		if t.next == len(t.spans) {
			break
		}
		i, part := t.next, t.given
		t.next++
		if len(t.spans) > 1 {
			part = t.cut(t.spans[i].Length)
		}
		if err := t.start(i, part); err != nil {
			t.fail(err)
			break
		}
	}
	t.one(nil)
}

// cut returns the next n bytes of what was given, from where the last cut ended.
func (t *transfer) cut(n int64) [][]byte {
	start := len(t.bufs)
	for n > 0 {
		b := t.given[t.at][t.within:]
		if int64(len(b)) > n {
			b = b[:n]
			t.within += int(n)
		} else {
			t.at, t.within = t.at+1, 0
		}
		t.bufs = append(t.bufs, b)
		n -= int64(len(b))
	}
	return t.bufs[start:]
}

func (t *transfer) start(i int, part [][]byte) error {
	span := t.spans[i]
	if t.files.torrent.Files[span.File].Padding {
		for _, b := range part {
			if t.use != toWrite {
				clear(b)
			}
		}
		return nil
	}
	h, file, err := t.files.acquire(span.File, t.use)
	if err == nil && t.use == toWrite {
		if err = t.files.watch.begin(h.index, file); err != nil {
			t.files.release(h)
		}
	}
	if err != nil {
		return unopened{err}
	}
	t.held = append(t.held, loan{h, file})
	t.left.Add(1)
	if t.use == toWrite {
		file.WriteBlocks(part, span.Offset, t.one)
	} else {
		file.ReadBlocks(part, span.Offset, t.one)
	}
	return nil
}

// conclude makes sure of what was read, or enters how the file looks after it was
// written to.
func (t *transfer) conclude(l loan) {
	watch := &t.files.watch
	var shut unopened
	switch {
	case t.use == toWrite:
		watch.end(l.index, l.open)
	case t.use == toCheck:
	case t.err == nil:
		t.err = watch.look(l.index, l.open)
	case t.use == toServe && !errors.As(t.err, &shut):
		t.err = watch.failed(l.index, t.err)
	}
}

func (t *transfer) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

func (t *transfer) finishOne(err error) {
	if err != nil {
		t.fail(err)
	}
	if t.left.Add(-1) > 0 {
		return
	}
	for _, l := range t.held {
		t.conclude(l)
		t.files.release(l.handle)
	}
	clear(t.held)
	t.held = t.held[:0]
	if t.err == nil && t.next < len(t.spans) {
		t.proceed()
		return
	}
	done, err := t.done, t.err
	clear(t.bufs)
	t.spans, t.bufs, t.given = t.spans[:0], t.bufs[:0], nil
	t.next, t.at, t.within = 0, 0, 0
	t.done, t.err = nil, nil
	t.files.transfers.Put(t)
	done(err)
}
