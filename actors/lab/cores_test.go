package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/work"
)

// worked plays a download on hosts with so many cores, and returns how long it
// took and what the downloader has done.
func worked(t *testing.T, cores int, costs []work.Cost) (time.Duration, map[string]*event.Work) {
	t.Helper()
	s, err := Read(`
		content = "16 MiB"
		piece = "64 KiB"
		[[class]]
		name = "seed"
		have = 1
		[[class]]
		name = "peer"
		delay = "1ms"`)
	if err != nil {
		t.Fatal(err)
	}
	s.Class[1].Cores, s.Cost = cores, costs
	kinds := workOf{}
	r, err := Run(s, Options{Seed: 1, Trace: []event.Sink{kinds}})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(err, r.Wrong)
	}
	return r.End, kinds
}

// workOf adds up what the actors of each kind have done.
type workOf map[string]*event.Work

func (k workOf) Record(e *event.Event) {
	if e.Kind != event.Worked {
		return
	}
	if k[e.ActorKind] == nil {
		k[e.ActorKind] = &event.Work{}
	}
	k[e.ActorKind].Merge(e.Work)
}

// A download takes as long as the processor needs, where that is the least.
func TestWorkTakesTime(t *testing.T) {
	const each = 100 * time.Millisecond // of each MiB that is hashed
	hashing := []work.Cost{{Kind: "hash", Message: "Batch", KiB: work.Time(each / 1024)}}
	free, none := worked(t, 0, hashing)
	if len(none) > 0 {
		t.Errorf("work is counted where it takes no time: %v", none)
	}
	one, did := worked(t, 1, hashing)
	if least := 16 * each; one < least || one > least+free+time.Second/2 {
		t.Errorf("with one core it took %v, hashing alone takes %v, and all but hashing %v", one, least, free)
	}
	if busy := did["hash"].Busy.Round(time.Millisecond); busy != 16*each {
		t.Errorf("hashing took %v, should %v", busy, 16*each)
	}
	two, _ := worked(t, 2, hashing)
	if two > one*6/10 {
		t.Errorf("it took %v with one core and %v with two", one, two)
	}
	if nothing, _ := worked(t, 1, []work.Cost{{Kind: "nobody"}}); nothing > free+time.Millisecond {
		t.Errorf("it took %v without cores, and %v with a core where nothing costs time", free, nothing)
	}
	sent := slices.ContainsFunc(did["store"].Flows, func(f event.Flow) bool {
		return f.From == "peer" && f.Message == "StoreBlocks" && f.Bytes == 16<<20
	}) || slices.ContainsFunc(did["store"].Flows, func(f event.Flow) bool {
		return f.From == "inbound-peer" && f.Message == "StoreBlocks" && f.Bytes == 16<<20
	})
	if !sent {
		t.Errorf("the store got %+v", did["store"].Flows)
	}
}

// Nodes on one machine share its cores.
func TestMachinesAreShared(t *testing.T) {
	var took [2]time.Duration
	for i, machine := range []string{"", "laptop"} {
		s, err := Read(`
			content = "4 MiB"
			cost = [{ kind = "hash", kib = "1ms" }]
			[[class]]
			name = "seed"
			have = 1
			[[class]]
			name = "peer"
			count = 2
			cores = 1
			machine = "` + machine + `"`)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(s, Options{Seed: 1})
		if err != nil || len(r.Wrong) > 0 {
			t.Fatal(err, r.Wrong)
		}
		took[i] = r.End
	}
	if took[1] < took[0]*18/10 {
		t.Errorf("two nodes take %v on machines of their own, and %v on one", took[0], took[1])
	}
	for text, want := range map[string]string{
		"machine = \"a\"": "line 4: class: machine needs cores",
		"machine = \"a\"\ncores = 1\n[[class]]\nname=\"b\"\nmachine=\"a\"\ncores=2": "line 9: class: cores are 2, and 1 in another class on the machine \"a\"",
	} {
		if _, err := Read("content = 1\n[[class]]\nname = \"a\"\n" + text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// A run with cores is the same for the same seed, also when processes are
// killed in the middle of their work.
func TestWorkRepeats(t *testing.T) {
	s, err := Read(`
		content = "4 MiB"
		[[class]]
		name = "seed"
		have = 1
		up = "1 MiB"
		cores = 1
		[[class]]
		name = "peer"
		count = 4
		up = "1 MiB"
		cores = 2
		faults = ["panic,actor=*/store,at=1s", "hang,actor=*/scheduler,at=1500ms,time=200ms"]
		[[event]]
		at = "2s"
		do = "kill"
		class = "peer"
		count = 2`)
	if err != nil {
		t.Fatal(err)
	}
	if parted, err := Parted(s, Options{Seed: 3}); err != nil || parted != "" {
		t.Error(err, parted)
	}
}

func TestLoadCosts(t *testing.T) {
	const class = "content = 1\ncosts = \"c.toml\"\n[[class]]\nname = \"a\"\n"
	for text, want := range map[string]string{
		`machine = "m"`: "c.toml: a table of costs needs at least one [[cost]]",
		"[[cost]]\nkind = \"store\"\ntime = \"1us\"":                          "",
		"[[cost]]\nkind = \"store\"\ntime = \"-1us\"":                         "c.toml: toml: line 3 (last key \"cost.time\"): \"-1us\" must be a time such as 1.5us",
		"[[cost]]\nkind = \"store\"\nspeed = 1":                               "c.toml: a table of costs has no key \"cost.speed\"",
		"[[cost]]\ntime = \"1us\"":                                            "c.toml: a cost must name a kind of actor",
		"[[cost]]\nkind = \"a\"\n[[cost]]\nkind = \"a\"\nmessage = \"\"":      "c.toml: two costs are for a ",
		"[[cost]]\nkind = \"a\"\n[[cost]]\nkind = \"a\"\nmessage = \"Batch\"": "",
	} {
		s, err := Read(class)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(s, Options{}); err == nil {
			t.Error("a scenario is played whose costs were not read")
		}
		got := ""
		if err := s.Load(func(file string) (string, error) { return text, nil }); err != nil {
			got = strings.ReplaceAll(err.Error(), "\n", "|")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if want == "" && (s.Costs != "" || len(s.Cost) == 0) {
			t.Errorf("%q: the scenario is %+v", text, s)
		}
	}
}
