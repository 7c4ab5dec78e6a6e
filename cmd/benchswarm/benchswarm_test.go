//go:build linux

package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/chart"
	"kouzui/cmd/interop/counterpart"
)

func TestBound(t *testing.T) {
	for name, want := range map[string]string{"crowd": "33.6s", "staggered": "33.6s", "hetero": "33.6s"} {
		for _, s := range swarms {
			if got := s.bound().Round(100 * time.Millisecond).String(); s.name == name && got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
	slow := swarm{up: []int64{mbit}}
	if got, want := slow.bound().Seconds(), 16.0*contentLength/(24*mbit); got < want-0.01 || got > want+0.01 {
		t.Errorf("where the leechers are slow: %v s, want %v", got, want)
	}
}

func TestArrivals(t *testing.T) {
	s := swarms[1]
	if first, last := s.arrival(0), s.arrival(leechers-1); first != 0 || last >= s.within || last < s.within*9/10 {
		t.Errorf("from %v to %v", first, last)
	}
}

func played(team string, seconds, wasted float64, clients ...string) Run {
	r := Run{Team: team, Last: seconds, First: 1.2, Sent: 1.5}
	for i, client := range clients {
		r.Nodes = append(r.Nodes, Node{Client: client, Took: seconds / float64(i+1), Redundant: int64(wasted * contentLength)})
	}
	return r
}

func named(name string, hides bool) team {
	m := member{client: counterpart.Client{Name: name}, version: "1"}
	return team{name: name, kind: name, seed: m, leechers: []member{m}, hides: hides}
}

// A team of two clients has a row for all, and one for each.
func TestTable(t *testing.T) {
	r := &report{swarm: swarms[0], rounds: 2, teams: []team{named("kouzui", false), named("mixed", false), named("absent", false)}}
	r.add(played("kouzui", 40, 0.01, "kouzui", "kouzui"), nil)
	r.add(played("kouzui", 50, 0.02, "kouzui", "kouzui"), nil)
	r.add(played("mixed", 60, 0.03, "libtorrent", "kouzui"), nil)
	r.add(Run{Swarm: "crowd", Team: "absent", Round: 1}, errors.New("it crashed\n--- its log"))
	const want = `
| crowd             |        median, s |          last, s | ÷ bound |  redundant, % | worst node, % | copies sent until all was out | at the end |
|-------------------|-----------------:|-----------------:|--------:|--------------:|--------------:|------------------------------:|-----------:|
| kouzui            | 33.8 (30.0–37.5) | 45.0 (40.0–50.0) |    1.34 | 1.5 (1.0–2.0) | 1.5 (1.0–2.0) |                          1.20 |       1.50 |
| mixed             |             45.0 |             60.0 |    1.79 |           3.0 |           3.0 |                          1.20 |       1.50 |
| mixed: kouzui     |             30.0 |             30.0 |    0.89 |           3.0 |           3.0 |                               |            |
| mixed: libtorrent |             60.0 |             60.0 |    1.79 |           3.0 |           3.0 |                               |            |
`
	table, rest, _ := strings.Cut(r.text(), "\n\n")
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), table+"\n"); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(rest, "\n\nFailed: crowd of absent, round 1: it crashed.\n") {
		t.Errorf("the rest is %q", rest)
	}
	for i, p := range r.figure().Panels {
		if len(p.Series) != 2 { // teams that have played
			t.Errorf("panel %d has %d curves", i, len(p.Series))
		}
	}
}

// What a client does not tell is seen at its link.
func TestWasteOfASilentClient(t *testing.T) {
	n := Node{Redundant: -1, Received: contentLength * 103 / 100}
	if w := n.waste(); w < 0.029 || w > 0.031 {
		t.Errorf("%v", w)
	}
}

// Every kind of team has a colour.
func TestColours(t *testing.T) {
	teams, _, err := teamsOf("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range teams {
		if colours[one.kind] == 0 {
			t.Errorf("%s has none", one.kind)
		}
	}
}

// Runs that are kept are read again, and found by what they are of.
func TestRunsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs")
	if runs, err := readRuns(path); err != nil || len(runs) > 0 {
		t.Errorf("before: %v, %v", runs, err)
	}
	one := played("kouzui", 40, 0.01, "kouzui")
	one.Swarm, one.Round = "crowd", 1
	other := one
	other.Round = 2
	for _, r := range []Run{one, other} {
		if err := keep(path, r); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := readRuns(path)
	if diff := cmp.Diff([]Run{one, other}, runs); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if one.same(other) || !one.same(runs[0]) {
		t.Error("rounds are not told apart")
	}
}

// The simulated swarm is held against the real one of the same kouzui.
func TestSimulated(t *testing.T) {
	for _, s := range swarms {
		if _, err := lab.Read(s.scenario().TOML()); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	lines := `{"type":"node","was_seed":true,"uploaded_bytes":50331648}` + "\n"
	for range leechers {
		lines += `{"type":"node","was_seed":false,"arrived_seconds":1.5,"complete_after_seconds":30,"wasted_bytes":671088}` + "\n"
	}
	lines += `{"type":"class"}` + "\n" + `{"type":"swarm","seed":7,"seed_copies":1.1,"all_complete_at_seconds":44}` + "\n"
	run, err := simulated(swarms[0], []byte(lines))
	if err != nil || run.Last != 44 || run.First != 1.1 || run.Sent != 1.5 || run.Nodes[3].Took != 30 {
		t.Fatalf("%+v, %v", run, err)
	}
	if _, err := simulated(swarms[0], nil); err == nil {
		t.Error("no nodes are no error")
	}
	same := named("kouzui"+inSilico, false)
	same.simulator, run.Team = "kouzui", same.name
	r := &report{swarm: swarms[0], teams: []team{named("kouzui", false), same}}
	r.add(run, nil)
	r.add(played("kouzui", 40, 0.01, "kouzui"), nil)
	if got, want := r.faithful(), "against real: median -25 %, last +10 %, redundant +1.0 points, copies until all was out -0.10.\n\n"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDistribution(t *testing.T) {
	want := []chart.Point{{X: 0, Y: 0}, {X: 1, Y: 50}, {X: 3, Y: 100}}
	if diff := cmp.Diff(want, distribution([]float64{3, 1})); diff != "" {
		t.Error(diff)
	}
}
