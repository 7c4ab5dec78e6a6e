package labview

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kouzui/actors/lab"
)

// Table, lines and page tell how lookups in a DHT have gone, and of a swarm
// without any, nothing.
func TestLookupsAreShown(t *testing.T) {
	s, err := lab.Read(`
content = "16 KiB"
until = "10m"

[[class]]
name = "node"
bare = true
count = 8
delay = "10ms"
search = "1m"
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lab.Run(s, lab.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	shown := func(r *lab.Result) (table string, swarm map[string]any) {
		var b, lines strings.Builder
		if err := (Table{Result: r}).Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := WriteLines(&lines, r); err != nil {
			t.Fatal(err)
		}
		all := strings.Split(strings.TrimSpace(lines.String()), "\n")
		if err := json.Unmarshal([]byte(all[len(all)-1]), &swarm); err != nil {
			t.Fatal(err)
		}
		return b.String(), swarm
	}
	page := func(r *lab.Result) string {
		var b strings.Builder
		if err := WritePage(&b, r, "again"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	sum := r.LookupsFrom(0)
	table, swarm := shown(r)
	if !strings.Contains(table, lookups(sum)) {
		t.Errorf("no %q in\n%s", lookups(sum), table)
	}
	if sum.Lookups < 10 || sum.Queries <= 0 || swarm["lookups"] != float64(sum.Lookups) || swarm["lookups_found"] != float64(sum.Found) ||
		swarm["lookup_median_seconds"] != round(sum.Median) || swarm["lookup_queries"] != *known(sum.Queries) || swarm["lookup_false_peers"] != 0.0 {
		t.Errorf("%+v, but %v", sum, swarm)
	}
	table, swarm = shown(played(t))
	if strings.Contains(table, "in the DHT") || swarm["lookups"] != nil {
		t.Errorf("lookups of a swarm that makes none: %v\n%s", swarm, table)
	}
	const section = "<h2>Lookups in the DHT</h2>"
	if strings.Contains(page(played(t)), section) {
		t.Error("the page tells of lookups of a swarm that makes none")
	}
	r.Lookups = append(r.Lookups, lab.Lookup{By: "node", Of: "node", At: 1, Took: -1})
	text := page(r)
	for what, want := range map[string]int{section: 1, `<circle class="dot`: sum.Found, `<rect class="mark m-crash"`: sum.Lookups - sum.Found + 1} {
		if n := strings.Count(text, what); n != want {
			t.Errorf("%d of %s on the page, not %d", n, what, want)
		}
	}
	if row := lookups(r.LookupsFrom(0)); !strings.Contains(text, row) {
		t.Errorf("no %q on the page", row)
	}
}

// Of many lookups some are drawn, and all that found nothing.
func TestFewLookupsAreDrawn(t *testing.T) {
	r := &lab.Result{Played: &lab.Scenario{Class: []lab.Class{{Name: "node"}}}}
	const all, missed = 4 * mostDots, 100
	for i := range all {
		l := lab.Lookup{By: "node", Of: "node", At: time.Duration(i) * time.Second, Took: 100 * time.Millisecond}
		if i < missed {
			l.Took = -1
		}
		r.Lookups = append(r.Lookups, l)
	}
	picture := string(newView(r).lookups().Picture)
	if dots := strings.Count(picture, "<circle"); dots < mostDots/2 || dots > mostDots {
		t.Errorf("%d dots", dots)
	}
	if marks := strings.Count(picture, "<rect"); marks != missed {
		t.Errorf("%d of %d are marked", marks, missed)
	}
}

// The table counts whom each class has found: a cell without lookups is empty.
func TestWhoFindsWhomIsCounted(t *testing.T) {
	const ms = time.Millisecond
	r := &lab.Result{Played: &lab.Scenario{Class: []lab.Class{{Name: "open"}, {Name: "silent"}, {Name: "home"}}}, Lookups: []lab.Lookup{
		{By: "open", Of: "home", Took: 10 * ms, Queries: 3}, {By: "open", Of: "home", Took: -1, Queries: 5},
		{By: "home", Of: "home", Took: 30 * ms, Queries: 4}, {By: "home", Of: "open", Took: 30 * ms, Queries: 4},
	}}
	p := &page{}
	p.lookups(newView(r))
	for _, row := range []string{
		"<th>of open</th><th>of home</th><th>of all</th>",
		"<td>open</td><td></td><td>1 of 2</td><td>1 of 2</td><td>10</td><td>10</td><td>4.0</td>",
		"<td>home</td><td>1 of 1</td><td>1 of 1</td><td>2 of 2</td><td>30</td><td>30</td><td>4.0</td>",
		"<td>all</td><td>1 of 1</td><td>2 of 3</td><td>3 of 4</td>",
	} {
		if !strings.Contains(p.String(), row) {
			t.Errorf("no %s in\n%s", row, p.String())
		}
	}
}
