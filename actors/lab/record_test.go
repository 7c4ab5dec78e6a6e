package lab

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Three nodes hold one copy between them, and one loses what it has not synced:
// the samples show each of these moments.
func TestSamples(t *testing.T) {
	s, err := Read(`
content = "2 MiB"
piece = "64 KiB"
class = [{ name = "part", count = 3, copies = 1, up = "256 KiB", delay = "5ms", disk = { latency = "1ms" } }, { name = "late", arrive = "2s" }]
event = [{ at = "4s", do = "power cut", class = "late", for = "2s" }, { at = "5s", do = "tracker", for = "1s" }]
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(s, Options{Seed: 1})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(err, r.Wrong)
	}
	before := Sample{}
	for i, s := range r.Samples {
		if s.At != time.Duration(i)*every {
			t.Fatalf("sample %d is of %v", i, s.At)
		}
		if float64(s.Least) > s.Mean || s.Mean > float64(s.Most) || s.Most > s.Nodes || s.Complete > s.Nodes {
			t.Errorf("copies: %+v", s)
		}
		if s.Entropy < 0 || s.Entropy > 1 {
			t.Errorf("entropy: %+v", s)
		}
		if s.Downloaded < before.Downloaded || s.Uploaded < before.Uploaded {
			t.Errorf("after %+v: %+v", before, s)
		}
		before = s
	}
	if s := r.Samples[1]; s.Nodes != 3 || s.Least != 1 || s.Rare == 0 || s.Out != r.Pieces || s.Entropy != 1 {
		t.Errorf("one copy, dealt out: %+v", s)
	}
	if s := r.Samples[5]; s.Nodes != 3 {
		t.Errorf("while the machine is down: %+v", s)
	}
	late := r.Nodes[3]
	if late.Lost == 0 || late.Took < 4*time.Second {
		t.Errorf("after the power cut: %+v", late)
	}
	happened := map[string]int{}
	for _, m := range r.Marks {
		happened[m.What]++
	}
	if diff := cmp.Diff(map[string]int{"arrive": 4, "complete": 4, "power cut": 1, "tracker": 1}, happened); diff != "" {
		t.Error(diff)
	}
	var messages uint64
	for _, n := range r.Nodes {
		messages += n.Messages
	}
	if messages != r.Messages || messages == 0 {
		t.Errorf("%d messages of nodes, %d of all", messages, r.Messages)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		name, classes string
		want          Bounds
	}{
		{"a seed and two", `{ name = "s", have = 1.0, up = "1 MiB" }, { name = "l", count = 2, up = "512 KiB", down = "256 KiB" }`,
			Bounds{Seeds: 4 * time.Second, Slowest: 16 * time.Second, All: 4 * time.Second}},
		{"free riders give nothing", `{ name = "s", have = 1.0, up = "1 MiB" }, { name = "l", count = 2, up = "4 MiB", choker = "closed" }`,
			Bounds{Seeds: 4 * time.Second, All: 8 * time.Second}},
		{"a copy that is dealt out", `{ name = "l", count = 2, copies = 1, up = "1 MiB", down = "2 MiB" }`,
			Bounds{Slowest: time.Second, All: 2 * time.Second}},
		{"nothing is bounded", `{ name = "s", have = 1.0 }, { name = "l" }`, Bounds{}},
	} {
		s, err := Read("content = \"4 MiB\"\nclass = [" + c.classes + "]")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, s.Bounds()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestQuantile(t *testing.T) {
	times := []time.Duration{1, 2, 3, 4}
	for part, want := range map[float64]time.Duration{0.01: 1, 0.5: 2, 0.51: 3, 0.95: 4, 1: 4} {
		if got := Quantile(times, part); got != want {
			t.Errorf("%v: %v, want %v", part, got, want)
		}
	}
}

func TestFairness(t *testing.T) {
	nodes := Nodes{{Seed: true, Uploaded: 9}, {Uploaded: 2}, {Uploaded: 2}}
	if f := nodes.Fairness(); math.Abs(f-1) > 1e-9 {
		t.Errorf("all alike: %v", f)
	}
	nodes[1].Uploaded = 0
	if f := nodes.Fairness(); math.Abs(f-0.5) > 1e-9 {
		t.Errorf("one for two: %v", f)
	}
}

// An error in a scenario is one line that names the place.
func TestWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"content = \"1 MiB\"\npiec = \"1 MiB\"", `line 2: there is no key "piec"; there are name, about, content, piece`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n\n[[class]]\nname = \"b\"\nhave = 2.0", "line 7: class: have must be from 0 to 1"},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[[class]]\ncount = 3", "line 4: class: name must be given"},
		{"content = \"1 MiB\"\nabout = \"\"\"\n[[class]]\nhave = 3\n\"\"\"\nclass = [{ name = \"a\", have = 3.0 }]", "line 6: class: have must be"},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\ndisk = { rat = \"1 MiB\" }", `line 4: class: disk: there is no key "rat"; there are rate, latency, capacity`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\ncount = \"many\"", `line 4 (last key "class.count"): incompatible types`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\npicker = \"best\"", `line 4: class: "best" is no picker; there are rarest, `},
		{"content = \"1 MiB\"\n[patterns]\npickr = \"random\"\n[[class]]\nname = \"a\"", `line 2: patterns: there is no kind of pattern "pickr"; there are `},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nchoker = \"kind\"", `line 4: class: patterns: choker "kind" is no choker; there are rate, `},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\nchoker = \"none\"\n[class.patterns]\nchoker = \"none\"", `line 4: class: choker is among the patterns as well`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nmailbox = \"priority\"", `line 4: class: patterns mailbox: handling messages takes no time here`},
		{"content = \"1 MiB\"\n[patterns]\ndispatcher = \"single\"\n[[class]]\nname = \"a\"", `line 3: patterns: handling messages takes no time here`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\ncores = 1\n[class.patterns]\ngranularity = \"mutex\"", `line 5: class: patterns: granularity mutex can be chosen in real runs only`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nhashing = \"batched,n=1\"", `line 4: class: patterns hashing: handling messages takes no time here`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\ncores = 1\n[class.patterns]\nhashing = \"unbatched\"", `line 5: class: patterns: hashing unbatched can be chosen in real runs only`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nlimiter = \"leaky-bucket\"", `line 4: class: patterns limiter: nothing is limited here`},
		{"content = \"1 MiB\"\n[patterns]\nlimiter = \"leaky-bucket\"\n[[class]]\nname = \"a\"", `line 3: patterns: nothing is limited here`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nschedule = \"lifo\"", `line 4: class: patterns: schedule is chosen for the whole world`},
		{"content = \"1 MiB\"\n[patterns]\nschedule = \"lifo\"\n[[class]]\nname = \"a\"\ncores = 1", `line 3: patterns: all nodes have cores, for which messages wait`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\narrivals = \"flash\"", `line 4: class: patterns without within a flash makes no difference`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\nwithin = \"1m\"\n[class.patterns]\narrivals = \"poisson,rate=2\"", `line 5: class: patterns with poisson arrivals within is of no use`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\nhostile = [\"a liar\"]\npicker = \"random\"", `line 4: class: hostile nodes have no client, and so no patterns`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[class.patterns]\nsupervision = \"hope\"", `line 4: class: patterns: supervision "hope" is no supervision; there are one-for-one, `},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[[event]]\ndo = \"kill\"\n[[event]]\ndo = \"pray\"", `line 7: event: do is "pray"; there are kill`},
		{"content = \"1 MiB\"\n[[class]]\nname = \"a\"\n[[event]]\ndo = \"kill\"\nclass = \"b\"", `line 6: event: class is "b", which there is not`},
		{"content = \"some\"", `line 1: content: "some" must be an amount such as 500K, 1.5M, 2MiB or 700MB`},
		{"content = ", "line 1: content: "},
	} {
		_, err := Read(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}
