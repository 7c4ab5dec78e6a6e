//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// active is a peer in this process that costs as little as possible. It neither
// hashes nor writes to disk, so that the other side is what is measured.
type active struct {
	link   messages.Link
	events chan any
	pool   *buffer.Pool
}

// window is how many requests an active peer keeps outstanding.
const window = 256

// dial connects and exchanges handshakes.
func dial(ctx context.Context, addr string, hash [20]byte) (*active, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	a := &active{pool: buffer.NewPool(window), events: make(chan any, 64)}
	met := make(chan error, 1)
	real.NewNetwork(real.NetworkOptions{Pool: a.pool}).Dial(to, greetWithin, func(l messages.Link, err error) {
		if err != nil {
			met <- err
			return
		}
		a.link = l
		h := frame.Handshake{InfoHash: hash}
		copy(h.PeerID[:], fmt.Sprintf("-XX0000-active%06d", os.Getpid()%1_000_000))
		l.SendHandshake(h)
		l.ReadHandshake(greetWithin, nil, func(_ frame.Handshake, err error) { met <- err })
	})
	select {
	case err = <-met:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	a.link.Start(frame.Limits{}, func(e any) {
		select {
		case a.events <- e:
		case <-ctx.Done():
		}
	})
	return a, nil
}

// serve announces all pieces and answers each request, until the link is
// closed.
func (a *active) serve(t *metainfo.Torrent, content *os.File) {
	all := make([]byte, (t.PieceCount()+7)/8)
	for i := range t.PieceCount() {
		frame.SetBit(all, i)
	}
	a.link.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Bitfield, Bits: all}}, {Frame: frame.Frame{Kind: frame.Unchoke}}})
	var out []messages.Outgoing
	for e := range a.events {
		switch e := e.(type) {
		case *messages.FramesReceived:
			out = out[:0]
			for _, f := range e.Frames {
				if f.Kind == frame.Request {
					out = append(out, messages.Outgoing{
						Frame:  frame.Frame{Kind: frame.Piece, Index: f.Index, Begin: f.Begin, Length: f.Length},
						Source: file{content}, Offset: int64(f.Index)*t.PieceLength + int64(f.Begin),
					})
				}
			}
			a.link.Done(e)
			a.link.Send(out)
		case *messages.LinkClosed:
			return
		}
	}
}

// file is the content, a single file.
type file struct{ *os.File }

// ReadBlocks implements messages.BlockSource.
func (f file) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	_, err := unix.Preadv(int(f.Fd()), bufs, off)
	done(err)
}

// fetch requests everything once, and returns how long that took after the
// unchoke.
func (a *active) fetch(t *metainfo.Torrent) (time.Duration, error) {
	a.link.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Interested}}})
	var begin time.Time
	var out []messages.Outgoing
	var got []*buffer.Block
	asked, arrived := int64(0), int64(0) // bytes
	for e := range a.events {
		if closed, is := e.(*messages.LinkClosed); is {
			return 0, closed.Err
		}
		m, is := e.(*messages.FramesReceived)
		if !is {
			continue
		}
		got, out = got[:0], out[:0]
		for _, f := range m.Frames {
			switch f.Kind {
			case frame.Unchoke:
				begin = time.Now()
			case frame.Piece:
				arrived += int64(f.Length)
				got = append(got, f.Block)
			}
		}
		a.link.Done(m)
		a.pool.ReleaseAll(got)
		if begin.IsZero() {
			continue
		}
		for asked < t.Length && asked-arrived < window*buffer.Size {
			n := min(buffer.Size, t.Length-asked, t.PieceLength-asked%t.PieceLength)
			out = append(out, messages.Outgoing{Frame: frame.Frame{
				Kind: frame.Request, Index: uint32(asked / t.PieceLength), Begin: uint32(asked % t.PieceLength), Length: uint32(n),
			}})
			asked += n
		}
		a.link.Expect(int(asked-arrived) / buffer.Size)
		a.link.Send(out)
		if arrived == t.Length {
			return time.Since(begin), nil
		}
	}
	return 0, errors.New("the link delivered no more events")
}
