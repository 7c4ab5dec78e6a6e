package hasher

import (
	"testing"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
)

func TestTogether(t *testing.T) {
	if digest.Least() > digest.Lanes {
		t.Skip("nothing is hashed side by side on this processor")
	}
	for _, tc := range []struct {
		memory, pieceLength int64
		want                int
	}{
		{14 << 20, 1 << 20, digest.Lanes},
		{16 << 20, 16 << 10, digest.Lanes},
		{16 << 20, 16 << 20, 1},
		{1, 1 << 20, 1},
	} {
		if got := together(tc.memory, tc.pieceLength, digest.Least()); got != tc.want {
			t.Errorf("%d bytes of memory, pieces of %d: %d, want %d", tc.memory, tc.pieceLength, got, tc.want)
		}
	}
}

func TestExtent(t *testing.T) {
	for _, tc := range []struct {
		together    int
		pieceLength int64
		want        int64
	}{
		{digest.Lanes, 16 << 20, 0}, // they wait to be whole
		{1, 1 << 20, 0},
		{1, 2 * longRun, 0},
		{1, 2*longRun + 1, longRun},
	} {
		if got := extent(tc.together, tc.pieceLength); got != tc.want {
			t.Errorf("%d together, pieces of %d: %d, want %d", tc.together, tc.pieceLength, got, tc.want)
		}
	}
}

// flowing is a gather to which pieces have come, the given time apart.
func flowing(most int, apart time.Duration) *gather {
	g, now := &gather{most: most}, time.Unix(0, 0)
	for range 2 * digest.Lanes {
		g.whole(now)
		now = now.Add(apart)
	}
	return g
}

func TestRipe(t *testing.T) {
	const most = 4
	for name, tc := range map[string]struct {
		apart            time.Duration
		joining, waiting int
		busy, last, due  bool
		want             int
	}{
		"enough":                {0, 4, 4, false, false, false, 4},
		"more than enough":      {0, 6, 9, false, false, false, 4},
		"too few":               {0, 3, 3, false, false, false, 0},
		"others stand behind":   {0, 3, 4, false, false, false, 3},
		"the last":              {0, 3, 3, false, true, false, 3},
		"waited enough":         {0, 3, 3, false, false, true, 3},
		"just quick enough":     {maxGap, 3, 3, false, false, false, 0},
		"too slow for each":     {2 * maxGap, 3, 3, false, false, false, 3},
		"too slow, and one":     {2 * maxGap, 1, 1, false, false, false, 1},
		"too slow, and enough":  {2 * maxGap, 4, 4, false, false, false, 4},
		"nothing to be hashed":  {0, 0, 0, false, true, false, 0},
		"nothing, and was due":  {0, 0, 0, false, false, true, 0},
		"enough, and was due":   {0, 4, 4, false, false, true, 4},
		"of more, and was due":  {0, 6, 6, false, false, true, 4},
		"too slow, one works":   {2 * maxGap, 3, 3, true, false, false, 0},
		"enough, one works":     {2 * maxGap, 4, 4, true, false, false, 4},
		"the last, one works":   {2 * maxGap, 3, 3, true, true, false, 3},
		"due, and one works":    {2 * maxGap, 3, 3, true, false, true, 3},
		"quick, but for others": {0, 1, 2, false, false, false, 1},
	} {
		g := flowing(most, tc.apart)
		g.due = tc.due
		if got := g.ripe(tc.joining, tc.waiting, tc.busy, tc.last); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
		if g.due {
			t.Errorf("%s: the next ones would not wait", name)
		}
	}
	if got := (&gather{most: most}).ripe(1, 1, false, false); got != 1 {
		t.Errorf("the very first piece: %d", got)
	}
}

func TestWhatJoins(t *testing.T) {
	in := assembly.Block{Data: &buffer.Block{}}
	for name, tc := range map[string]struct {
		j    Job
		want bool
	}{
		"a piece":         {Job{Task: Verify, Blocks: []assembly.Block{in, in}}, true},
		"partly on disk":  {Job{Task: Verify, Blocks: []assembly.Block{in, {}}}, false},
		"sums are wanted": {Job{Task: Verify, Blocks: []assembly.Block{in}, sum: true}, false},
		"a spill":         {Job{Task: Spill, Blocks: []assembly.Block{in}}, false},
		"a check":         {Job{Task: Check}, false},
	} {
		if got := tc.j.joins(); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
