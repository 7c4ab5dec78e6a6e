package labview

import (
	"fmt"
	"io"
	"strings"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/lab/experiment"
	"kouzui/actors/world/sim"
	"kouzui/cmd/internal/chart"
)

// FindingsPage is a page about what an experiment has found. It loads nothing
// from elsewhere.
type FindingsPage struct {
	*experiment.Findings
	Command string // that plays the experiment again
	// Seed is that of the runs that are shown over time, and Runs are their
	// results: of the first variants, in their order.
	Seed uint64
	Runs []*lab.Result
}

// MostRuns is how many variants are shown over time at most: as many as there
// are colours.
const MostRuns = 6

// Write writes the page.
func (v FindingsPage) Write(w io.Writer) error {
	e, p := v.Experiment, &page{}
	p.begin(heading(v.Findings))
	p.add("<h1>%s</h1>\n", e.Name)
	if e.About != "" {
		p.add("<p>%s</p>\n", e.About)
	}
	p.add("<p class=\"soft\">%s. To play it again: <code>%s</code></p>\n", heading(v.Findings), v.Command)
	if note := ended(v.Findings); note != "" {
		p.add("<p class=\"soft\">%s</p>\n", note)
	}
	v.failed(p)
	p.WriteString("<div class=\"table\"><table class=\"words\">\n<thead><tr><th></th><th>variant</th><th>sets</th></tr></thead>\n<tbody>")
	for i, one := range e.Variants {
		name := one.Name
		if i == 0 && len(v.Comparisons) > 0 {
			name += ", the control"
		}
		p.row(false, []string{letter(i), name, v.sets(i)})
	}
	p.WriteString("</tbody>\n</table></div>\n")
	for m := range e.Measures {
		v.measure(p, m)
	}
	p.WriteString("<p class=\"soft\">Each dot is a run; point at it to read the command that plays it again. Bars are intervals of 95 % of the mean. " +
		"Differences are to the control, seed by seed. Effect is Cliff's delta, p is corrected for all comparisons of this page, r is the correlation of the pairs.</p>\n")
	v.overTime(p)
	p.WriteString("<h2>The scenario of the control</h2>\n")
	p.add("<details><summary>as played, in TOML</summary><pre>%s</pre></details>\n", e.Variants[0].Scenario)
	p.WriteString("</main>\n</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

func (v FindingsPage) sets(variant int) string {
	settings := v.Experiment.Variants[variant].Settings()
	if len(settings) == 0 {
		return "nothing: the scenario as it is"
	}
	return strings.Join(settings, ", ")
}

// failed lists the runs that do not count.
func (v FindingsPage) failed(p *page) {
	failed := v.Failed()
	if len(failed) == 0 {
		return
	}
	p.WriteString(`<div class="wrong"><b>Runs that did not pass the checks that every swarm must pass, and do not count:</b>`)
	for i, o := range failed {
		if i == maxFailed {
			p.add("<pre>and %s more</pre>", fmt.Sprint(len(failed)-i))
			break
		}
		p.add("<pre>%s\n%s</pre>", o.Failure, "kouzui lab simulate "+v.Experiment.Again(o.Job.Variant, o.Job.Seed))
	}
	p.WriteString("</div>\n")
}

// maxFailed is how many failed runs the page lists.
const maxFailed = 10

// measure writes the pictures and the table of one measure.
func (v FindingsPage) measure(p *page, m int) {
	measure := experiment.Of(v.Experiment.Measures[m])
	p.add("<h2>%s</h2>\n<p class=\"soft\">%s</p>\n<div class=\"pair\">", withUnit(measure), measure.About)
	p.figures(v.distributions(m))
	if len(v.Comparisons) > 0 {
		p.figures(v.differences(m))
	}
	p.WriteString("</div>\n<div class=\"table\"><table>\n<thead><tr>")
	for _, head := range findingsHeads(v.Findings) {
		p.add("<th>%s</th>", head)
	}
	p.WriteString("</tr></thead>\n<tbody>")
	for i := range v.Experiment.Variants {
		p.row(false, findingsRow(v.Findings, i, m))
	}
	p.WriteString("</tbody>\n</table></div>\n<ul>\n")
	for i := range v.Comparisons {
		c := v.Comparisons[i][m]
		html := "<li>%s</li>\n"
		if c.Seen() {
			html = "<li><b>%s</b></li>\n"
		}
		p.add(html, letter(i+1)+": "+Verdict(c, measure.Unit))
	}
	p.WriteString("</ul>\n")
}

// overTime shows one run of each variant.
func (v FindingsPage) overTime(p *page) {
	if len(v.Runs) == 0 {
		return
	}
	p.WriteString("<h2>Over time</h2>\n")
	p.add("<p class=\"soft\">One run of each variant, with seed %s, whose %s under the control is the nearest to the median of all seeds.</p>\n",
		fmt.Sprint(v.Seed), v.Experiment.Measures[0])
	end := 0.0
	for _, r := range v.Runs {
		end = max(end, newView(r).end.Seconds())
	}
	p.figures(
		v.curves("Complete", "% of the downloaders", end, 100, func(r *lab.Result, i int) float64 {
			seeds := len(r.Nodes) - r.Downloaders()
			return 100 * float64(max(0, r.Samples[i].Complete-seeds)) / float64(max(1, r.Downloaders()))
		}),
		v.curves("Throughput of the swarm, averaged over three seconds", "MiB/s", end, 0, func(r *lab.Result, i int) float64 {
			from := max(0, i-3)
			if from == i {
				return 0
			}
			return float64(r.Samples[i].Downloaded-r.Samples[from].Downloaded) / (r.Samples[i].At - r.Samples[from].At).Seconds() / (1 << 20)
		}),
		v.curves("Copies of the rarest piece", "copies", end, 0, func(r *lab.Result, i int) float64 { return float64(r.Samples[i].Least) }),
	)
	v.waits(p)
	p.WriteString("<div class=\"pair\">")
	for i := range v.Runs {
		p.figures(v.matrix(i))
	}
	p.WriteString("</div>\n<ul class=\"soft\">\n")
	for i := range v.Runs {
		p.add("<li>%s: <code>%s</code></li>\n", letter(i), "kouzui lab simulate "+v.Experiment.Again(i, v.Seed)+" --html page.html")
	}
	p.WriteString("</ul>\n")
}

// waits tells what the last completion of each run waited for.
func (v FindingsPage) waits(p *page) {
	heads := []string{"What the last completion waited for"}
	by := make([]map[sim.Sort]time.Duration, len(v.Runs))
	for i, r := range v.Runs {
		heads = append(heads, letter(i))
		by[i] = map[sim.Sort]time.Duration{}
		for _, s := range shares(r.Path) {
			by[i][s.what] = s.took
		}
	}
	var rows [][]string
	for _, one := range legNames {
		row, some := []string{one.name}, false
		for _, took := range by {
			cell := "-" // nobody completed
			if len(took) > 0 {
				cell = fmt.Sprintf("%.1f s", took[one.what].Seconds())
			}
			some = some || took[one.what] > 0
			row = append(row, cell)
		}
		if some {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return
	}
	p.WriteString("<div class=\"table\"><table>\n<thead><tr>")
	for _, head := range heads {
		p.add("<th>%s</th>", head)
	}
	p.WriteString("</tr></thead>\n<tbody>")
	for _, row := range rows {
		p.row(false, row)
	}
	p.WriteString("</tbody></table></div>\n")
}

// curves draws one value of the runs, a curve for each variant.
func (v FindingsPage) curves(title, unit string, end, top float64, of func(r *lab.Result, sample int) float64) figure {
	panel := chart.Panel{Title: title, X: chart.Axis{Label: "virtual time, s", To: end}, Y: chart.Axis{Label: unit, To: top}}
	for k, r := range v.Runs {
		s := chart.Series{Name: letter(k), Line: true}
		step := len(r.Samples)/mostPoints + 1
		for i := 0; i < len(r.Samples) && r.Samples[i].At.Seconds() <= end+1; i += step {
			s.Points = append(s.Points, chart.Point{X: r.Samples[i].At.Seconds(), Y: of(r, i)})
		}
		panel.Series = append(panel.Series, s)
	}
	return figure{svg(chart.Figure{Title: title, Panels: []chart.Panel{panel}, Width: wide, Height: low}.Inline()), ""}
}
