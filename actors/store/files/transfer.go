package files

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// ReadBlocks reads verified pieces, see messages.BlockSource.
func (f *Files) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	f.Transfer(Serve, bufs, off, done)
}

// SendTo sends no further than to the end of the file that off lies in, see
// messages.SocketSource.
func (f *Files) SendTo(socket uintptr, off int64, n int) (int, error) {
	h, file, at, n, err := f.within(off, n)
	if err != nil {
		return 0, err
	}
	defer f.release(h)
	return file.SendTo(socket, at, n)
}

// Map maps no further than to the end of the file that off lies in, see
// messages.SocketSource.
func (f *Files) Map(off int64, n int) ([]byte, error) {
	h, file, at, n, err := f.within(off, n)
	if err != nil {
		return nil, err
	}
	defer f.release(h)
	return file.Map(at, n)
}

// within finds the file that off lies in, off within it, and how many of n
// bytes are in it. The caller uses the file until it releases the handle.
func (f *Files) within(off int64, n int) (*handle, world.SocketFile, int64, int, error) {
	layout := f.layout.Load()
	at, ok := layout.First(off, int64(n))
	if !ok {
		return nil, nil, 0, 0, io.ErrUnexpectedEOF
	}
	if layout.Padding(at.File) {
		return nil, nil, 0, 0, errors.ErrUnsupported
	}
	h, file, err := f.acquire(at.File, Serve)
	if err != nil {
		return nil, nil, 0, 0, err
	}
	straight, ok := file.(world.SocketFile)
	if !ok {
		err = errors.ErrUnsupported
	} else {
		err = f.watch.look(at.File, file)
	}
	if err != nil {
		f.release(h)
		return nil, nil, 0, 0, err
	}
	return h, straight, at.Offset, int(at.Length), nil
}

// atOnce is how many files one transfer has open at a time. A piece can lie in
// more files than a process may have open.
const atOnce = 8

// transfer reads or writes a stretch of the content, which may lie in several
// files. It is done when the last of them is, and is then reused.
type transfer struct {
	files *Files
	in    *Layout
	use   Use
	left  atomic.Int32 // files under way, and one while proceed starts them
	done  func(error)
	one   func(error) // finishOne, bound once to save an allocation

	spans []metainfo.Span
	next  int    // index in spans of the next file to start with
	held  []loan // files under way

	given      [][]byte // what the caller gave
	bufs       [][]byte // the same, cut where files end
	at, within int      // next byte to cut: index in given, and offset in that

	mu  sync.Mutex
	err error // the first
}

// loan is a file in use, which stays open until its handle is released.
type loan struct {
	*handle
	open world.File
}

// unopened is the error of a file that could not be opened.
type unopened struct{ error }

func (u unopened) Unwrap() error { return u.error }

// Unopened tells whether a Transfer failed because a file could not be opened,
// so that nothing of this file was read or written.
func Unopened(err error) bool {
	var u unopened
	return errors.As(err, &u)
}

func newTransfer(f *Files) *transfer {
	t := &transfer{files: f}
	t.one = t.finishOne
	return t
}

// Transfer reads or writes bufs, one after the other, at off in the content,
// and calls done exactly once, perhaps later. Until then bufs and their bytes
// belong to the transfer. Padding files (BEP 47) read as zeros and are not
// written. It is an error if another process has changed a file.
func (f *Files) Transfer(to Use, bufs [][]byte, off int64, done func(error)) {
	f.transferIn(f.layout.Load(), to, bufs, off, done)
}

// Copy copies n bytes of the content at off, which buf has room for, from where
// they lie now to where they lie in another layout. It calls done exactly once,
// perhaps later, and needs buf until then.
func (f *Files) Copy(to *Layout, buf []byte, off int64, done func(error)) {
	bufs := [][]byte{buf}
	f.Transfer(Reread, bufs, off, func(err error) {
		if err != nil {
			done(err)
			return
		}
		f.transferIn(to, Write, bufs, off, done)
	})
}

func (f *Files) transferIn(layout *Layout, to Use, bufs [][]byte, off int64, done func(error)) {
	length := int64(0)
	for _, b := range bufs {
		length += int64(len(b))
	}
	if off < 0 || length > f.torrent.Length-off {
		done(io.ErrUnexpectedEOF)
		return
	}
	t := f.transfers.Get().(*transfer)
	t.in, t.use, t.given, t.done = layout, to, bufs, done
	t.spans = layout.AppendSpans(t.spans, off, length)
	t.proceed()
}

// proceed starts to read or write the next files, which stay open until all of
// them are done.
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

// cut returns the next n bytes of what was given, after those of the last cut.
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
	if t.in.Padding(span.File) {
		for _, b := range part {
			if t.use != Write {
				clear(b)
			}
		}
		return nil
	}
	h, file, err := t.files.acquire(span.File, t.use)
	if err == nil && t.use == Write {
		if err = t.files.watch.begin(h.index, file); err != nil {
			t.files.release(h)
		}
	}
	if err != nil {
		return unopened{err}
	}
	t.held = append(t.held, loan{h, file})
	t.left.Add(1)
	if t.use == Write {
		file.WriteBlocks(part, span.Offset, t.one)
	} else {
		file.ReadBlocks(part, span.Offset, t.one)
	}
	return nil
}

// conclude looks whether what was read of a file is what was known, or notes
// how the file looks now that it was written to.
func (t *transfer) conclude(l loan) {
	watch := &t.files.watch
	switch {
	case t.use == Write:
		watch.end(l.index, l.open)
	case t.use == Check:
	case t.err == nil:
		t.err = watch.look(l.index, l.open)
	case t.use == Serve && !Unopened(t.err):
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
