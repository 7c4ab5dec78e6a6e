package labview

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"kouzui/actors/lab"
)

const scenario = `
name = "<script>alert(1)</script> & co"
content = "1 MiB"
piece = "64 KiB"

[[class]]
name = "seed"
have = 1.0
up = "256 KiB"

[[class]]
name = "leech"
count = 4
up = "128 KiB"
down = "1 MiB"
delay = "10ms"
within = "2s"
faults = ["panic,actor=*/engine/scheduler,at=3s"]

[[event]]
at = "2s"
do = "kill"
class = "leech"
count = 1

[[event]]
at = "3s"
do = "tracker"
for = "2s"
`

func played(t *testing.T) *lab.Result {
	s, err := lab.Read(scenario)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lab.Run(s, lab.Options{Seed: 1})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(err, r.Wrong)
	}
	return r
}

func TestTableFitsATerminal(t *testing.T) {
	r := played(t)
	var b strings.Builder
	if err := (Table{Result: r, Nodes: true}).Write(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d letters: %s", n, line)
		}
	}
	for _, want := range []string{"leech-004", "lower bound 5.3 s = max(F/u_seed 4.0 s, F/d_min 1.0 s, N·F/Σu 5.3 s)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("it is coloured")
	}
}

// TestLinesAddUp: the numbers of the nodes add up to those of the swarm.
func TestLinesAddUp(t *testing.T) {
	var b strings.Builder
	if err := WriteLines(&b, played(t)); err != nil {
		t.Fatal(err)
	}
	type sums struct {
		Type     string
		Complete *float64 `json:"complete_after_seconds"`
		Done     int      `json:"downloaders_complete"`
		Down     int64    `json:"downloaded_bytes"`
		Up       int64    `json:"uploaded_bytes"`
		Wasted   int64    `json:"wasted_bytes"`
		Restarts int
		Messages uint64
		Last     float64 `json:"complete_after_last_seconds"`
	}
	var nodes, classes, swarm sums
	last := 0.0
	for line := range strings.Lines(b.String()) {
		var s sums
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		to := map[string]*sums{"node": &nodes, "class": &classes, "swarm": &swarm}[s.Type]
		to.Done, to.Down, to.Up, to.Wasted = to.Done+s.Done, to.Down+s.Down, to.Up+s.Up, to.Wasted+s.Wasted
		to.Restarts, to.Messages = to.Restarts+s.Restarts, to.Messages+s.Messages
		if s.Complete != nil {
			last = max(last, *s.Complete)
		}
		if s.Type == "swarm" {
			swarm.Last = s.Last
		}
	}
	if nodes.Done = swarm.Done; classes != nodes {
		t.Errorf("classes %+v, nodes %+v", classes, nodes)
	}
	swarm.Last, nodes.Last = 0, swarm.Last
	if nodes.Last != last {
		t.Errorf("the last after %v, of nodes %v", nodes.Last, last)
	}
	if nodes.Last = 0; swarm != nodes {
		t.Errorf("swarm %+v, nodes %+v", swarm, nodes)
	}
	// What had come and was not yet reported when an actor died is not counted.
	if swarm.Down < 3<<20 || swarm.Restarts < 4 || swarm.Messages == 0 {
		t.Errorf("%+v", swarm)
	}
}

var picture = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// TestPage: the page loads nothing and runs no script, and all of its pictures
// are well formed.
func TestPage(t *testing.T) {
	var b strings.Builder
	if err := WritePage(&b, played(t), "again"); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, never := range []string{"<script", "src=", "href=", "url(", "@import", "NaN", "Inf", "ZgotmplZ"} {
		if strings.Contains(text, never) {
			t.Errorf("there is %q in it", never)
		}
	}
	pictures := picture.FindAllString(text, -1)
	if len(pictures) != 8 {
		t.Errorf("%d pictures", len(pictures))
	}
	for _, p := range pictures {
		for d := xml.NewDecoder(strings.NewReader(p)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, p)
			}
		}
	}
	for _, want := range []string{"tracker dead", "kill leech-", "/engine/scheduler: ", "leech-004"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}
