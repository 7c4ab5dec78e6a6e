package sim

import (
	"slices"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
)

// chore is a thread whose work takes these times.
type chore struct {
	takes []time.Duration
	done  func()
	life  *life // nil: for ever
}

func (c *chore) over() bool { return c.life.over() }

func (c *chore) begin() (time.Duration, bool) {
	if len(c.takes) == 0 {
		return 0, false
	}
	return c.takes[0], true
}

func (c *chore) end() {
	c.takes = c.takes[1:]
	c.done()
}

func TestCores(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		cores int
		takes [][]time.Duration
		want  []string // what is done, by which thread and when
	}{
		"one thread":                    {1, [][]time.Duration{{3 * ms, 4 * ms}}, []string{"a 3ms", "a 7ms"}},
		"first come, first served":      {1, [][]time.Duration{{3 * ms, 4 * ms}, {1 * ms}}, []string{"a 3ms", "a 7ms", "b 8ms"}},
		"a core each":                   {2, [][]time.Duration{{3 * ms, 4 * ms}, {1 * ms}}, []string{"b 1ms", "a 3ms", "a 7ms"}},
		"two cores for three":           {2, [][]time.Duration{{3 * ms}, {1 * ms}, {5 * ms}}, []string{"b 1ms", "a 3ms", "c 6ms"}},
		"a long one lets others pass":   {1, [][]time.Duration{{9 * ms, 2 * ms, 1 * ms}, {1 * ms}}, []string{"a 9ms", "a 11ms", "b 12ms", "a 13ms"}},
		"unless nobody waits":           {1, [][]time.Duration{{9 * ms, 2 * ms, 1 * ms}}, []string{"a 9ms", "a 11ms", "a 12ms"}},
		"what has begun is not stopped": {1, [][]time.Duration{{50 * ms, 1 * ms}, {1 * ms}}, []string{"a 50ms", "b 51ms", "a 52ms"}},
	} {
		s := New(1, nil)
		cores := s.NewCores(tc.cores)
		var got []string
		for i, takes := range tc.takes {
			who := string(rune('a' + i))
			cores.enter(&chore{takes: takes, done: func() { got = append(got, who+" "+s.Elapsed().String()) }})
		}
		for s.Step() {
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		if cores.free != tc.cores {
			t.Errorf("%s: %d of %d cores are free in the end", name, cores.free, tc.cores)
		}
	}
}

// A process that has ended lets nothing happen any more, and what it had in
// line takes no time from others.
func TestWorkEndsWithItsProcess(t *testing.T) {
	s := New(1, nil)
	cores := s.NewCores(1)
	h := s.NewHost("a", Class{Cores: cores})
	for range 2 {
		cores.enter(&chore{[]time.Duration{time.Second}, func() { t.Error("the work of a killed process has had effects") }, h.life})
	}
	h.Kill()
	h.Boot()
	done := time.Duration(0)
	cores.enter(&chore{[]time.Duration{time.Second}, func() { done = s.Elapsed() }, h.life})
	for s.Step() {
	}
	if done != 2*time.Second { // what had begun keeps its core to its end
		t.Errorf("the next process is done after %v", done)
	}
}

// What a connection carries takes its receiver and its sender time, and is
// counted.
func TestLinksTakeTime(t *testing.T) {
	const each, kib = 3 * time.Millisecond, time.Millisecond
	costs := work.NewCosts([]work.Cost{
		{Kind: work.Link, Message: work.Sent, Time: work.Time(each)},
		{Kind: work.Link, Message: work.Received, KiB: work.Time(kib)},
	})
	s := New(1, nil)
	h := s.NewHost("a", Class{Cores: s.NewCores(1), Costs: costs})
	l := &link{host: h, life: h.life}
	var at []time.Duration
	l.reader = stream{link: l, message: work.Received, on: func(*segment) { at = append(at, s.Elapsed()) }}
	l.writer = stream{link: l, message: work.Sent, on: func(*segment) { at = append(at, s.Elapsed()) }}
	for range 2 {
		l.writer.pass(&segment{from: l, bytes: 1 << 20})
	}
	l.reader.pass(&segment{from: l, bytes: 2 << 10})
	for s.Step() {
	}
	if want := []time.Duration{each, 2 * each, 2*each + 2*kib}; !slices.Equal(at, want) {
		t.Errorf("segments pass at %v, want %v", at, want)
	}
	h.Meter().Take(time.Second, func(kind string, w *event.Work) {
		if kind != work.Link || w.Busy != 2*each+2*kib || w.Handled != 3 || w.Actors != 2 || w.Waiting != each+2*each {
			t.Errorf("%s: %+v", kind, w)
		}
	})
}
