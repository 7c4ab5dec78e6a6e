package lab

import (
	"reflect"
	"strings"
	"testing"
)

const varied = `
content = "1 MiB"
[[class]]
name = "seed"
Have = 1.0
[[class]]
name = "peer"
count = 3
up = "64 KiB"
disk = { rate = "1 MiB" }
[[class]]
name = "foe"
hostile = ["a liar"]
[[event]]
do = "kill"
[[event]]
do = "reset"
class = "peer"
`

func TestReadWith(t *testing.T) {
	for _, c := range []struct {
		set  Settings
		want func(*Scenario) bool
	}{
		{Settings{"content": "2 MiB"}, func(s *Scenario) bool { return s.Content == 2<<20 }},
		{Settings{"class.picker": "random"}, func(s *Scenario) bool {
			return s.Class[0].Picker == "random" && s.Class[1].Picker == "random" && s.Class[2].Picker == ""
		}},
		{Settings{"patterns.picker": "random", "class.peer.patterns.choker": "none"}, func(s *Scenario) bool {
			return s.PatternsOf(&s.Class[0])["picker"] == "random" && s.Class[0].Patterns == nil && s.PatternsOf(&s.Class[1])["choker"] == "none"
		}},
		{Settings{"class.peer.count": int64(5)}, func(s *Scenario) bool { return s.Class[1].Count == 5 && s.Class[0].Count == 1 }},
		{Settings{"class.seed.have": 0.5}, func(s *Scenario) bool { return s.Class[0].Have == 0.5 }},
		{Settings{"class.peer.disk.latency": "4ms"}, func(s *Scenario) bool {
			return s.Class[1].Disk == Disk{Rate: 1 << 20, Latency: 4e6}
		}},
		{Settings{"class.disk.capacity": int64(3)}, func(s *Scenario) bool { return s.Class[0].Disk.Capacity == 3 }},
		{Settings{"event.2.count": int64(2)}, func(s *Scenario) bool { return s.Event[1].Count == 2 && s.Event[0].Count == 0 }},
		{Settings{"patterns.picker": "random"}, func(s *Scenario) bool { return s.Patterns["picker"] == "random" }},
		{Settings{"event": []any{}}, func(s *Scenario) bool { return len(s.Event) == 0 }},
	} {
		s, err := ReadWith(varied, c.set)
		if err != nil || !c.want(s) {
			t.Errorf("%v: %+v, %v", c.set, s, err)
		}
	}
}

func TestReadWithRefuses(t *testing.T) {
	for key, c := range map[string]struct {
		value any
		want  string
	}{
		"contents":             {"1 MiB", `there is no key "contents"`},
		"class.peer":           {"x", `there is no key "peer"`},
		"class.peer.picker":    {"best", `"best" is no picker`},
		"class.peer.count":     {"many", "count"},
		"class.disk.rate.much": {"1", "is no table"},
		"event.3.count":        {int64(1), `there is no event "3"; there are 2`},
		"event.1":              {int64(1), "must name a key"},
		"node.count":           {int64(1), `there is no key "node"`},
	} {
		_, err := ReadWith(varied, Settings{key: c.value})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestParseSetting(t *testing.T) {
	for text, want := range map[string]any{
		"content=2 MiB":          "2 MiB",
		`content="2 MiB"`:        "2 MiB",
		"class.count = 3":        int64(3),
		"class.have=0.5":         0.5,
		"class.limits=true":      true,
		"event=[]":               []any{},
		`class.faults=["a","b"]`: []any{"a", "b"},
		"about=a = b":            "a = b",
		"about=1\nname = 3":      "1\nname = 3",
		"about=":                 "",
	} {
		key, value, err := ParseSetting(text)
		if err != nil || !reflect.DeepEqual(value, want) || !strings.HasPrefix(text, key) {
			t.Errorf("%q: %q %#v %v", text, key, value, err)
		}
	}
	for _, text := range []string{"content", "=3", ""} {
		if _, _, err := ParseSetting(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
