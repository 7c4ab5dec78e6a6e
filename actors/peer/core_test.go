package peer

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/messages"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func block(i int) messages.Block {
	return messages.Block{Piece: uint32(i / 4), Begin: uint32(i % 4 * blockSize), Length: blockSize}
}

// Whatever is done to requests, each block is waiting, in flight, or gone.
func TestRequestsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r requests
		given, ended := map[messages.Block]bool{}, map[messages.Block]bool{}
		end := func(blocks []messages.Block) {
			for _, b := range blocks {
				if !given[b] || ended[b] {
					t.Fatalf("%v ended twice, or was never given", b)
				}
				ended[b] = true
			}
		}
		pick := func() messages.Block {
			return block(rapid.IntRange(0, 40).Draw(t, "block"))
		}
		now := 0.0
		t.Repeat(map[string]func(*rapid.T){
			"give": func(t *rapid.T) {
				if b := pick(); !given[b] {
					given[b] = true
					r.waiting = append(r.waiting, b)
				}
			},
			"ask": func(t *rapid.T) {
				now++
				budget := rapid.IntRange(0, 5*blockSize).Draw(t, "budget")
				if asked := r.ask(nil, budget, at(now)); len(asked)*blockSize > budget {
					t.Fatalf("asked for %d blocks with %d bytes", len(asked), budget)
				}
			},
			"answer": func(t *rapid.T) {
				b := pick()
				flying := slices.ContainsFunc(r.flight, func(q request) bool { return q.Block == b })
				if _, ok := r.answer(b); ok != flying {
					t.Fatalf("answer to %v: want %v", b, flying)
				}
				if flying {
					end([]messages.Block{b})
				}
			},
			"cancel": func(t *rapid.T) {
				b := pick()
				waits := slices.Contains(r.waiting, b)
				cancelled := r.cancel(nil, []messages.Block{b})
				end(cancelled)
				if waits {
					end([]messages.Block{b})
				}
			},
			"overdue": func(t *rapid.T) {
				limit := at(now - float64(rapid.IntRange(0, 5).Draw(t, "age")))
				end(r.overdue(nil, limit))
				if oldest, ok := r.oldest(); ok && oldest.Before(limit) {
					t.Fatal("an overdue request is left")
				}
			},
			"choke": func(t *rapid.T) {
				end(r.clear(nil))
				if r.outstanding() != 0 {
					t.Fatal("something is left")
				}
			},
			"": func(t *rapid.T) {
				if r.outstanding() != len(given)-len(ended) {
					t.Fatalf("%d outstanding, want %d", r.outstanding(), len(given)-len(ended))
				}
			},
		})
	})
}

// grant answers an inquiry as a store does whose pieces below n are verified.
func (u *uploads) grant(pieces []uint32, n uint32) (refused int) {
	return len(u.answered(&messages.PiecesServable{Pieces: pieces, Runs: []messages.PieceRun{{From: 0, To: n}}}))
}

func TestUploadsAreBounded(t *testing.T) {
	var u uploads
	for i := range maxUploads + 100 {
		u.request(block(i))
	}
	if len(u.queue) != maxUploads {
		t.Fatalf("%d queued", len(u.queue))
	}
	u.cancel(block(0))
	if out, _ := u.serve(nil, 1, math.MaxInt); len(out) > 0 {
		t.Fatal("serves what it knows nothing of")
	}
	pieces := u.inquire()
	if len(pieces) != maxInquiry/4+1 || u.inquire() != nil {
		t.Fatalf("asks for %d pieces, or again", len(pieces))
	}
	if n := u.grant(pieces, 1000); n != 0 {
		t.Fatalf("%d refused", n)
	}
	if _, bytes := u.serve(nil, 1, math.MaxInt); bytes != minHandedOver {
		t.Fatalf("serves %d bytes to a link of which nothing is known", bytes)
	}
	u.sent(minHandedOver, 12*blockSize)
	if _, bytes := u.serve(nil, 1, math.MaxInt); bytes != 6*blockSize {
		t.Fatalf("serves %d bytes to a link that takes 12 blocks a second", bytes)
	}
	u.sent(6*blockSize, math.MaxInt32)
	const first = 1 + minHandedOver/blockSize + 6
	out, bytes := u.serve(nil, 4*blockSize, math.MaxInt)
	if bytes != maxHandedOver || len(out) != maxHandedOver/blockSize || blockOf(&out[0].Frame) != block(first) || out[0].Offset != first*blockSize {
		t.Fatalf("serves %d bytes, %d blocks from %+v on", bytes, len(out), out[0])
	}
	if _, bytes = u.serve(nil, 1, math.MaxInt); bytes > 0 || u.inquire() != nil {
		t.Fatal("hands over more than the bound, or asks for it")
	}
	u.handed = 0
	if out, bytes = u.serve(nil, 1, 3*blockSize-1); len(out) != 2 || bytes != 2*blockSize {
		t.Fatalf("%d blocks for tokens of almost three", len(out))
	}
	u.clear()
	if out, _ = u.serve(nil, 1, math.MaxInt); len(out) > 0 {
		t.Fatal("a choke leaves requests")
	}
}

func TestUploadsDropWhatIsRefused(t *testing.T) {
	var u uploads
	for _, i := range []int{0, 4, 1, 40, 5, 80} { // pieces 0, 1, 0, 10, 1, 20
		u.request(block(i))
	}
	u.queue = slices.Grow(u.queue, 1)
	pieces := u.inquire()
	u.request(block(120)) // not among those asked for
	if n := u.grant(pieces, 1); n != 4 {
		t.Errorf("%d refused", n)
	}
	out, _ := u.serve(nil, 1, math.MaxInt)
	if len(out) != 2 || out[0].Index != 0 || out[1].Index != 0 {
		t.Errorf("served %v", out)
	}
	if next := u.inquire(); !slices.Equal(next, []uint32{30}) {
		t.Errorf("then asks for %d", next)
	}
	// A cancel and a choke while the store is asked leave nothing to be served.
	u.cancel(block(120))
	u.grant([]uint32{30}, 100)
	if out, _ := u.serve(nil, 1, math.MaxInt); len(out) > 0 || u.asking {
		t.Errorf("serves %v after its cancel", out)
	}
}

// The store's answer lasts, so that an upload allocates nothing later.
func TestUploadsAllocateNothing(t *testing.T) {
	var u uploads
	u.sent(0, math.MaxInt32)
	var out []messages.Outgoing
	round := func() {
		for i := range maxInquiry {
			u.request(block(i))
		}
		if pieces := u.inquire(); pieces != nil {
			u.grant(pieces, 1000)
		}
		out, _ = u.serve(out[:0], 1, math.MaxInt)
		u.handed = 0
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%.1f allocations for %d blocks", n, maxInquiry)
	}
}
