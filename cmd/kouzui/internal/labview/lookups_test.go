package labview

import (
	"encoding/json"
	"strings"
	"testing"

	"kouzui/actors/lab"
)

// Table and lines tell how lookups in a DHT have gone, and of a swarm without
// any, nothing.
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
}
