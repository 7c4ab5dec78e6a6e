package labview

import (
	"cmp"
	"fmt"
	"io"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/internal/chart"
)

// WritePage writes a page with both runs, picture beneath picture with the same
// axis of time. The page loads nothing from elsewhere.
func (v Versus) WritePage(w io.Writer) error {
	runs := []*view{newView(v.Simulated), newView(v.Real)}
	tops := map[string]float64{}
	runs[0].pair, runs[1].pair = &pair{"simulated", tops}, &pair{"processes", tops}
	runs[0].end = max(runs[0].end, runs[1].end)
	runs[1].end = runs[0].end
	both := func(draw func(*view) figure) []figure {
		draw(runs[0]) // so that the other knows how high it is
		second := draw(runs[1])
		return []figure{draw(runs[0]), second}
	}
	p, s := &page{}, v.Simulated
	name := cmp.Or(s.Scenario, "scenario")
	p.begin(name + ", simulated and by processes")
	p.add("<h1>%s</h1>\n", name)
	if about := s.Played.About; about != "" {
		p.add("<p>%s</p>\n", about)
	}
	p.add("<p class=\"soft\">%s. To play it again: <code>%s</code></p>\n", fmt.Sprintf(
		"%d nodes, %s in %d pieces, simulated with seed %d, and played by processes of one machine: %s", len(s.Nodes),
		units.Bytes(int64(s.Played.Content)), s.Pieces, s.Seed, took(v.Real)), v.Command)
	for _, note := range v.Notes {
		p.add("<p class=\"soft\">%s</p>\n", note)
	}
	for _, one := range runs {
		p.wrong(one.pair.name+": what must hold of every swarm, and did not", one.Result)
	}
	p.WriteString("<div class=\"table\"><table>\n<thead><tr>")
	for _, head := range versusHeads {
		p.add("<th>%s</th>", head)
	}
	p.WriteString("</tr></thead>\n<tbody>")
	for _, row := range v.rows() {
		p.row(false, row)
	}
	p.add("</tbody>\n</table></div>\n<p class=\"soft\">Lower bound: %s. The simulator is held to one seed, and the processes were played once: "+
		"small differences say nothing.</p>\n", Bound(s.Bounds))
	p.figures(v.completion())
	p.WriteString("<div class=\"pair\">\n")
	for _, f := range both((*view).given) {
		p.figures(f)
	}
	p.WriteString("</div>\n<h2>Over time</h2>\n")
	for _, draw := range []func(*view) figure{(*view).life, (*view).nodes, (*view).rates, (*view).copies, (*view).rare, (*view).interest} {
		pictures := both(draw)
		pictures[0].Caption = "" // the same as that of the other
		p.WriteString("<div class=\"beneath\">\n")
		p.figures(pictures...)
		p.WriteString("</div>\n")
	}
	p.path(runs[0])
	for _, one := range runs {
		p.add("<h2>Node by node, %s</h2>\n", one.pair.name)
		p.table(one.Result)
	}
	p.add(`<p class="soft" style="margin-top:12px">Times are in seconds since arrival, payload is in MiB. Messages of processes are estimated from a sample.</p>
<h2>The scenario</h2>
<details><summary>in TOML</summary><pre>%s</pre></details>
</main>
</body>
</html>
`, s.Played.TOML())
	_, err := io.WriteString(w, p.String())
	return err
}

// completion draws when the downloaders of both were complete.
func (v Versus) completion() figure {
	p := chart.Panel{Title: "Complete, after arrival", X: chart.Axis{Label: "s since arrival"}, Y: chart.Axis{Label: "% of the downloaders", To: 100}}
	for _, one := range []struct {
		name string
		*lab.Result
	}{{"simulated", v.Simulated}, {"processes", v.Real}} {
		s := chart.Series{Name: one.name, Line: true, Steps: true, Points: []chart.Point{{X: 0, Y: 0}}}
		for i, t := range one.Times() {
			s.Points = append(s.Points, chart.Point{X: t.Seconds(), Y: 100 * float64(i+1) / float64(one.Downloaders())})
		}
		p.Series = append(p.Series, s)
	}
	f := chart.Figure{Title: p.Title, Panels: []chart.Panel{p}, Width: wide, Height: low}
	return figure{svg(f.Inline()), "The part of the downloaders that was complete within a time after arrival."}
}
