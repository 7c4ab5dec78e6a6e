package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"kouzui/actors/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const small = `
content = "512 KiB"
piece = "64 KiB"
[[class]]
name = "seed"
have = 1.0
up = "256 KiB"
[[class]]
name = "peer"
count = 3
up = "64 KiB"
within = "2s"
`

func opens(text string) func(string) (string, error) {
	return func(string) (string, error) { return text, nil }
}

func read(t *testing.T, text string) *Experiment {
	t.Helper()
	e, err := Read(text, "lab/two.toml", opens(small))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRead(t *testing.T) {
	e := read(t, `
scenario = "../small.toml"
seeds = 3
measure = ["last", "median of peer"]
[vary]
"class.picker" = ["rarest", "random"]
"class.peer.count" = [2, 3]
event = [[], [{ do = "kill", class = "peer" }]]
`)
	if e.Path != "small.toml" || e.Name != "two" || !e.Quick || e.Rule != (Rule{First: 1, Least: 3, Most: 3}) {
		t.Errorf("%+v", e)
	}
	var names []string
	for _, v := range e.Variants {
		names = append(names, v.Name)
	}
	if len(names) != 8 || names[0] != "count=2 picker=rarest event=[]" || !slices.Contains(names, `count=3 picker=random event=[{class = "peer", do = "kill"}]`) {
		t.Errorf("%q", names)
	}
	s, err := lab.Read(e.Variants[7].Scenario)
	if err != nil || s.Class[1].Count != 3 || s.Class[0].Picker != "random" || len(s.Event) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if set := e.Variants[7].Set["class.picker"]; set != `"random"` {
		t.Errorf("set %s", set)
	}
	jobs := e.Jobs(5, 2)
	if len(jobs) != 16 || jobs[8] != (Job{e.Digest(), 0, 6}) || jobs[7].Variant != 7 {
		t.Errorf("%v", jobs)
	}
}

func TestReadRefuses(t *testing.T) {
	const vary = "\n[vary]\n\"class.picker\" = [\"rarest\", \"random\"]\n"
	for text, want := range map[string]string{
		`scenario = `:                                                                "line 1",
		`seeds = 3`:                                                                  "scenario must be given",
		`scenario = "s"`:                                                             "nothing varies",
		"scenario = \"s\"\nseed = 3":                                                 `there is no key "seed"`,
		"scenario = \"s\"\nseeds = 0":                                                "seeds must be from 1", // beside vary, below
		"scenario = \"s\"\nleast = 0":                                                "least must be",
		"scenario = \"s\"\nprecision=1.0":                                            "precision must be",
		"scenario = \"s\"\nprecision=nan":                                            "precision must be",
		"scenario = \"s\"\nmeasure=[\"speed\"]":                                      `there is no measure "speed"; there are median`,
		"scenario = \"s\"\nmeasure=[\"median of rider\"]":                            `there is no class "rider"`,
		"scenario = \"s\"\nmeasure=[\"entropy of peer\"]":                            "entropy is of the whole swarm",
		"scenario = \"s\"\nmeasure=[\"last\",\"last\"]":                              "there twice",
		"scenario = \"s\"\n[[variant]]\nname=\"a\"\n[[variant]]\nname=\"a\"\n":       `two variants are called "a"`,
		"scenario = \"s\"\n[[variant]]\nset={content=\"1 MiB\"}":                     "must have a name",
		"scenario = \"s\"\n[[variant]]\nname=\"a\"\nset={\"class.picker\"=\"best\"}": `variant "a": class: "best" is no picker`,
		"scenario = \"s\"\n[vary]\ncontent=[]":                                       "vary.content has no values",
	} {
		if !strings.Contains(text, "[") || strings.Contains(text, "measure") {
			if want != "nothing varies" {
				text += vary
			}
		}
		_, err := Read(text, "e.toml", opens(small))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Read(`scenario = "s"`+vary, "e.toml", opens("content = ")); err == nil || !strings.HasPrefix(err.Error(), "s: line 1") {
		t.Errorf("a bad scenario: %v", err)
	}
}

// The outcome of a job is the same wherever it is played, and travels as JSON.
func TestRunnersAgree(t *testing.T) {
	e := read(t, "scenario = \"s\"\nseeds = 2\nmeasure = [\"last\", \"copies\", \"utilisation of peer\", \"median of seed\"]\n[vary]\n\"class.peer.up\" = [\"64 KiB\", \"32 KiB\"]")
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again := &Experiment{}
	if err := json.Unmarshal(text, again); err != nil {
		t.Fatal(err)
	}
	jobs := e.Jobs(1, 2)
	outcomes := map[Job]Outcome{}
	if err := (Local{again, 2}).Run(context.Background(), jobs, func(o Outcome) { outcomes[o.Job] = o }); err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		want, err := e.Play(context.Background(), j)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var back Outcome
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, back, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("as JSON: %s", d)
		}
		if d := cmp.Diff(want, outcomes[j], cmpopts.EquateNaNs()); d != "" {
			t.Errorf("of the runner: %s", d)
		}
		if v := want.Values; !(v[0] > 0) || !(v[1] > 0) || !(v[2] > 0) || !math.IsNaN(v[3]) || want.Failure != "" {
			t.Errorf("%+v", want)
		}
	}
	if a, b := outcomes[jobs[0]], outcomes[jobs[1]]; a.Run == b.Run || a.Values[0] >= b.Values[0] {
		t.Errorf("half the uplink makes no difference: %+v, %+v", a, b)
	}
}

func TestPlayRefuses(t *testing.T) {
	e := read(t, "scenario = \"s\"\n[vary]\n\"class.peer.up\" = [\"64 KiB\"]")
	for _, j := range []Job{{"other", 0, 1}, {e.Digest(), 1, 1}, {e.Digest(), -1, 1}} {
		if _, err := e.Play(context.Background(), j); err == nil {
			t.Errorf("%+v is played", j)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Play(ctx, e.Jobs(1, 1)[0]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := (Local{e, 1}).Run(ctx, e.Jobs(1, 2), func(Outcome) { t.Error("played") }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The digest holds what a run depends on, and nothing else.
func TestDigest(t *testing.T) {
	const text = "scenario = \"s\"\n[vary]\n\"class.peer.up\" = [\"64 KiB\"]"
	base := read(t, text).Digest()
	if other := read(t, "about = \"x\"\nseeds = 7\n"+text).Digest(); other != base {
		t.Error("the number of seeds counts")
	}
	for _, more := range []string{"full = true\n", "measure = [\"last\"]\n"} {
		if read(t, more+text).Digest() == base {
			t.Errorf("%q does not count", more)
		}
	}
	if read(t, strings.Replace(text, "64", "65", 1)).Digest() == base {
		t.Error("the scenario does not count")
	}
}

// The experiments that come with the program can be played.
func TestShipped(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/lab/experiments/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(string(text), file, func(path string) (string, error) {
			text, err := os.ReadFile(path)
			return string(text), err
		})
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The page of scenarios tells every measure.
func TestMeasuresAreTold(t *testing.T) {
	page, err := os.ReadFile("../../../testdata/lab/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range measures {
		if !strings.Contains(string(page), "`"+m.Name+"`") {
			t.Errorf("not of %s", m.Name)
		}
	}
}
