//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
)

// report is how all teams played one swarm.
type report struct {
	swarm    swarm
	teams    []team
	rounds   int
	mu       sync.Mutex // guards the fields below
	runs     []Run
	failures []string
}

// add takes a run, or why there is none, and says whether there is one.
func (r *report) add(run Run, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	what := fmt.Sprintf("%s of %s, round %d", run.Swarm, run.Team, run.Round)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		r.failures = append(r.failures, what+": "+first)
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		return false
	}
	r.runs = append(r.runs, run)
	fmt.Fprintf(os.Stderr, "%s: last after %.1f s, waste %.1f %%, %.2f copies until all was out, %.2f in all\n",
		what, run.Last, 100*mean(run.Nodes), run.First, run.Sent)
	return true
}

func mean(nodes []Node) (waste float64) {
	for _, n := range nodes {
		waste += n.waste() / float64(len(nodes))
	}
	return waste
}

// group is the nodes of a team that run the same client.
type group struct {
	team  team
	name  string
	runs  []Run // with those nodes alone
	whole bool  // it is the whole team
}

// groups are the teams that have played; one of several clients is followed by
// each of its clients.
func (r *report) groups() (all []group) {
	for _, t := range r.teams {
		whole := group{team: t, name: t.name, whole: true}
		var clients []string
		for _, run := range r.runs {
			if run.Team != t.name {
				continue
			}
			whole.runs = append(whole.runs, run)
			for _, n := range run.Nodes {
				if !slices.Contains(clients, n.Client) {
					clients = append(clients, n.Client)
				}
			}
		}
		if len(whole.runs) == 0 {
			continue
		}
		all = append(all, whole)
		if len(clients) == 1 {
			continue
		}
		slices.Sort(clients)
		for _, client := range clients {
			part := group{team: t, name: t.name + ": " + client}
			for _, run := range whole.runs {
				run.Nodes = slices.DeleteFunc(slices.Clone(run.Nodes), func(n Node) bool { return n.Client != client })
				run.Last = 0
				for _, n := range run.Nodes {
					run.Last = max(run.Last, n.Arrived+n.Took)
				}
				part.runs = append(part.runs, run)
			}
			all = append(all, part)
		}
	}
	return all
}

// over is the spread of a quantity over the runs.
func (g group) over(of func(Run) float64) spread.Spread {
	var values []float64
	for _, r := range g.runs {
		values = append(values, of(r))
	}
	s, _ := spread.Of(values)
	return s
}

func took(r Run) float64 {
	var times []float64
	for _, n := range r.Nodes {
		times = append(times, n.Took)
	}
	s, _ := spread.Of(times)
	return s.Median
}

func last(r Run) float64  { return r.Last }
func waste(r Run) float64 { return 100 * mean(r.Nodes) }
func worst(r Run) (most float64) {
	for _, n := range r.Nodes {
		most = max(most, 100*n.waste())
	}
	return most
}
func first(r Run) float64 { return r.First }
func sent(r Run) float64  { return r.Sent }

func (r *report) text() string {
	bound := r.swarm.bound().Seconds()
	head := []string{r.swarm.name, "median, s", "last, s", "÷ bound", "redundant, %", "worst node, %", "copies sent until all was out", "at the end"}
	var rows [][]string
	for _, g := range r.groups() {
		row := []string{g.name, g.over(took).Show(1), g.over(last).Show(1), fmt.Sprintf("%.2f", g.over(last).Median/bound),
			g.over(waste).Show(1), g.over(worst).Show(1)}
		if g.whole {
			row = append(row, g.over(first).Show(2), g.over(sent).Show(2))
		} else {
			row = append(row, "", "")
		}
		rows = append(rows, row)
	}
	return page.Table(head, rows) + "\n" + r.faithful() + r.footnote()
}

// faithful says by how much the simulated swarm differs from the real one.
func (r *report) faithful() string {
	groups := r.groups()
	for _, s := range groups {
		if s.team.simulator == "" {
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.name+inSilico == s.name })
		if i < 0 {
			return ""
		}
		of := groups[i]
		part := func(q func(Run) float64) float64 { return 100 * (s.over(q).Median/of.over(q).Median - 1) }
		return fmt.Sprintf("Simulated, of %d seeds, against real: median %+.0f %%, last %+.0f %%, redundant %+.1f points, copies until all was out %+.2f.\n\n",
			seeds, part(took), part(last), s.over(waste).Median-of.over(waste).Median, s.over(first).Median-of.over(first).Median)
	}
	return ""
}

// footnote says what was run, when, and on what.
func (r *report) footnote() string {
	var versions []string
	for _, t := range r.teams {
		for _, m := range append([]member{t.seed}, t.leechers...) {
			if v := m.client.Name + " " + m.version; !slices.Contains(versions, v) {
				versions = append(versions, v)
			}
		}
	}
	text := fmt.Sprintf("Bound: %.1f s. Rounds: %d; swarms at a time: %d; %s. %s\n", r.swarm.bound().Seconds(), r.rounds, *together,
		strings.Join(versions, ", "), page.Now())
	for _, f := range r.failures {
		text += "\nFailed: " + f + ".\n"
	}
	return text
}

// figure shows how the nodes of each team become complete, and how many
// redundant bytes they received, of all rounds together. Of several kouzuis it
// shows the last.
func (r *report) figure() chart.Figure {
	complete := chart.Panel{
		Title: "Complete", X: chart.Axis{Label: "s since the node's arrival"}, Y: chart.Axis{Label: "% of the nodes", To: 100},
		Marks: []chart.Mark{{Name: "bound", X: r.swarm.bound().Seconds()}},
	}
	redundant := chart.Panel{
		Title: "Redundant bytes received", X: chart.Axis{Label: "% of the content, at most"}, Y: chart.Axis{Label: "% of the nodes", To: 100},
	}
	if r.swarm.within > 0 {
		complete.Marks = nil // it counts from the first arrival
	}
	for _, g := range r.groups() {
		if !g.whole || g.team.earlier {
			continue
		}
		var times, wastes []float64
		for _, run := range g.runs {
			for _, n := range run.Nodes {
				times, wastes = append(times, n.Took), append(wastes, 100*max(0, n.waste()))
			}
		}
		series := chart.Series{Name: g.name, Line: true, Steps: true, Faint: g.team.simulator != "", Colour: colours[g.team.kind]}
		series.Points = distribution(times)
		complete.Series = append(complete.Series, series)
		series.Points = distribution(wastes)
		redundant.Series = append(redundant.Series, series)
	}
	return chart.Figure{Title: r.swarm.title, Panels: []chart.Panel{complete, redundant}, Columns: 1, Width: 940, Height: 300}
}

// colours of the teams of a kind, the same in all pictures.
var colours = map[string]int{
	"kouzui": 1, "simulated": 1, "mixed": 2, "libtorrent": 3, "kouzui-hidden": 4, "aria2": 5, "libtorrent-hidden": 6,
}

// distribution is which part of the values, in percent, is not greater.
func distribution(values []float64) []chart.Point {
	slices.Sort(values)
	points := []chart.Point{{X: 0, Y: 0}}
	for i, v := range values {
		points = append(points, chart.Point{X: v, Y: 100 * float64(i+1) / float64(len(values))})
	}
	return points
}
