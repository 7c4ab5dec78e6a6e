package labview

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kouzui/actors/lab"
	"kouzui/wire/buffer"
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
		to := map[string]*sums{"node": &nodes, "class": &classes, "sample": {}, "swarm": &swarm}[s.Type]
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

// TestLinesShowTheRun: what nodes were given came to them, samples go on
// to the end, and the same run has the same hash.
func TestLinesShowTheRun(t *testing.T) {
	s, err := lab.Read(strings.ReplaceAll(scenario, "faults", "#")) // of an actor that dies the last counts may be missing
	if err != nil {
		t.Fatal(err)
	}
	s.Event = nil
	lines := func(seed uint64) (came, taken map[string]int64, samples []sampleLine, swarm swarmLine) {
		r, err := lab.Run(s, lab.Options{Seed: seed, Hash: true})
		if err != nil || len(r.Wrong) > 0 {
			t.Fatal(err, r.Wrong)
		}
		var b strings.Builder
		if err := WriteLines(&b, r); err != nil {
			t.Fatal(err)
		}
		came, taken = map[string]int64{}, map[string]int64{}
		for text := range strings.Lines(b.String()) {
			var n nodeLine
			var one sampleLine
			if errors.Join(json.Unmarshal([]byte(text), &n), json.Unmarshal([]byte(text), &one), json.Unmarshal([]byte(text), &swarm)) != nil {
				t.Fatal(text)
			}
			switch n.Type {
			case "node":
				for to, bytes := range n.Sent {
					taken[to] += bytes
				}
				if came[n.Name] = n.Downloaded + n.Duplicate; n.Seed {
					delete(came, n.Name)
				}
				if gave := sum(n.Sent); gave > n.Uploaded || gave < n.Uploaded/2 || n.SentOthers != 0 {
					t.Errorf("%s gave %v, uploaded %d", n.Name, n.Sent, n.Uploaded)
				}
			case "sample":
				samples = append(samples, one)
			}
		}
		return came, taken, samples, swarm
	}
	came, taken, samples, swarm := lines(1)
	for name := range taken { // the last duplicates may come to a closed connection
		if lost := taken[name] - came[name]; lost < 0 || lost > 4*buffer.Size {
			t.Errorf("what came is %v, what was given %v", came, taken)
		}
	}
	if len(taken) != 4 {
		t.Errorf("%d were given anything", len(taken))
	}
	last := samples[len(samples)-1]
	if late := *swarm.End - last.At; late < 0 || late > 1 || last.Downloaded > swarm.Downloaded || last.Downloaded < swarm.Downloaded/2 || last.Out != 16 {
		t.Errorf("the last sample is %+v, the swarm %+v", last, swarm)
	}
	if u := swarm.Utilisation; u == nil || *u < 0.3 || *u > 1 {
		t.Errorf("utilisation %v", u)
	}
	_, _, _, again := lines(1)
	_, _, _, other := lines(2)
	if *swarm.Hash != *again.Hash || *swarm.Hash == *other.Hash || len(*swarm.Hash) != 16 {
		t.Errorf("hashes %s, %s, of another seed %s", *swarm.Hash, *again.Hash, *other.Hash)
	}
}

// TestLinesAreBounded: however large a swarm is and however long it takes, a
// node names so many receivers, and there are so many samples.
func TestLinesAreBounded(t *testing.T) {
	r := &lab.Result{Played: &lab.Scenario{}, End: time.Hour, Nodes: lab.Nodes{{Name: "a", Given: map[string]int64{}}}}
	for i := range 3000 {
		r.Samples = append(r.Samples, lab.Sample{At: time.Duration(i) * time.Second, Entropy: math.NaN()})
		r.Nodes[0].Given[fmt.Sprint(i)] = int64(i)
	}
	var b strings.Builder
	if err := WriteLines(&b, r); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), `"type":"sample"`); n == 0 || n > mostPoints {
		t.Errorf("%d samples", n)
	}
	var n nodeLine
	if err := json.Unmarshal([]byte(b.String()[:strings.Index(b.String(), "\n")]), &n); err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for i := 2800; i < 3000; i++ {
		most += int64(i)
	}
	if sent := sum(n.Sent); len(n.Sent) != mostReceivers || sent != most || n.SentOthers != 2799*2800/2 {
		t.Errorf("%d receivers of %d bytes, others of %d", len(n.Sent), sent, n.SentOthers)
	}
	if strings.Contains(b.String(), `"utilisation":0`) || !strings.Contains(b.String(), `"entropy":null`) {
		t.Error(b.String())
	}
}

func sum(given map[string]int64) (bytes int64) {
	for _, n := range given {
		bytes += n
	}
	return bytes
}

var picture = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// checkPage checks that a page loads nothing, runs no script, shows no number
// that is none, and has so many pictures, all well formed.
func checkPage(t *testing.T, text string, want int) {
	t.Helper()
	for _, never := range []string{"<script", "src=", "href=", "url(", "@import", "NaN", "Inf"} {
		if strings.Contains(text, never) {
			t.Errorf("there is %q in it", never)
		}
	}
	pictures := picture.FindAllString(text, -1)
	if len(pictures) != want {
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
}

func TestPage(t *testing.T) {
	var b strings.Builder
	if err := WritePage(&b, played(t), "again"); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	checkPage(t, text, 8)
	for _, want := range []string{"tracker dead", "kill leech-", "/engine/scheduler: ", "leech-004"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}
