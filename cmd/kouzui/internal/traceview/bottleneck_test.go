package traceview

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/work"
)

// traced plays a download from one seed, whose class has these keys, and
// returns the trace.
func traced(t *testing.T, seed, peer string) *trace.Reader {
	t.Helper()
	s, err := lab.Read(`
		content = "8 MiB"
		[[cost]]
		kind = "hash"
		kib = "100us"
		[[class]]
		name = "seed"
		have = 1
		` + seed + `
		[[class]]
		name = "peer"
		leave = "complete"
		cores = 1
		` + peer)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	file := trace.NewDirect(&out, trace.Header{Run: "r", Build: "b", Clock: "virtual", StartedAt: lab.Epoch})
	if _, err := lab.Run(s, lab.Options{Seed: 1, Trace: []event.Sink{file}}); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := trace.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A download that is slowed down in one place is held up there, and nowhere
// else.
func TestFindBottleneck(t *testing.T) {
	for name, tc := range map[string]struct{ seed, peer, ofSeed, ofPeer string }{
		"limit":     {"cores = 1", "down = \"500 KiB\"\nlimits = true", "", "limiter"},
		"uplink":    {"cores = 1\nup = \"500 KiB\"", "", "uplink", ""},
		"downlink":  {"cores = 1", "down = \"500 KiB\"", "", "downlink"},
		"disk":      {"cores = 1", `disk = { rate = "500 KiB" }`, "", "disk"},
		"processor": {"", "", "none", "processor"},
	} {
		b, err := FindBottleneck(traced(t, tc.seed, tc.peer), "*")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{"seed-001": "none"}
		for _, p := range b.Processes {
			got[p.Root] = p.HeldBy
		}
		if got["seed-001"] != tc.ofSeed || got["peer-001"] != tc.ofPeer {
			t.Errorf("%s: the seed is held up by %q, want %q; the peer by %q, want %q", name, got["seed-001"], tc.ofSeed, got["peer-001"], tc.ofPeer)
		}
		var out strings.Builder
		if err := b.Write(&out, false, 80); err != nil || !strings.Contains(out.String(), "peer-001 is held up by") {
			t.Errorf("%v: %s", err, out.String())
		}
		checkWidth(t, out.String(), 80)
	}
	if _, err := FindBottleneck(traced(t, "", ""), "nobody*"); !errors.Is(err, ErrNoWork) {
		t.Errorf("of a run without measurements: %v", err)
	}
}

// One actor that is busy all the time holds its run up, if its process has
// processors to spare; not if the actors only wait for the disk.
func TestBusyActorOrDisk(t *testing.T) {
	second := time.Second
	w := func(busy time.Duration, device bool, flows ...event.Flow) *event.Work {
		return &event.Work{Span: second, Cores: 2, Device: device, Actors: 1, Handled: 1, Busy: busy, Busiest: busy, Flows: flows}
	}
	for name, tc := range map[string]struct {
		kinds map[string]*event.Work
		want  string
	}{
		"an actor":            {map[string]*event.Work{"scheduler": w(second, false), "processor": w(second*11/10, true)}, "scheduler"},
		"the disk":            {map[string]*event.Work{"hash": w(second, false), "processor": w(second/10, true)}, "disk"},
		"hashing":             {map[string]*event.Work{"hash": w(second, false), "processor": w(second*3/2, true)}, "hash"},
		"the processor":       {map[string]*event.Work{"scheduler": w(second, false), "processor": w(2*second, true)}, "processor"},
		"a simulated one":     {map[string]*event.Work{"scheduler": w(second, false), "hash": w(second, false)}, "processor"},
		"nothing":             {map[string]*event.Work{"scheduler": w(second/2, false), "processor": w(second, true)}, ""},
		"few wait for tokens": {map[string]*event.Work{"limiter": w(0, false, event.Flow{Message: "TokensWanted", Count: 100}, event.Flow{Message: "due", Count: 20})}, ""},
		"many do":             {map[string]*event.Work{"limiter": w(0, false, event.Flow{Message: "TokensWanted", Count: 100}, event.Flow{Message: "due", Count: 80})}, "limiter"},
	} {
		if p := judge("client", []*span{{process: "client", Span: work.Span{Length: second, Kinds: tc.kinds}}}); p.HeldBy != tc.want {
			t.Errorf("%s: held up by %q: %+v", name, p.HeldBy, p.Signs)
		}
	}
}

// Only the time in which a process downloads counts, not its rest.
func TestMoving(t *testing.T) {
	of := func(process, message string, n uint64) *span {
		return &span{process: process, Span: work.Span{Length: time.Second, Kinds: map[string]*event.Work{"k": {Flows: []event.Flow{{Message: message, Count: n}}}}}}
	}
	down, tail, up, rest := of("a", "StoreBlocks", 1000), of("a", "StoreBlocks", 1), of("a", "FramesSent", 1000), of("a", "Tick", 1)
	seed := of("b", "FramesSent", 5)
	if got := moving([]*span{rest, down, tail, up, seed}); len(got) != 2 || got[0] != down || got[1] != seed {
		t.Errorf("%d spans", len(got))
	}
	if got := moving([]*span{rest}); len(got) != 1 {
		t.Errorf("where nothing ever moves, %d spans", len(got))
	}
}

func TestStatsOfWork(t *testing.T) {
	s, err := Count(traced(t, "cores = 1", ""), "peer*")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for i, k := range s.Work {
		if k.Kind == "hash" {
			at = i
			if k.Busy < 0.4 || k.Busiest > 1 || k.Took < 20_000 || k.Handled < 32 {
				t.Errorf("%+v", k)
			}
		}
	}
	if at != 0 {
		t.Errorf("hashing is the %d-th of what works most", at+1)
	}
	found := false
	for _, f := range s.Flows {
		found = found || f.From == "store" && f.To == "hash" && f.Message == "Batch" && f.Bytes > 0
	}
	if !found {
		t.Errorf("nobody hashes for the store: %+v", s.Flows)
	}
	var out strings.Builder
	if err := s.Write(&out, false, 80); err != nil {
		t.Fatal(err)
	}
	checkWidth(t, out.String(), 80)
	if !strings.Contains(out.String(), "who sends what to whom") {
		t.Error(out.String())
	}
}
