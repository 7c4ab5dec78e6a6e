package labview

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/world/sim"
)

// walk is a path with so many legs of each of its nodes, a millisecond each but
// the first, which is a wait of a second.
func walk(nodes, each int) (path []lab.Leg) {
	at := time.Duration(0)
	add := func(node string, what sim.Sort, took time.Duration) {
		path = append(path, lab.Leg{From: at, Until: at + took, Node: node, What: what, By: "hash"})
		at += took
	}
	add("peer-001", sim.Slot, time.Second)
	for range each {
		for i := range nodes {
			add(fmt.Sprintf("peer-%03d", i+1), []sim.Sort{sim.Uplink, sim.Work}[i%2], time.Millisecond)
		}
	}
	return path
}

// result is a run whose last completion has such a path.
func result(path []lab.Leg) *lab.Result {
	end := path[len(path)-1].Until
	return &lab.Result{
		Played: &lab.Scenario{Content: 1 << 20}, End: end, Path: path,
		Nodes: lab.Nodes{{Name: "peer-001", Class: "peer", Took: end}},
	}
}

// The page draws the critical path and tells the shares of its legs; a long one
// takes no more room than there are pixels.
func TestThePageDrawsTheCriticalPath(t *testing.T) {
	for name, tc := range map[string]struct {
		path []lab.Leg
		want []string
	}{
		"short": {walk(2, 1), []string{
			"0.00 to 1.00 s: waiting for a slot at peer-001", "<td>99.8 %</td>", "1.00 to 1.00 s: hash at peer-002", `class="p-uplink"`,
		}},
		"long": {walk(60, 500), []string{"<td>48.4 %</td>", "all other nodes", ">others<", "<td>15.0 s</td><td>15000</td>"}},
	} {
		var b strings.Builder
		if err := WritePage(&b, result(tc.path), "again"); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(b.String(), "What the last completion waited for")
		text, _, _ = strings.Cut(text, "<h2")
		for _, want := range tc.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		if n := strings.Count(text, "<rect"); n > int(plot)*(mostPathRows+1) || len(text) > 4<<20 {
			t.Errorf("%s: %d bars in %d bytes", name, n, len(text))
		}
		checkPage(t, b.String(), 8+1+len(shares(tc.path)))
	}
}

// Bars cover what legs cover, and leave free what they leave free.
func TestBars(t *testing.T) {
	c := &canvas{end: 100 * time.Second}
	leg := func(from, until float64, what sim.Sort) lab.Leg {
		return lab.Leg{From: time.Duration(from * 1e9), Until: time.Duration(until * 1e9), What: what}
	}
	list := c.bars([]lab.Leg{leg(0, 10, sim.Slot), leg(10, 10.001, sim.Disk), leg(10.001, 20, sim.Slot), leg(50, 60, sim.Way)})
	var got []string
	for _, b := range list {
		got = append(got, fmt.Sprintf("%s %.0f", b.what, (b.until-b.from)*100/plot))
	}
	if fmt.Sprint(got) != "[slot 10 slot 10 way 10]" {
		t.Error(got)
	}
}

func TestBrief(t *testing.T) {
	for name, want := range map[string]string{"fibre-001": "fibre-001", "free-rider-012": "free…-012"} {
		if got := brief(name); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}
