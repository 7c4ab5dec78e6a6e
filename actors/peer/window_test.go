package peer

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// download plays a peer that answers a request after latency at the earliest,
// and rate requests a second at the most, and returns how many blocks came in
// the last second. Like the scheduler, it asks for more when a quarter of the
// window is free.
func download(w *window, seconds float64, blocksPerSecond int, latency time.Duration) (last int) {
	type asked struct{ sent, due float64 }
	var flight []asked
	now, free := 0.0, 0.0 // free: when the peer has answered all so far
	w.flow.Resume(at(now))
	for now < seconds {
		if n := w.requests(); len(flight) < 4 || 4*len(flight) <= 3*n {
			for len(flight) < n {
				free = max(free, now+latency.Seconds()) + 1/float64(blocksPerSecond)
				flight = append(flight, asked{now, free})
			}
		}
		now = max(now, flight[0].due)
		w.arrived(1, at(flight[0].sent), at(now))
		flight = flight[1:]
		if now > seconds-1 {
			last++
		}
	}
	return last
}

// A peer is kept busy, however long its answers take, and is not asked for much
// more than that needs.
func TestWindowFillsTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		latency := time.Duration(rapid.IntRange(0, 400).Draw(t, "milliseconds")) * time.Millisecond
		rate := rapid.IntRange(100, 20_000).Draw(t, "blocks a second")
		w := newWindow(usualQueue, maxWindow)
		wire := float64(rate) * latency.Seconds()
		got := download(&w, 20, rate, latency)
		if need := min(float64(rate), 0.7*maxWindow/latency.Seconds()); float64(got) < 0.95*need {
			t.Errorf("%d blocks in the last second, with a window of %d", got, w.requests())
		}
		// The first answer took longer than the latency by the time of a block.
		if most := 1.02*refill*(wire+1) + float64(usualQueue.Most); float64(w.requests()) > most {
			t.Errorf("a window of %d where the wire holds %.0f", w.requests(), wire)
		}
	})
}

func TestWindowIsSmallForASlowPeer(t *testing.T) {
	w := newWindow(usualQueue, maxWindow)
	if w.requests() != minWindow {
		t.Fatalf("starts with %d", w.requests())
	}
	download(&w, 60, 2, 50*time.Millisecond)
	if w.requests() != minWindow {
		t.Errorf("two blocks a second end at %d, want %d", w.requests(), minWindow)
	}
}

// Blocks that come all at once after a pause do not make the window large.
func TestWindowGrowsByWhatComes(t *testing.T) {
	w := newWindow(usualQueue, maxWindow)
	w.flow.Resume(at(0))
	for i := range 5 {
		before := w.requests()
		w.arrived(8, at(0), at(float64(i)/1e6))
		if w.requests() > before+8 {
			t.Fatalf("from %d to %d by 8 blocks", before, w.requests())
		}
	}
}

func TestWindowObeysThePeer(t *testing.T) {
	for _, most := range []int{5, 100, maxWindow, 1 << 30} {
		w := newWindow(usualQueue, usualMost)
		w.allow(most)
		download(&w, 10, 20_000, 300*time.Millisecond)
		if w.requests() > min(most, maxWindow) {
			t.Errorf("%d requests to a peer that queues %d", w.requests(), most)
		}
	}
}

func TestWindowOfAPeerThatSnubs(t *testing.T) {
	w := newWindow(usualQueue, 100)
	download(&w, 10, 1000, 0)
	w.snub()
	if w.requests() != snubWindow {
		t.Errorf("a snubbing peer has %d", w.requests())
	}
	w.flow.Resume(at(60))
	w.arrived(1, at(60), at(61))
	if n := w.requests(); n < minWindow || n > 100 {
		t.Errorf("a peer that came back has %d", n)
	}
}
