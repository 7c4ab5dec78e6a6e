package hasher

import (
	"testing"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
)

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
	if got := (&gather{most: most, runs: true}).ripe(1, 1, false, false); got != 0 {
		t.Errorf("the very first run: %d", got)
	}
}

func TestWhatJoins(t *testing.T) {
	in := func(begin uint32) assembly.Block {
		return assembly.Block{Begin: begin, Length: 10, Data: &buffer.Block{}}
	}
	out := assembly.Block{Begin: 10, Length: 10}
	hashed := assembly.Prefix{Bytes: 20}
	for name, tc := range map[string]struct {
		j    Job
		want bool
	}{
		"a piece":                   {Job{Task: Verify, Blocks: []assembly.Block{in(0), in(10)}}, true},
		"partly on disk":            {Job{Task: Verify, Blocks: []assembly.Block{in(0), out}}, false},
		"the rest of a piece":       {Job{Task: Verify, Blocks: []assembly.Block{{Length: 10}, out, in(20)}, Hashed: hashed}, true},
		"on disk, and not hashed":   {Job{Task: Verify, Blocks: []assembly.Block{out, {Begin: 20, Length: 10}, in(30)}, Hashed: hashed}, false},
		"sums are wanted":           {Job{Task: Verify, Blocks: []assembly.Block{in(0)}, sum: true}, false},
		"a first run":               {Job{Task: Spill, Blocks: []assembly.Block{in(0), in(10)}}, true},
		"a further run":             {Job{Task: Spill, Blocks: []assembly.Block{in(20), in(30)}, Hashed: hashed}, true},
		"blocks that do not follow": {Job{Task: Spill, Blocks: []assembly.Block{in(30)}, Hashed: hashed}, false},
		"blocks with a gap":         {Job{Task: Spill, Blocks: []assembly.Block{in(20), in(40)}, Hashed: hashed}, false},
		"a check":                   {Job{Task: Check}, false},
	} {
		if got := tc.j.joins(); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
