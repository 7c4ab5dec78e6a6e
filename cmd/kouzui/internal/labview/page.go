package labview

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/chart"
	"kouzui/cmd/kouzui/internal/units"
)

//go:embed page.css
var style string

// svg is a picture of ours, whose text is escaped.
type svg string

// page is HTML that grows. It is written without a template: for the sake of
// templates the linker keeps every method of every type, which makes the program a
// fifth larger, in memory too.
type page struct{ strings.Builder }

// add appends HTML; what stands for a verb in it is text, and is escaped.
func (p *page) add(html string, text ...string) {
	escaped := make([]any, len(text))
	for i, t := range text {
		escaped[i] = escape(t)
	}
	fmt.Fprintf(p, html, escaped...)
}

func (p *page) figures(list ...figure) {
	for _, f := range list {
		fmt.Fprintf(p, "<figure>%s<figcaption>%s</figcaption></figure>\n", f.Picture, escape(f.Caption))
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

// WritePage writes a page that needs nothing but itself. The command is how the
// same run is had again.
func WritePage(w io.Writer, r *lab.Result, command string) error {
	v, p := newView(r), &page{}
	p.add(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s</title>
`, title(r))
	fmt.Fprintf(p, "<style>\n%s%s</style>\n</head>\n<body>\n<main>\n", chart.Style, style)
	p.add("<h1>%s</h1>\n", cmp.Or(r.Scenario, "scenario"))
	if about := r.Played.About; about != "" {
		p.add("<p>%s</p>\n", about)
	}
	p.add("<p class=\"soft\">%s. The same run again: <code>%s</code></p>\n", fmt.Sprintf("%d nodes, %s in %d pieces; %s messages in %s of virtual time, which took %s",
		len(r.Nodes), units.Bytes(int64(r.Played.Content)), r.Pieces, count(r.Messages), seconds(r.Virtual), seconds(r.Real)), command)
	if len(r.Wrong) > 0 {
		p.WriteString(`<div class="wrong"><b>What must hold of every swarm did not:</b>`)
		for _, err := range r.Wrong {
			p.add("<pre>%s</pre>", err.Error())
		}
		p.WriteString("</div>\n")
	}
	p.WriteString(`<div class="tiles">`)
	for _, t := range tiles(r) {
		p.add(`<div class="tile"><i>%s</i><b>%s</b><i>%s</i></div>`, t.Name, t.Value, t.About)
	}
	p.add(`</div>
<p class="soft">Lower bound: %s. F is the content, N how many want it, u and d are uplinks and downlinks.</p>
<h2>In the course of time</h2>
`, Bound(r.Bounds))
	if len(v.rows) < len(r.Nodes) {
		p.add("<p class=\"soft\">%s</p>\n", fmt.Sprintf("Of %d nodes %d are drawn, chosen evenly.", len(r.Nodes), len(v.rows)))
	}
	p.figures(v.life(), v.nodes(), v.rates(), v.copies(), v.rare(), v.interest())
	p.WriteString("<h2>Node by node</h2>\n<div class=\"pair\">")
	p.figures(v.completion(), v.given())
	p.WriteString("</div>\n")
	p.table(r)
	p.add(`<p class="soft" style="margin-top:12px">Times in seconds since arrival; payload in MiB. In vain is what came twice, was corrupt, or was lost in a crash.</p>
<h2>The scenario</h2>
<details><summary>as it was played, in TOML</summary><pre>%s</pre></details>
</main>
</body>
</html>
`, r.Played.TOML())
	_, err := io.WriteString(w, p.String())
	return err
}

// table is that of the nodes, class by class.
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
