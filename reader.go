package kouzui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"kouzui/messages"
	"kouzui/wire/choice"
)

// askAgain is how often a Reader that waits looks by itself whether its bytes
// are there, and says again what it waits for: actors that die forget it. At
// first, and when it has moved, it is done sooner, as the torrent may not be
// there yet.
const askAgain = time.Second

// Reader reads a file of a torrent while the torrent is downloaded: what is at
// its place is fetched first, and Read waits for that. It is an
// io.ReadSeekCloser for one goroutine at a time; a torrent can have several.
type Reader struct {
	torrent *Torrent
	ctx     context.Context
	file    int
	begin   int64 // of the file in the content
	length  int64
	readers *readers
	came    chan struct{} // pieces have been verified

	at   int64 // guarded by readers.mu
	rest []byte
	wait time.Duration // until it is asked again
	err  error
}

// readers are the open Readers of a torrent.
type readers struct {
	torrent *Torrent
	mu      sync.Mutex
	open    []*Reader
	stop    func() // the following of events
}

// NewReader opens a file, by its index, to be read until ctx ends or the Reader
// is closed. It waits until the files of the torrent are known. A file that is
// not wanted has to be chosen first.
func (t *Torrent) NewReader(ctx context.Context, file int) (*Reader, error) {
	if !t.valid() {
		return nil, ErrEnded
	}
	ctx = background(ctx)
	m, err := t.AwaitMetainfo(ctx)
	if err != nil {
		return nil, err
	}
	if file < 0 || file >= len(m.Files) || m.Files[file].Padding {
		return nil, &OptionError{"file", fmt.Sprintf("cannot be %d", file)}
	}
	r := &Reader{torrent: t, ctx: ctx, file: file, begin: m.Files[file].Offset, length: m.Files[file].Length, readers: &t.readers, wait: firstWait, came: make(chan struct{}, 1)}
	t.readers.add(t, r)
	return r, nil
}

// AwaitMetainfo returns what is in the torrent once that is known.
func (t *Torrent) AwaitMetainfo(ctx context.Context) (*Metainfo, error) {
	if !t.valid() {
		return nil, ErrEnded
	}
	ctx = background(ctx)
	for {
		if m := t.Metainfo(); m != nil {
			return m, nil
		}
		again := time.NewTimer(firstWait)
		select {
		case <-t.ended:
			again.Stop()
			if err := t.Wait(ctx); err != nil {
				return nil, err
			}
			return nil, ErrEnded
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		case <-again.C:
		}
	}
}

// Length is that of the file.
func (r *Reader) Length() int64 { return r.length }

// Seek is that of io.Seeker.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	r.readers.mu.Lock()
	defer r.readers.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.length
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, errors.New("kouzui: a seek to before the file")
	}
	if offset != r.at {
		r.at, r.rest, r.wait = offset, nil, firstWait
	}
	return offset, nil
}

// Read is that of io.Reader. The error is that of the context, ErrEnded, or why
// the torrent or its disk failed.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		at := r.place()
		if at >= r.length {
			return 0, io.EOF
		}
		r.readers.tell()
		content, err := r.fetch(at)
		if err != nil {
			return 0, err
		}
		if r.rest = content; len(content) > 0 {
			r.wait = firstWait
		} else if err := r.await(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.readers.mu.Lock()
	r.at += int64(n)
	r.readers.mu.Unlock()
	return n, nil
}

func (r *Reader) place() int64 {
	r.readers.mu.Lock()
	defer r.readers.mu.Unlock()
	return r.at
}

// fetch reads what there is at a place of the file; nothing: it is not verified
// yet.
func (r *Reader) fetch(at int64) ([]byte, error) {
	type answer struct {
		content []byte
		err     error
	}
	length := int(min(r.length-at, math.MaxInt32))
	a, err := ask(r.ctx, r.torrent, func(reply func(answer)) any {
		return &messages.QueryContent{InfoHash: r.torrent.hash, Offset: r.begin + at, Length: length, Reply: func(content []byte, err error) {
			reply(answer{content, err})
		}}
	})
	if err != nil {
		return nil, err
	}
	return a.content, a.err
}

// await returns when it may be worth asking again.
func (r *Reader) await() error {
	again := time.NewTimer(r.wait)
	r.wait = min(2*r.wait, askAgain)
	defer again.Stop()
	select {
	case <-r.came:
	case <-again.C:
	case <-r.torrent.ended:
		if err := r.torrent.Wait(r.ctx); err != nil {
			return err
		}
		return ErrEnded
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
	return nil
}

// Close ends the reading: nothing is fetched for it before the rest any more.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = errors.New("kouzui: the reader is closed")
		r.rest = nil
		r.readers.remove(r)
	}
	return nil
}

// add enters a Reader. The first one has the events of the torrent followed, to
// know when pieces come.
func (s *readers) add(t *Torrent, r *Reader) {
	s.mu.Lock()
	s.torrent = t
	s.open = append(s.open, r)
	if s.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		events := t.Events(ctx)
		go func() {
			defer close(over)
			for e := range events {
				if _, is := e.(PiecesVerified); is {
					s.wake()
				}
			}
		}()
		s.stop = func() { cancel(); <-over }
	}
	s.mu.Unlock()
	s.tell()
}

func (s *readers) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.open {
		select {
		case r.came <- struct{}{}:
		default:
		}
	}
}

func (s *readers) remove(r *Reader) {
	s.mu.Lock()
	s.open = slices.DeleteFunc(s.open, func(other *Reader) bool { return other == r })
	stop := s.stop
	if len(s.open) == 0 {
		s.stop = nil
	} else {
		stop = func() {}
	}
	s.mu.Unlock()
	stop()
	s.tell()
}

// tell says which pieces the Readers wait for.
func (s *readers) tell() {
	s.mu.Lock()
	var lists [][]uint32
	for _, r := range s.open {
		lists = append(lists, choice.Ahead(s.torrent.Metainfo(), r.file, r.at))
	}
	t := s.torrent
	s.mu.Unlock()
	t.client.engine.Ask(&messages.SetUrgent{InfoHash: t.hash, Pieces: choice.InTurn(lists)})
}
