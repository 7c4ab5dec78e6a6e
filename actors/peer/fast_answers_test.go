package peer

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// side is one end of a conversation: a session with the frames that are on
// their way to it.
type side struct {
	*session
	pool    *buffer.Pool
	inbox   []frame.Frame
	waits   map[messages.Block]bool // what its scheduler waits for
	asked   map[messages.Block]int  // requests that it has sent and that are not answered
	refused bool                    // its store refuses some pieces
}

// Every request ends in exactly one piece or one reject, whatever both sides
// choke, cancel and refuse meanwhile, and each scheduler hears of each block
// once.
func TestEachRequestIsAnsweredOnce(t *testing.T) {
	torrent, _ := stage.Torrent(t, 10*4*blockSize-100, 4*blockSize)
	rapid.Check(t, func(t *rapid.T) { converse(t, torrent) })
}

func converse(t *rapid.T, torrent *metainfo.Torrent) {
	now := start
	sides := [2]*side{}
	for i := range sides {
		sides[i] = &side{
			session: newSession(torrent, usualQueue, false, start), pool: buffer.NewPool(100),
			waits: map[messages.Block]bool{}, asked: map[messages.Block]int{}, refused: i == 1,
		}
		sides[i].speakFast()
	}
	// settle takes what a side wants done.
	settle := func(from, to *side) {
		for _, b := range from.out.stored {
			b.Data.Release()
		}
		for _, b := range slices.Concat(from.out.arrived, from.out.dropped) {
			if !from.waits[b] {
				t.Fatalf("%v is told of twice", b)
			}
			delete(from.waits, b)
		}
		for i := range from.out.frames {
			f := from.out.frames[i].Frame
			switch f.Kind {
			case frame.Request:
				from.asked[blockOf(&f)]++
			case frame.Piece:
				f.Block = to.pool.Fit(int(f.Length))
				fallthrough
			case frame.Reject:
				if b := blockOf(&f); to.asked[b] == 0 {
					t.Fatalf("%v answers no request for %v", f.Kind, b)
				} else {
					to.asked[b]--
				}
			}
			to.inbox = append(to.inbox, f)
		}
		from.out = effects{}
	}
	deliver := func(from, to *side, n int) {
		for ; n > 0 && len(to.inbox) > 0; n-- {
			f := to.inbox[0]
			to.inbox = to.inbox[1:]
			if err := to.received(&f, now); err != nil {
				t.Fatalf("%v ends the connection: %v", f.Kind, err)
			}
		}
		to.batchDone(now)
		settle(to, from)
	}
	serve := func(from, to *side) {
		if pieces := from.uploads.inquire(); pieces != nil {
			held := uint32(10)
			if from.refused {
				held = 7
			}
			if err := from.servable(&messages.PiecesServable{Pieces: pieces, Runs: []messages.PieceRun{{To: held}}}, now); err != nil {
				t.Fatal(err)
			}
		}
		from.serve(math.MaxInt)
		from.uploads.handed = 0
		settle(from, to)
	}
	pair := func(t *rapid.T) (*side, *side) {
		i := rapid.IntRange(0, 1).Draw(t, "side")
		return sides[i], sides[1-i]
	}
	some := func(t *rapid.T) messages.Block { return block(rapid.IntRange(0, 35).Draw(t, "block")) }
	t.Repeat(map[string]func(*rapid.T){
		"want": func(t *rapid.T) {
			from, to := pair(t)
			if b := some(t); !from.waits[b] {
				from.waits[b] = true
				from.want([]messages.Block{b})
				from.ask(math.MaxInt, now)
				settle(from, to)
			}
		},
		"cancel": func(t *rapid.T) {
			from, to := pair(t)
			if b := some(t); from.waits[b] {
				delete(from.waits, b)
				from.cancel([]messages.Block{b})
				settle(from, to)
			}
		},
		"choke": func(t *rapid.T) {
			from, to := pair(t)
			from.setChoked(rapid.Bool().Draw(t, "choke"))
			settle(from, to)
		},
		"deliver": func(t *rapid.T) {
			from, to := pair(t)
			deliver(from, to, rapid.IntRange(1, 20).Draw(t, "frames"))
		},
		"serve": func(t *rapid.T) { serve(pair(t)) },
		"time":  func(*rapid.T) { now = now.Add(time.Second) },
	})
	for i := range sides {
		sides[i].setChoked(true)
		settle(sides[i], sides[1-i])
	}
	for len(sides[0].inbox)+len(sides[1].inbox) > 0 {
		deliver(sides[0], sides[1], math.MaxInt)
		deliver(sides[1], sides[0], math.MaxInt)
	}
	for _, s := range sides {
		for b, n := range s.asked {
			if n != 0 {
				t.Fatalf("%d requests for %v are not answered", n, b)
			}
		}
		if len(s.waits) > 0 || s.requests.outstanding() > 0 || s.requests.late > 0 || len(s.requests.dropped) > 0 || s.pool.Stats().Live > 0 {
			t.Fatalf("%v are waited for, %d outstanding, %d late, %v dropped, %d blocks live",
				s.waits, s.requests.outstanding(), s.requests.late, s.requests.dropped, s.pool.Stats().Live)
		}
	}
}
