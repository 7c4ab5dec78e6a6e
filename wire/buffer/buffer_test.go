package buffer

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// panics returns what f panics with, as text.
func panics(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func TestBlock(t *testing.T) {
	b := NewPool(1).Get()
	if n := len(b.Bytes()); n != Size {
		t.Errorf("a new block has length %d", n)
	}
	b.SetLen(5)
	if n := len(b.Bytes()); n != 5 {
		t.Errorf("length %d after SetLen(5)", n)
	}
	for _, n := range []int{-1, Size + 1} {
		if panics(func() { b.SetLen(n) }) == "" {
			t.Errorf("SetLen(%d) is accepted", n)
		}
	}
}

func TestLastReleasedIsFirstLent(t *testing.T) {
	p := NewPool(3)
	lent := make([]*Block, 3)
	p.GetN(lent)
	lent[0].SetLen(1)
	back := slices.Clone(lent)
	p.ReleaseAll(back)
	if slices.ContainsFunc(back, func(b *Block) bool { return b != nil }) {
		t.Error("ReleaseAll leaves blocks behind in the slice")
	}
	for i := range 3 {
		b := p.Get()
		if b != lent[2-i] {
			t.Errorf("block %d is not the last one released", i)
		}
		if n := len(b.Bytes()); n != Size {
			t.Errorf("a block comes back with length %d", n)
		}
	}
}

func TestPoolIsBounded(t *testing.T) {
	p := NewPool(4)
	lent := make([]*Block, 10)
	want := func(live, free int) {
		t.Helper()
		if got := p.Stats(); got != (Stats{Live: live, Free: free}) {
			t.Errorf("stats %+v, want %d live and %d free", got, live, free)
		}
	}
	p.GetN(lent)
	want(10, 0)
	lent[0].Release()
	want(9, 1)
	p.ReleaseAll(lent[1:])
	want(0, 4)
	p.Trim(1)
	want(0, 1)
	p.Trim(-1)
	want(0, 0)
}

func TestMisuse(t *testing.T) {
	p := NewPool(4)
	for name, fit := range map[string]int{"pooled": Size, "made to measure": 10} {
		lend := func() *Block { return p.Fit(fit) }
		for misuse, tc := range map[string]struct {
			do   func(*Block)
			text string
		}{
			"release":     {func(b *Block) { b.Release() }, "released twice"},
			"release all": {func(b *Block) { p.ReleaseAll([]*Block{b}) }, "released twice"},
			"bytes":       {func(b *Block) { b.Bytes() }, "use of a released block"},
			"set length":  {func(b *Block) { b.SetLen(1) }, "use of a released block"},
		} {
			b := lend()
			b.Release()
			if text := panics(func() { tc.do(b) }); !strings.Contains(text, tc.text) {
				t.Errorf("%s block, %s after release: panics with %q", name, misuse, text)
			}
		}
	}
	foreign := NewPool(1).Get()
	if text := panics(func() { p.ReleaseAll([]*Block{nil, foreign}) }); !strings.Contains(text, "foreign") {
		t.Errorf("foreign block: panics with %q", text)
	}
}

func TestLateWriteIsFound(t *testing.T) {
	if !poison {
		t.Skip("only with the race detector or the tag poison")
	}
	p := NewPool(1)
	b := p.Get()
	kept := b.Bytes()
	b.Release()
	kept[100]++
	if text := panics(func() { p.Get() }); !strings.Contains(text, "after its release") {
		t.Errorf("panics with %q", text)
	}
}

func TestFit(t *testing.T) {
	p := NewPool(4)
	for _, tc := range []struct{ n, live int }{{0, 0}, {1, 0}, {small - 1, 0}, {small, 1}, {Size, 1}} {
		b := p.Fit(tc.n)
		if got := len(b.Bytes()); got != tc.n {
			t.Errorf("Fit(%d) has length %d", tc.n, got)
		}
		if live := p.Stats().Live; live != tc.live {
			t.Errorf("Fit(%d) takes %d pooled blocks, want %d", tc.n, live, tc.live)
		}
		p.ReleaseAll([]*Block{b})
	}
}

func TestLostBlocksAreCollected(t *testing.T) {
	p := NewPool(4)
	func() { p.GetN(make([]*Block, 100)) }()
	for p.Stats().Live > 0 { // the test's own timeout bounds the wait
		runtime.GC()
		runtime.Gosched()
	}
}

func TestAbandonedPoolIsCollected(t *testing.T) {
	gone := make(chan struct{})
	func() {
		p := NewPool(4)
		runtime.AddCleanup(p, func(gone chan struct{}) { close(gone) }, gone)
		p.Get().Release()
	}()
	for {
		select {
		case <-gone:
			return
		default:
			runtime.GC()
			runtime.Gosched()
		}
	}
}

func TestConcurrentOwners(t *testing.T) {
	p := NewPool(16)
	passed := make(chan *Block, 8)
	var givers, takers sync.WaitGroup
	for range 4 {
		givers.Go(func() {
			bs := make([]*Block, 5)
			for range 200 {
				p.GetN(bs)
				for _, b := range bs {
					b.Bytes()[0] = 7
					passed <- b
				}
			}
		})
		takers.Go(func() {
			for b := range passed {
				if b.Bytes()[0] != 7 {
					t.Error("a block has two owners")
				}
				b.Release()
			}
		})
	}
	givers.Wait()
	close(passed)
	takers.Wait()
	if live := p.Stats().Live; live != 0 {
		t.Errorf("%d blocks live", live)
	}
}

func BenchmarkGetRelease(b *testing.B) {
	p := NewPool(1)
	b.ReportAllocs()
	for b.Loop() {
		p.Get().Release()
	}
}

func BenchmarkGetNReleaseAll64(b *testing.B) {
	p := NewPool(64)
	bs := make([]*Block, 64)
	b.ReportAllocs()
	for b.Loop() {
		p.GetN(bs)
		p.ReleaseAll(bs)
	}
}
