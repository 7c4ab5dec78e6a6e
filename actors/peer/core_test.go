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

func TestMeterMeasuresASteadyRate(t *testing.T) {
	for _, span := range []int{recent, span} {
		var m meter
		m.begin(start)
		for i := range 600 {
			m.add(at(float64(i)/10), 1000)
		}
		if rate := m.rate(at(60), span); math.Abs(rate-10000) > 500 {
			t.Errorf("over %d s: %.0f bytes a second, want 10000", span, rate)
		}
		if m.total != 600_000 {
			t.Errorf("total %d", m.total)
		}
	}
}

func TestMeterForgets(t *testing.T) {
	var m meter
	m.begin(start)
	m.add(at(1), 1<<20)
	if rate := m.rate(at(10), span); rate < 100_000 {
		t.Errorf("after 9 s: %.0f", rate)
	}
	if rate := m.rate(at(10), recent); rate != 0 {
		t.Errorf("the recent rate after 9 s: %.0f", rate)
	}
	if rate := m.rate(at(22), span); rate != 0 {
		t.Errorf("after 21 s: %.0f", rate)
	}
	if rate := m.rate(at(10_000), span); rate != 0 {
		t.Errorf("after hours: %.0f", rate)
	}
}

// What a meter says never exceeds all that was counted within a second.
func TestMeterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m meter
		m.begin(start)
		now, sum := 0.0, int64(0)
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now += rapid.Float64Range(0, 10).Draw(t, "pause")
			n := rapid.IntRange(0, 1<<20).Draw(t, "bytes")
			m.add(at(now), n)
			sum += int64(n)
			if rate := m.rate(at(now), span); rate < 0 || rate > float64(sum) {
				t.Fatalf("rate %.0f of %d bytes", rate, sum)
			}
			if m.total != sum {
				t.Fatalf("total %d, want %d", m.total, sum)
			}
		}
	})
}

func block(i int) messages.Block {
	return messages.Block{Piece: uint32(i / 4), Begin: uint32(i % 4 * blockSize), Length: blockSize}
}

// Whatever is done to them, each block is waiting, under way, or gone.
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

func TestUploadsAreBounded(t *testing.T) {
	var u uploads
	for i := range maxUploads + 100 {
		u.request(block(i))
	}
	if len(u.queue) != maxUploads {
		t.Fatalf("%d queued", len(u.queue))
	}
	u.cancel(block(0))
	first := u.next(math.MaxInt)
	if len(first) != batch || first[0] != block(1) {
		t.Fatalf("the first batch: %d blocks from %v", len(first), first[0])
	}
	if u.next(math.MaxInt) != nil {
		t.Fatal("two lookups at a time")
	}
	if !u.loaded() {
		t.Fatal("a wanted batch is dropped")
	}
	u.handed = handOver
	if u.next(math.MaxInt) != nil {
		t.Fatal("hands over more than the bound")
	}
	u.handed = 0
	if got := u.next(3*blockSize - 1); len(got) != 2 {
		t.Fatalf("%d blocks for tokens of almost three", len(got))
	}
	u.clear()
	if u.loaded() {
		t.Fatal("what was looked up before a choke is sent")
	}
	if u.next(math.MaxInt) != nil {
		t.Fatal("a choke leaves requests")
	}
}
