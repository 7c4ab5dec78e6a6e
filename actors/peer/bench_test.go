package peer

import (
	"math"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// BenchmarkReceive is the protocol's share of one block that is downloaded: its
// request and its arrival, of 16 at a time, with a full window under way.
func BenchmarkReceive(b *testing.B) {
	const batch = 16
	torrent, _ := stage.Torrent(b, 1000*blockSize, 1000*blockSize)
	s, now, pool := newSession(torrent, usualQueue, false, start), start, buffer.NewPool(batch)
	s.flags.PeerChoking = false
	blockAt := func(n int) messages.Block {
		return messages.Block{Begin: uint32(n % 1000 * blockSize), Length: blockSize}
	}
	asked, answered := 0, 0
	request := func() {
		s.requests.waiting = append(s.requests.waiting, blockAt(asked))
		asked++
	}
	for range maxWindow {
		request()
	}
	s.ask(math.MaxInt, now)
	b.ReportAllocs()
	for b.Loop() {
		f := pieceFrame(pool, blockAt(answered))
		if err := s.received(&f, now); err != nil {
			b.Fatal(err)
		}
		request()
		if answered++; answered%batch != 0 {
			continue
		}
		now = now.Add(time.Millisecond)
		s.batchDone(now)
		s.ask(math.MaxInt, now)
		for _, stored := range s.out.stored {
			stored.Data.Release()
		}
		s.out = effects{frames: s.out.frames[:0], stored: s.out.stored[:0], arrived: s.out.arrived[:0]}
	}
}

// BenchmarkServe is the protocol's share of one block that is uploaded, 16
// requests at a time.
func BenchmarkServe(b *testing.B) {
	const batch = 16
	torrent, _ := stage.Torrent(b, batch*blockSize, batch*blockSize)
	s, n := newSession(torrent, usualQueue, false, start), 0
	s.flags.AmChoking = false
	s.uploads.answered(&messages.PiecesServable{Runs: []messages.PieceRun{{To: 1}}})
	s.uploads.sent(0, maxHandedOver)
	var out []messages.Outgoing
	b.ReportAllocs()
	for b.Loop() {
		f := frame.Frame{Kind: frame.Request, Begin: uint32(n % batch * blockSize), Length: blockSize}
		if err := s.received(&f, start); err != nil {
			b.Fatal(err)
		}
		if n++; n%batch == 0 {
			var served int
			if out, served = s.uploads.serve(out[:0], torrent.PieceLength, math.MaxInt); len(out) != batch {
				b.Fatal(len(out))
			}
			s.uploads.sent(int64(served), maxHandedOver)
		}
	}
}
