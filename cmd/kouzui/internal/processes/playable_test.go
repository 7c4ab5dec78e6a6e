package processes

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/work"
)

const plain = `
content = "1 MiB"
[[class]]
name = "peer"
limits = true
`

// played are the keys that processes play as they are written, or that decide
// nothing about them: payload is real, and costs matter on cores, which are
// refused.
var played = []string{
	"name", "about", "content", "piece", "payload", "limit", "tracker", "announce", "class", "event", "patterns",
	"class.name", "class.count", "class.up", "class.down", "class.limits", "class.have", "class.copies", "class.arrive",
	"class.within", "class.leave", "class.memory", "class.picker", "class.choker", "class.patterns", "class.slots", "class.superseed",
	"class.peers", "class.nopex", "class.encryption", "class.faults",
	"event.at", "event.do", "event.for", "event.every", "event.class", "event.count",
}

// ofLinks are the keys that nodes with links of their own play, too.
var ofLinks = []string{"class.delay", "class.jitter", "class.loss", "class.queue"}

// others are values of the keys that processes do not play.
var others = map[string]func(*lab.Scenario){
	"costs":            func(s *lab.Scenario) { s.Costs = "a.toml" },
	"cost":             func(s *lab.Scenario) { s.Cost = make([]work.Cost, 1) },
	"class.delay":      func(s *lab.Scenario) { s.Class[0].Delay = 1 },
	"class.jitter":     func(s *lab.Scenario) { s.Class[0].Jitter = 1 },
	"class.bare":       func(s *lab.Scenario) { s.Class[0] = lab.Class{Name: "n", Count: 1, Bare: true} },
	"class.search":     func(s *lab.Scenario) { s.Class[0] = lab.Class{Name: "n", Count: 1, Bare: true, Search: 1} },
	"class.hashes":     func(s *lab.Scenario) { s.Class[0] = lab.Class{Name: "n", Count: 1, Bare: true, Hashes: 1} },
	"class.magnet":     func(s *lab.Scenario) { s.Class[0].Magnet = true },
	"class.knows":      func(s *lab.Scenario) { s.Class[0].Knows = "peer" },
	"class.dht":        func(s *lab.Scenario) { s.Class[0].DHT = "off" },
	"private":          func(s *lab.Scenario) { s.Private = true },
	"class.nat":        func(s *lab.Scenario) { s.Class[0].NAT.Mapping = "endpoint-independent" },
	"class.double":     func(s *lab.Scenario) { s.Class[0].Double = 0.1 },
	"class.loss":       func(s *lab.Scenario) { s.Class[0].Loss = 0.1 },
	"class.sendbuffer": func(s *lab.Scenario) { s.Class[0].SendBuffer = 1 },
	"class.queue":      func(s *lab.Scenario) { s.Class[0].Queue = 1 },
	"class.disk":       func(s *lab.Scenario) { s.Class[0].Disk.Capacity = 1 },
	"until":            func(s *lab.Scenario) { s.Until = 1 },
	"class.plays":      func(s *lab.Scenario) { s.Class[0].Plays = 1 },
	"class.jump":       func(s *lab.Scenario) { s.Class[0].Jump = 1 },
	"class.linger":     func(s *lab.Scenario) { s.Class[0].Linger = 1 },
	"class.machine":    func(s *lab.Scenario) { s.Class[0].Machine = "a" },
	"class.processors": func(s *lab.Scenario) { s.Class[0].Processors = 1 },
	"class.cores":      func(s *lab.Scenario) { s.Class[0].Cores = 1 },
	"class.hostile":    func(s *lab.Scenario) { s.Class[0].Hostile = []string{"a liar"} },
}

// TestNoKeyIsIgnoredInSilence: each key of a scenario is played, or refused or
// left out with its name.
func TestNoKeyIsIgnoredInSilence(t *testing.T) {
	var keys []string
	for prefix, of := range map[string]any{"": lab.Scenario{}, "class.": lab.Class{}, "event.": lab.Event{}} {
		for i := range reflect.TypeOf(of).NumField() {
			keys = append(keys, prefix+strings.ToLower(reflect.TypeOf(of).Field(i).Name))
		}
	}
	for _, key := range keys {
		set := others[key]
		switch {
		case slices.Contains(played, key):
			continue
		case set == nil:
			t.Errorf("%s is neither played nor refused nor left out", key)
			continue
		}
		s, err := lab.Read(plain)
		if err != nil {
			t.Fatal(err)
		}
		set(s)
		for _, linked := range []bool{false, true} {
			notes, err := Playable(s, linked)
			said := strings.Join(notes, "\n")
			if err != nil {
				said = err.Error()
			}
			if linked && slices.Contains(ofLinks, key) {
				if said != "" {
					t.Errorf("%s is of the link, and still: %q", key, said)
				}
				continue
			}
			if name := strings.TrimPrefix(key, "class."); !strings.Contains(said, name) || said == "" || strings.Contains(said, "\n") {
				t.Errorf("%s: %q", key, said)
			}
		}
	}
}

// TestEventsThatAreRefused: each event but those that processes can play.
func TestEventsThatAreRefused(t *testing.T) {
	for _, do := range []string{"kill", "tracker", "power cut", "partition", "reset"} {
		s, err := lab.Read(plain + "[[event]]\ndo = \"" + do + "\"\n")
		if err != nil {
			t.Fatal(err)
		}
		for _, linked := range []bool{false, true} {
			_, err = Playable(s, linked)
			if is := do == "kill" || do == "tracker" || do == "partition" && linked; is != (err == nil) {
				t.Errorf("%s, linked: %t: %v", do, linked, err)
			}
		}
	}
}
