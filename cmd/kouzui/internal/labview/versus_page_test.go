package labview

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
)

// swarmOf is a run of so many seconds whose two nodes uploaded so many copies
// each, of pieces of which there were so many copies.
func swarmOf(seconds, copies int) *lab.Result {
	const content = 1 << 20
	r := &lab.Result{Played: &lab.Scenario{Content: content}, End: time.Duration(seconds) * time.Second, Real: time.Second}
	for i := range seconds {
		r.Samples = append(r.Samples, lab.Sample{At: time.Duration(i) * time.Second, Most: copies, Entropy: 1})
	}
	for i := range 2 {
		r.Nodes = append(r.Nodes, lab.Node{Name: fmt.Sprint("peer-00", i), Class: "peer", Took: r.End, Uploaded: int64(copies) * content})
	}
	return r
}

// ticksOf are the texts at the axes of the pictures with a title, by run.
func ticksOf(page, title string) (list [][]string) {
	for _, p := range picture.FindAllString(page, -1) {
		if !strings.Contains(p, "<title>"+title) {
			continue
		}
		var ticks []string
		for _, text := range strings.Split(p, `<text class="tick"`)[1:] {
			_, text, _ = strings.Cut(text, ">")
			text, _, _ = strings.Cut(text, "<")
			ticks = append(ticks, text)
		}
		list = append(list, ticks)
	}
	return list
}

// Two runs that stand one beneath the other have the same axes, whichever is
// longer or higher, and each picture says which run it shows.
func TestBothRunsHaveTheSameAxes(t *testing.T) {
	for name, v := range map[string]Versus{
		"the simulated is more": {Simulated: swarmOf(90, 12), Real: swarmOf(20, 2)},
		"the processes are":     {Simulated: swarmOf(20, 2), Real: swarmOf(90, 12)},
	} {
		v.Real.Processes = &lab.Processes{Started: 3, Cores: 2}
		var b strings.Builder
		if err := v.WritePage(&b); err != nil {
			t.Fatal(err)
		}
		checkPage(t, b.String(), 1+2+2*6)
		for _, title := range []string{"Uploaded by each node", "How much each node has", "Throughput", "Copies of the pieces"} {
			ticks := ticksOf(b.String(), title)
			if len(ticks) != 2 || len(ticks[0]) < 3 || !slices.Equal(ticks[0], ticks[1]) {
				t.Errorf("%s: %s: %q", name, title, ticks)
			}
		}
		for _, title := range []string{"Copies of the pieces, simulated", "Copies of the pieces, processes"} {
			if !strings.Contains(b.String(), title) {
				t.Errorf("no %q", title)
			}
		}
	}
}
