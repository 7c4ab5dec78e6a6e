package labview

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/internal/chart"
)

//go:embed page.css
var style string

// svg is a picture whose text is escaped.
type svg string

// page is HTML under construction. No template is used: a program that uses
// templates keeps every method of every type, and would be larger by a fifth.
type page struct{ strings.Builder }

// add appends HTML. The text that replaces its verbs is escaped.
func (p *page) add(html string, text ...string) {
	escaped := make([]any, len(text))
	for i, t := range text {
		escaped[i] = escape(t)
	}
	fmt.Fprintf(p, html, escaped...)
}

// begin writes what stands before the first words of a page.
func (p *page) begin(title string) {
	p.add(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s</title>
`, title)
	fmt.Fprintf(p, "<style>\n%s%s</style>\n</head>\n<body>\n<main>\n", chart.Style, style)
}

func (p *page) figures(list ...figure) {
	for _, f := range list {
		fmt.Fprintf(p, "<figure>%s", f.Picture)
		if f.Caption != "" {
			p.add("<figcaption>%s</figcaption>", f.Caption)
		}
		p.WriteString("</figure>\n")
	}
}

func (p *page) row(sums bool, cells []string) {
	p.WriteString("<tr")
	if sums {
		p.WriteString(` class="class"`)
	}
	p.WriteString(">")
	for _, c := range cells {
		p.add("<td>%s</td>", c)
	}
	p.WriteString("</tr>\n")
}

// WritePage writes a page that loads nothing from elsewhere. The command is the
// one that plays the run again.
func WritePage(w io.Writer, r *lab.Result, command string) error {
	v, p := newView(r), &page{}
	p.begin(title(r))
	p.add("<h1>%s</h1>\n", cmp.Or(r.Scenario, "scenario"))
	if about := r.Played.About; about != "" {
		p.add("<p>%s</p>\n", about)
	}
	p.add("<p class=\"soft\">%s. To play the run again: <code>%s</code></p>\n", fmt.Sprintf("%d nodes, %s in %d pieces; %s messages in %s of virtual time, simulated in %s",
		len(r.Nodes), units.Bytes(int64(r.Played.Content)), r.Pieces, count(r.Messages), seconds(r.Virtual), seconds(r.Real)), command)
	p.wrong("Checks that every swarm must pass failed", r)
	p.WriteString(`<div class="tiles">`)
	for _, t := range tiles(r) {
		p.add(`<div class="tile"><i>%s</i><b>%s</b><i>%s</i></div>`, t.Name, t.Value, t.About)
	}
	p.add(`</div>
<p class="soft">Lower bound: %s. F is the size of the content, N the number of downloaders, u and d are uplinks and downlinks.</p>
<h2>Over time</h2>
`, Bound(r.Bounds))
	if len(v.rows) < len(r.Nodes) {
		p.add("<p class=\"soft\">%s</p>\n", fmt.Sprintf("%d of the %d nodes are drawn, evenly chosen.", len(v.rows), len(r.Nodes)))
	}
	p.figures(v.life(), v.nodes(), v.rates(), v.copies(), v.rare(), v.interest())
	p.path(v)
	p.lookups(v)
	p.WriteString("<h2>Node by node</h2>\n<div class=\"pair\">")
	p.figures(v.completion(), v.given())
	p.WriteString("</div>\n")
	p.table(r)
	p.add(`<p class="soft" style="margin-top:12px">Times are in seconds since arrival, payload is in MiB. Wasted payload was received twice, was corrupt, or was lost in a crash.</p>
<h2>The scenario</h2>
<details><summary>as played, in TOML</summary><pre>%s</pre></details>
</main>
</body>
</html>
`, r.Played.TOML())
	_, err := io.WriteString(w, p.String())
	return err
}

// wrong lists what must hold of a run and did not.
func (p *page) wrong(title string, r *lab.Result) {
	if len(r.Wrong) == 0 {
		return
	}
	p.add(`<div class="wrong"><b>%s:</b>`, title)
	for _, err := range r.Wrong {
		p.add("<pre>%s</pre>", err.Error())
	}
	p.WriteString("</div>\n")
}

// table writes the table of the nodes, class by class.
func (p *page) table(r *lab.Result) {
	p.WriteString("<div class=\"table\"><table>\n<thead><tr>")
	for _, head := range heads {
		p.add("<th>%s</th>", head)
	}
	p.WriteString("</tr></thead>\n<tbody>")
	for _, nodes := range r.Classes() {
		p.row(true, row(nodes[0].Class, nodes))
		for _, n := range nodes[:min(len(nodes), mostRows)] {
			p.row(false, row(n.Name, lab.Nodes{n}))
		}
	}
	p.row(true, row("all", r.Nodes))
	p.WriteString("</tbody>\n</table></div>\n")
}
