//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
)

// report is what was measured in one part.
type report struct {
	part     part
	clients  []participant
	partner  participant
	size     int64
	rounds   int
	runs     []Run
	failures []string
}

// quantity is a column, or a table of its own.
type quantity struct {
	title    string
	of       func(Run) float64
	decimals int
}

var (
	cpu       = quantity{"CPU s/GiB", func(r Run) float64 { return r.CPU }, 2}
	wall      = quantity{"wall s", func(r Run) float64 { return r.Wall }, 2}
	synced    = quantity{"on disk s", func(r Run) float64 { return r.Synced }, 2}
	resident  = quantity{"resident MiB", func(r Run) float64 { return float64(r.Resident) / mib }, 0}
	anonymous = quantity{"anonymous MiB", func(r Run) float64 { return float64(r.Anonymous) / mib }, 0}
)

func (q quantity) show(s spread.Spread) string { return s.Show(q.decimals) }

// measured is the spread of a quantity, if the client has run the scenario.
func (r *report) measured(s scenario, client string, q quantity) (sp spread.Spread, ok bool) {
	var values []float64
	for _, run := range r.runs {
		if run.Scenario == s.name && run.Seed == s.seeds && run.Client == client {
			values = append(values, q.of(run))
		}
	}
	return spread.Of(values)
}

// best is the least median of other clients than Kouzui. If there are none, it
// is the median of the first client.
func (r *report) best(s scenario, q quantity) float64 {
	best := 0.0
	for _, c := range r.clients {
		sp, ok := r.measured(s, c.Name, q)
		if ok && !c.ours() && (best == 0 || sp.Median < best) {
			best = sp.Median
		}
	}
	if best == 0 {
		sp, _ := r.measured(s, r.clients[0].Name, q)
		best = sp.Median
	}
	return best
}

func ratio(of, to float64) string {
	if of == 0 || to == 0 { // not measured
		return "-"
	}
	return fmt.Sprintf("%.2f", of/to)
}

// clientTable has a table for each scenario, with a row for each client.
// Clients that take the least CPU come first.
func clientTable(r *report) string {
	var tables []string
	for _, s := range r.part.scenarios {
		head := []string{s.direction(), cpu.title, "÷ best other", wall.title, "÷ best other"}
		if s.disk && !s.seeds {
			head = append(head, synced.title)
		}
		head = append(head, resident.title, anonymous.title)
		var rows [][]string
		for _, name := range r.ranking(s) {
			get := func(q quantity) spread.Spread { sp, _ := r.measured(s, name, q); return sp }
			row := []string{name}
			for _, q := range []quantity{cpu, wall} {
				row = append(row, q.show(get(q)), ratio(get(q).Median, r.best(s, q)))
			}
			if s.disk && !s.seeds {
				row = append(row, synced.show(get(synced)))
			}
			rows = append(rows, append(row, resident.show(get(resident)), anonymous.show(get(anonymous))))
		}
		tables = append(tables, page.Table(head, rows))
	}
	return strings.Join(tables, "\n")
}

// ranking is the clients that took part, by CPU.
func (r *report) ranking(s scenario) (names []string) {
	medians := map[string]float64{}
	for _, c := range r.clients {
		if sp, ok := r.measured(s, c.Name, cpu); ok {
			names, medians[c.Name] = append(names, c.Name), sp.Median
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(medians[a], medians[b]) })
	return names
}

// across has a row for each client, a column for each scenario, and behind them
// the ratios of some columns. All scenarios must have one direction.
func (r *report) across(q quantity, scenarios []scenario, ratios ...[2]int) string {
	head := []string{scenarios[0].direction() + ", " + q.title}
	for _, s := range scenarios {
		head = append(head, s.name)
	}
	for _, pair := range ratios {
		head = append(head, scenarios[pair[0]].name+" ÷ "+scenarios[pair[1]].name)
	}
	var rows [][]string
	for _, c := range r.clients {
		row, some := []string{c.Name}, false
		all := make([]spread.Spread, len(scenarios))
		for i, s := range scenarios {
			sp, ok := r.measured(s, c.Name, q)
			cell := "-"
			if ok {
				cell, some = q.show(sp), true
			}
			all[i], row = sp, append(row, cell)
		}
		for _, pair := range ratios {
			row = append(row, ratio(all[pair[0]].Median, all[pair[1]].Median))
		}
		if some {
			rows = append(rows, row)
		}
	}
	return page.Table(head, append(rows, r.beside(q, scenarios, len(ratios))...))
}

// beside are rows that compare Kouzui with the best other client.
func (r *report) beside(q quantity, scenarios []scenario, empty int) (rows [][]string) {
	for _, c := range r.clients {
		if c.kind != "kouzui" || len(r.clients) == 1 {
			continue
		}
		row := []string{c.Name + " ÷ best other"}
		for _, s := range scenarios {
			sp, _ := r.measured(s, c.Name, q)
			row = append(row, ratio(sp.Median, r.best(s, q)))
		}
		rows = append(rows, append(row, make([]string, empty)...))
	}
	return rows
}

func fanoutTables(r *report) string {
	s := r.part.scenarios
	return strings.Join([]string{
		r.across(cpu, s, [2]int{1, 0}, [2]int{2, 0}), r.across(wall, s), r.across(resident, s), r.across(anonymous, s),
	}, "\n")
}

func pieceTables(r *report) string {
	var tables []string
	for _, seeds := range []bool{false, true} {
		var s []scenario
		for _, one := range r.part.scenarios {
			if one.seeds == seeds {
				s = append(s, one)
			}
		}
		if len(s) == 0 {
			continue
		}
		var ratios [][2]int
		if of := slices.IndexFunc(s, func(s scenario) bool { return s.piece == mib }); of > 0 {
			ratios = [][2]int{{0, of}}
		}
		tables = append(tables, r.across(cpu, s, ratios...), r.across(wall, s), r.across(resident, s), r.across(anonymous, s))
	}
	return strings.Join(tables, "\n")
}

// footnote says what was run, when, and on what.
func (r *report) footnote() string {
	var contents, versions []string
	for _, s := range r.part.scenarios {
		place := *dir
		if s.disk {
			place = *disk
		}
		contents = append(contents, bytesOf(s.content(r.size).length)+" on "+page.Filesystem(place))
	}
	for _, c := range r.clients {
		versions = append(versions, c.Name+" "+c.version)
	}
	text := fmt.Sprintf("Rounds: %d; content: %s; at the other side: %s; %s. %s\n", r.rounds,
		strings.Join(slices.Compact(contents), ", "), r.partner.Name, strings.Join(versions, ", "), page.Now())
	for _, f := range r.failures {
		text += "\nFailed: " + f + ".\n"
	}
	return text
}
