package traceview

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

const samples = "../../../../testdata"

func opened(t *testing.T, raw []byte) *trace.Reader {
	t.Helper()
	r, err := trace.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(samples, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// document is the output of Chrome, as Perfetto reads it.
type document struct {
	Events []struct {
		Name    string         `json:"name"`
		Phase   string         `json:"ph"`
		Time    int64          `json:"ts"`
		Process int            `json:"pid"`
		Thread  int            `json:"tid"`
		ID      int            `json:"id"`
		Binding string         `json:"bp"`
		Scope   string         `json:"s"`
		Args    map[string]any `json:"args"`
	} `json:"traceEvents"`
}

func exported(t *testing.T, raw []byte) document {
	t.Helper()
	var out bytes.Buffer
	if err := Chrome(&out, opened(t, raw)); err != nil {
		t.Fatal(err)
	}
	var d document
	decoder := json.NewDecoder(&out)
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

// wellFormed checks the rules of the format: slices nest and are closed, flows
// have one start and one end and go forwards, tracks have names, counters have
// values.
func wellFormed(t *testing.T, d document) {
	t.Helper()
	open, last, named := map[int][]string{}, map[int]int64{}, map[int]bool{}
	type flow struct{ starts, ends, time int64 }
	flows := map[int]flow{}
	for i, e := range d.Events {
		if e.Process != 1 || e.Time < 0 {
			t.Fatalf("event %d: %+v", i, e)
		}
		if e.Phase != phaseMetadata && !named[e.Thread] && e.Scope != "g" {
			t.Fatalf("event %d is on a track without a name: %+v", i, e)
		}
		switch e.Phase {
		case phaseMetadata:
			named[e.Thread] = true
		case phaseBegin, phaseEnd:
			if e.Time < last[e.Thread] {
				t.Fatalf("event %d goes back in time: %+v", i, e)
			}
			last[e.Thread] = e.Time
			if e.Phase == phaseBegin {
				open[e.Thread] = append(open[e.Thread], e.Name)
				if e.Name == "" || len(open[e.Thread]) > 2 {
					t.Fatalf("event %d: slices %q", i, open[e.Thread])
				}
			} else if n := len(open[e.Thread]); n == 0 {
				t.Fatalf("event %d ends nothing: %+v", i, e)
			} else {
				open[e.Thread] = open[e.Thread][:n-1]
			}
		case phaseInstant:
			if e.Name == "" || !slices.Contains([]string{"t", "g"}, e.Scope) {
				t.Fatalf("event %d: %+v", i, e)
			}
		case phaseCounter:
			if len(e.Args) != 1 {
				t.Fatalf("event %d: %+v", i, e)
			}
		case phaseFlowStart, phaseFlowStep, phaseFlowEnd:
			f := flows[e.ID]
			if e.ID == 0 || e.Time < f.time || (e.Phase != phaseFlowStart && f.starts != 1) || f.ends != 0 {
				t.Fatalf("event %d in flow %+v: %+v", i, f, e)
			}
			f.time = e.Time
			if e.Phase == phaseFlowStart {
				f.starts++
			}
			if e.Phase == phaseFlowEnd {
				f.ends++
			}
			flows[e.ID] = f
		default:
			t.Fatalf("event %d has phase %q", i, e.Phase)
		}
	}
	for track, slices := range open {
		if len(slices) > 0 {
			t.Errorf("track %d: still open %q", track, slices)
		}
	}
	for id, f := range flows {
		if f.starts != 1 || f.ends != 1 {
			t.Errorf("flow %d: %+v", id, f)
		}
	}
}

func TestChrome(t *testing.T) {
	d := exported(t, sample(t, "killed.trace"))
	wellFormed(t, d)
	tracks := map[int]string{}
	var flows [][]string
	counts := map[string]int{}
	for _, e := range d.Events {
		counts[e.Phase]++
		switch e.Phase {
		case phaseMetadata:
			if e.Name == "thread_name" {
				tracks[e.Thread] = filepath.Base(e.Args["name"].(string))
			}
		case phaseFlowStart:
			flows = append(flows, []string{tracks[e.Thread]})
		case phaseFlowStep, phaseFlowEnd:
			flows[len(flows)-1] = append(flows[len(flows)-1], tracks[e.Thread])
		}
	}
	want := [][]string{
		{"peer-2", "peer-2"}, {"peer-2", "peer-2"}, // restarted twice
		{"store", "engine", "engine"}, // an escalation
		{"peer-12", "peer-12"},        // stopped for a failure
	}
	if diff := cmp.Diff(want, flows); diff != "" {
		t.Errorf("flows: %s", diff)
	}
	if counts[phaseCounter] != 2 || counts[phaseInstant] == 0 {
		t.Errorf("phases: %v", counts)
	}
}

// TestChromeOfAnyPart exports each beginning of a trace, and the trace without
// its beginning.
func TestChromeOfAnyPart(t *testing.T) {
	lines := strings.SplitAfter(string(sample(t, "killed.trace")), "\n")
	for i := range lines[1:] {
		wellFormed(t, exported(t, []byte(strings.Join(lines[:i+1], ""))))
		wellFormed(t, exported(t, []byte(lines[0]+strings.Join(lines[i+1:], ""))))
	}
}

func TestMatch(t *testing.T) {
	for pattern, want := range map[string]bool{
		"client/torrent-1/peers/peer-17": true,
		"*":                              true,
		"*/peer-*":                       true,
		"client*17":                      true,
		"client/*/peers/*":               true,
		"":                               false,
		"client":                         false,
		"*/peer-1":                       false,
		"*peer-18*":                      false,
		"*17*17":                         false,
	} {
		if got := Match(pattern, "client/torrent-1/peers/peer-17"); got != want {
			t.Errorf("%q: %v", pattern, got)
		}
	}
}

// TestEveryKindHasItsSentence: each kind of event has a sentence of its own,
// and no text of a trace can steer a terminal.
func TestEveryKindHasItsSentence(t *testing.T) {
	kinds := map[event.Kind]bool{}
	for e := range opened(t, sample(t, "killed.trace")).Events() {
		kinds[e.Kind] = true
		e.Reason, e.Actor = "\x1b[31mred\n", e.Actor+"\x07"
		if s := Paint(false).Line(e, e.Time); strings.ContainsAny(s, "\x1b\x07\n") || strings.HasSuffix(s, ": "+string(e.Kind)) {
			t.Errorf("%q", s)
		}
	}
	if len(kinds) != 14 {
		t.Errorf("kinds of events in the sample: %v", slices.Sorted(maps.Keys(kinds)))
	}
}
