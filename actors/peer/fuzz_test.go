package peer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// surroundings are all that a session deals with, driven by the bytes of a
// fuzzer: the other side, a scheduler that keeps a ledger, a store, a link and
// a clock.
type surroundings struct {
	t       *testing.T
	s       *session
	torrent *metainfo.Torrent
	pool    *buffer.Pool
	input   []byte
	now     time.Time

	choked bool                    // as the scheduler knows it
	owed   map[messages.Block]bool // what the scheduler waits for
	told   map[uint32]bool         // pieces that the scheduler knows of
	// unanswered are the requests of the other side that have been neither served
	// nor rejected, if it speaks the fast extension.
	unanswered map[messages.Block]int
	over       bool // the connection ends
}

func (w *surroundings) byte() byte {
	if len(w.input) == 0 {
		return 0
	}
	b := w.input[0]
	w.input = w.input[1:]
	return b
}

// number is mostly below usual, and sometimes at the edge of a uint32.
func (w *surroundings) number(usual uint32) uint32 {
	switch b := w.byte(); {
	case b < 240:
		return uint32(b) % usual
	case b < 244:
		return usual
	case b < 248:
		return math.MaxUint32
	default:
		return math.MaxUint32 - blockSize + uint32(b)
	}
}

func (w *surroundings) block() messages.Block { return block(int(w.byte()) % 36) }

// frame is any frame that a link would let pass.
func (w *surroundings) frame() frame.Frame {
	kinds := []frame.Kind{
		frame.Choke, frame.Unchoke, frame.Interested, frame.NotInterested, frame.Have, frame.Bitfield,
		frame.Request, frame.Cancel, frame.Piece, frame.KeepAlive, frame.Port, frame.HaveAll, 99, frame.Extended,
		frame.HaveNone, frame.Reject, frame.AllowedFast, frame.Suggest,
	}
	f := frame.Frame{Kind: kinds[int(w.byte())%len(kinds)]}
	switch f.Kind {
	case frame.Have, frame.AllowedFast, frame.Suggest:
		f.Index = w.number(10)
	case frame.Bitfield:
		f.Bits = []byte{w.byte(), w.byte() & 0xc0}
	case frame.Request, frame.Cancel:
		f.Index, f.Begin, f.Length = w.number(10), w.number(4)*blockSize, w.number(8)*blockSize/2
	case frame.Reject:
		b := w.block()
		if w.byte() > 200 {
			b = messages.Block{Piece: w.number(10), Begin: w.number(math.MaxUint32), Length: w.number(blockSize)}
		}
		f.Index, f.Begin, f.Length = b.Piece, b.Begin, b.Length
	case frame.Piece:
		b := w.block()
		if w.byte() > 200 {
			b = messages.Block{Piece: w.number(10), Begin: w.number(math.MaxUint32), Length: w.number(blockSize)}
		}
		b.Length = min(b.Length, blockSize)
		f.Index, f.Begin, f.Length, f.Block = b.Piece, b.Begin, b.Length, w.pool.Fit(int(b.Length))
	case frame.Extended:
		f.Index, f.Bits = w.number(2), fmt.Appendf(nil, "d4:reqqi%dee", w.number(2*maxWindow))
	case 99:
		f.Length = min(w.number(1<<20), 1<<20)
	}
	return f
}

// step does one thing. It returns false if that ends the connection.
func (w *surroundings) step() bool {
	s := w.s
	var err error
	switch op := w.byte() % 16; op {
	default:
		err = w.receive()
		s.batchDone(w.now)
	case 0: // the scheduler gives, perhaps before it hears of a choke
		if b := w.block(); (!w.choked || s.fast) && !w.owed[b] {
			w.owed[b] = true
			s.want([]messages.Block{b})
		}
	case 1: // and takes
		if b := w.block(); w.owed[b] {
			delete(w.owed, b)
			s.cancel([]messages.Block{b})
		}
	case 2:
		s.setChoked(w.byte()%2 == 0)
	case 3:
		s.setInterested(w.byte()%2 == 0)
	case 4:
		w.now = w.now.Add(time.Duration(w.byte()) * time.Second)
		err = s.tick(w.now)
	case 5:
		s.ask(int(w.byte())*blockSize, w.now)
	case 6: // the store answers, and the link has sent
		if pieces := s.uploads.inquire(); pieces != nil {
			held := uint32(w.byte() % 12)
			err = s.servable(&messages.PiecesServable{Pieces: pieces, Runs: []messages.PieceRun{{From: 0, To: held}}}, w.now)
		}
		s.serve(int(w.byte()) * blockSize)
		s.uploads.handed = 0
	case 7: // several frames of one batch
		for range w.byte() % 8 {
			if err = w.receive(); err != nil {
				break
			}
		}
		s.batchDone(w.now)
	}
	w.flush()
	if err == nil && (s.surplus.unasked > maxUnasked || s.flood.owed > maxFlood) {
		w.t.Fatalf("bears %d blocks unasked, useless frames for %v", s.surplus.unasked, s.flood.owed)
	}
	if violation := new(frame.ProtocolError); err != nil && !errors.Is(err, errIdle) && !errors.As(err, &violation) {
		w.t.Fatalf("ends with %T %v", err, err)
	}
	return err == nil
}

// receive takes a frame of the other side.
func (w *surroundings) receive() error {
	f := w.frame()
	err := w.s.received(&f, w.now)
	if f.Kind == frame.Request {
		w.unanswered[blockOf(&f)]++
	}
	w.over = w.over || err != nil
	return err
}

// flush tells the scheduler what the actor would tell it.
func (w *surroundings) flush() {
	s, out := w.s, &w.s.out
	for _, b := range out.stored {
		b.Data.Release()
	}
	if len(out.stored) != len(out.arrived) {
		w.t.Fatalf("%d blocks are stored, %d are reported", len(out.stored), len(out.arrived))
	}
	for i, b := range out.arrived {
		if !w.owed[b] || out.stored[i].Block != b {
			w.t.Fatalf("takes %v, which is not owed", b)
		}
		delete(w.owed, b)
	}
	for _, b := range out.dropped {
		if !w.owed[b] {
			w.t.Fatalf("drops %v, which is not owed", b)
		}
		delete(w.owed, b)
	}
	if out.voided {
		clear(w.owed)
	}
	if out.choking {
		w.choked = s.flags.PeerChoking
	}
	for _, piece := range out.haves {
		if piece >= 10 || w.told[piece] {
			w.t.Fatalf("tells again, or wrongly, of piece %d", piece)
		}
		w.told[piece] = true
	}
	if out.bitfield != nil {
		for i := range out.bitfield.EachSet() {
			w.told[uint32(i)] = true
		}
	}
	for _, o := range out.frames {
		b := blockOf(&o.Frame)
		if o.Kind == frame.Piece || o.Kind == frame.Reject {
			w.unanswered[b]--
		}
		switch {
		case o.Kind.Fast() && !s.fast:
			w.t.Fatalf("sends %v to a peer that does not offer the fast extension", o.Kind)
		case o.Kind == frame.Piece:
			if int64(b.Begin)+int64(b.Length) > w.torrent.PieceSize(int(b.Piece)) || b.Length == 0 || b.Length > maxRequest {
				w.t.Fatalf("serves %v", b)
			}
		case o.Kind == frame.Request && s.flags.PeerChoking && !s.allows(b.Piece):
			w.t.Fatal("asks a peer that chokes")
		}
	}
	*out = effects{}
	w.check()
}

func (w *surroundings) check() {
	s := w.s
	have := map[messages.Block]bool{}
	for _, b := range s.requests.waiting {
		have[b] = true
	}
	for _, q := range s.requests.flight {
		have[q.Block] = true
	}
	switch {
	case s.requests.outstanding() != len(have):
		w.t.Fatal("a block is asked for twice")
	case !maps.Equal(have, w.owed):
		w.t.Fatalf("the session has %v under way, the scheduler waits for %v", have, w.owed)
	case s.flags.PeerChoking && len(have) > 0 && !s.servesOn && !s.fast:
		w.t.Fatal("something is under way to a peer that chokes")
	case slices.ContainsFunc(s.requests.waiting, func(b messages.Block) bool { return !s.mayAsk(b.Piece) }):
		w.t.Fatal("something waits that may not be asked for")
	case len(s.allowed) > maxAllowed, len(s.requests.dropped) > min(maxDropped, s.requests.late):
		w.t.Fatalf("%d pieces are allowed, %d requests of %d that were dropped are known", len(s.allowed), len(s.requests.dropped), s.requests.late)
	case s.fast && !w.over && !w.queued():
		w.t.Fatalf("of the requests of the other side %v wait, %v are not answered", s.uploads.queue, w.unanswered)
	case len(s.uploads.queue) > maxUploads, s.flags.AmChoking && len(s.uploads.queue) > 0:
		w.t.Fatalf("%d requests are queued, choking %v", len(s.uploads.queue), s.flags.AmChoking)
	case s.pieces != int(s.theirs.Count()) || s.pieces != len(w.told):
		w.t.Fatalf("counts %d pieces of %d, of which %d are told", s.pieces, s.theirs.Count(), len(w.told))
	case s.window.requests() < 1 || s.window.requests() > maxWindow:
		w.t.Fatalf("a window of %d", s.window.requests())
	case w.pool.Stats().Live != 0:
		w.t.Fatalf("%d blocks are not released", w.pool.Stats().Live)
	}
}

// queued says that just those requests of the other side wait that are not
// answered.
func (w *surroundings) queued() bool {
	left := maps.Clone(w.unanswered)
	for _, b := range w.s.uploads.queue {
		left[b]--
	}
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}

// FuzzSession does to a session what the other side, scheduler, store and clock
// may do, in any order. The session accepts only blocks that it asked for, owes
// exactly those that the scheduler waits for, keeps to its bounds, and ends
// with a reason if it ends.
func FuzzSession(f *testing.F) {
	torrent, _ := stage.Torrent(f, 10*4*blockSize-100, 4*blockSize)
	f.Add([]byte{})
	f.Add([]byte{8, 1, 0, 0, 0, 1, 5, 9, 8, 0, 8, 15, 0, 0, 8, 15, 1, 0, 8, 15, 9, 0}) // a choke, two rejects, one of nothing
	f.Add([]byte{8, 16, 2, 0, 9, 5, 9, 8, 15, 9, 0, 8, 11, 8, 14})                     // what is allowed, and rejected
	f.Add(slices.Repeat([]byte{2, 1, 8, 6, 1, 0, 2, 6, 9, 2, 0}, 50))                  // requests, served or rejected
	f.Add([]byte{8, 1, 0, 0, 0, 1, 5, 9, 8, 8, 0, 0})                                  // unchoke, two blocks asked, one comes
	f.Add([]byte{8, 1, 0, 0, 5, 9, 7, 2, 0, 1})                                        // choke and unchoke in one batch
	f.Add(slices.Repeat([]byte{8, 0, 8, 1}, 150))                                      // flapping
	f.Add(slices.Repeat([]byte{2, 1, 8, 6, 1, 0, 2, 6, 9}, 50))                        // requests, served
	f.Add([]byte{8, 1, 0, 3, 5, 9, 4, 40, 8, 8, 3, 0, 4, 40, 4})                       // too late
	f.Add([]byte{8, 5, 0xff, 0xff, 8, 4, 3, 8, 4, 243, 8, 5, 1})                       // haves
	f.Add([]byte{8, 8, 1, 255, 9, 250, 250, 8, 12, 245, 8, 9, 8})                      // rubbish
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, fast := range []bool{false, true} {
			w := &surroundings{
				t: t, torrent: torrent, pool: buffer.NewPool(64), input: input, now: start, choked: true,
				s: newSession(torrent, usualQueue, false, start), owed: map[messages.Block]bool{}, told: map[uint32]bool{},
				unanswered: map[messages.Block]int{},
			}
			if fast {
				w.s.speakFast()
			}
			for len(w.input) > 0 && w.step() {
			}
		}
	})
}

// FuzzEarlySession sends frames to a session whose pieces are not known, and
// more of them when they are. The session keeps to its bounds, and ends with a
// reason if it ends.
func FuzzEarlySession(f *testing.F) {
	torrent, _ := stage.Torrent(f, 10*4*blockSize-100, 4*blockSize)
	f.Add([]byte{3, 5, 0xff, 0xc0, 4, 3, 1, 4, 9})
	f.Add([]byte{2, 11, 16, 3, 1, 5, 1, 0x40})
	f.Add([]byte{1, 4, 250, 13, 0, 3})
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, fast := range []bool{false, true} {
			w := &surroundings{t: t, torrent: torrent, pool: buffer.NewPool(64), input: input, now: start}
			s := newEarlySession(fast)
			var err error
			for n := int(w.byte()); n > 0 && len(w.input) > 0 && err == nil; n-- {
				f := w.frame()
				err = s.received(&f, w.now)
			}
			if len(s.early.bits) > maxEarlyPieces/8+1 || len(s.early.allowed) > maxAllowed {
				t.Fatalf("keeps %d bytes, %d pieces that are allowed", len(s.early.bits), len(s.early.allowed))
			}
			if err == nil {
				err = s.learn(torrent, bitset.New(10).Set(1), w.now)
			}
			for len(w.input) > 0 && err == nil {
				f := w.frame()
				err = s.received(&f, w.now)
			}
			if violation := new(frame.ProtocolError); err != nil && !errors.Is(err, errForgot) && !errors.As(err, &violation) {
				t.Fatalf("ends with %T %v", err, err)
			}
			if s.torrent != nil && s.pieces != int(s.theirs.Count()) {
				t.Fatalf("counts %d pieces of %d", s.pieces, s.theirs.Count())
			}
		}
	})
}
