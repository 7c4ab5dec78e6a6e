// Package chart draws curves of measurements as small SVG pictures. They fit
// light and dark pages: they have no background, and their colours follow the
// preference of the reader.
package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Figure is one picture: panels side by side, two in a row.
type Figure struct {
	Title   string // for those who cannot see it
	Panels  []Panel
	Columns int // panels in a row; 0: two
	Width   int // of a panel, in pixels; 0: 420
	Height  int // 0: 300
}

// Panel is one system of axes.
type Panel struct {
	Title  string
	X, Y   Axis
	Series []Series
	Limits []Limit
	Marks  []Mark
	Spans  []Span
}

// Axis is how one direction is scaled and labelled.
type Axis struct {
	Label string  // with the unit
	Log   bool    // by powers of ten; a linear one begins at 0
	To    float64 // where a linear one ends; 0: with the next round number
	Least float64 // to which the next round number must reach; 0: to the values
}

// Series is one curve.
type Series struct {
	Name   string
	Points []Point
	Line   bool   // without dots at the points, of which there are many
	Steps  bool   // a value holds until the next one
	Faint  bool   // thin and dashed
	Band   []Band // around it
	Colour int    // 0: that of its place; 1, 2 ...: that of the first, the second ...
}

// Point is one measurement.
type Point struct{ X, Y float64 }

// Band is the range of the values at X.
type Band struct{ X, Low, High float64 }

// Limit is a value of Y that should not be exceeded, drawn as a dashed line.
type Limit struct {
	Name string
	Y    float64
}

// Mark is a value of X, drawn as an upright line.
type Mark struct {
	Name string
	X    float64
}

// Span is a stretch of X in which something holds.
type Span struct {
	Name     string
	From, To float64
}

// Sizes in pixels.
const (
	usualWidth, usualHeight = 420, 300 // of a panel
	left, right             = 62, 18   // around its plot
	top, bottom             = 62, 46
	perRow                  = 2
)

// Style has colours that colour-blind readers can tell apart too, on white and
// on black. A picture of SVG contains the style; a page with figures of Inline
// has it once.
const Style = `
.chart text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
.chart .title { font-size: 13px; font-weight: 600; fill: #1f2328 }
.chart .grid { stroke: #d8dee4; stroke-width: 1 }
.chart .axis { stroke: #8c959f; stroke-width: 1 }
.chart .limit { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 5 4 }
.chart .curve { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round }
.chart .faint { stroke-width: 1.25; stroke-dasharray: 4 3 }
.chart .band { opacity: 0.16; stroke: none }
.chart .span { fill: #d4a72c; opacity: 0.16 }
.chart .s0 { stroke: #0969da } .chart .s1 { stroke: #bf5700 } .chart .s2 { stroke: #1a7f5a } .chart .s3 { stroke: #8250df }
.chart .s4 { stroke: #b3245e } .chart .s5 { stroke: #6e7781 }
.chart .d0 { fill: #0969da } .chart .d1 { fill: #bf5700 } .chart .d2 { fill: #1a7f5a } .chart .d3 { fill: #8250df }
.chart .d4 { fill: #b3245e } .chart .d5 { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
.chart text { fill: #9198a1 }
.chart .title { fill: #f0f6fc }
.chart .grid { stroke: #30363d }
.chart .axis, .chart .limit { stroke: #656c76 }
.chart .band { opacity: 0.22 }
.chart .s0 { stroke: #4493f8 } .chart .s1 { stroke: #f0883e } .chart .s2 { stroke: #3fb88b } .chart .s3 { stroke: #ab7df8 }
.chart .s4 { stroke: #f778ba } .chart .s5 { stroke: #9198a1 }
.chart .d0 { fill: #4493f8 } .chart .d1 { fill: #f0883e } .chart .d2 { fill: #3fb88b } .chart .d3 { fill: #ab7df8 }
.chart .d4 { fill: #f778ba } .chart .d5 { fill: #9198a1 }
}
`

// colours is how many series look different.
const colours = 6

// SVG is the picture as a file of its own.
func (f Figure) SVG() []byte { return f.draw("<style>" + Style + "</style>\n") }

// Inline is the picture for a page that has Style.
func (f Figure) Inline() []byte { return f.draw("") }

func (f Figure) draw(style string) []byte {
	perRow := or(f.Columns, perRow)
	columns := min(len(f.Panels), perRow)
	rows := (len(f.Panels) + perRow - 1) / perRow
	c := &canvas{width: or(f.Width, usualWidth), height: or(f.Height, usualHeight)}
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`,
		columns*c.width, rows*c.height, columns*c.width, rows*c.height)
	c.printf("<title>%s</title>\n%s", escape(f.Title), style)
	for i, p := range f.Panels {
		c.printf(`<g transform="translate(%d %d)">`+"\n", i%perRow*c.width, i/perRow*c.height)
		c.panel(p)
		c.printf("</g>\n")
	}
	c.printf("</svg>\n")
	return c.Bytes()
}

func or(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}

type canvas struct {
	bytes.Buffer
	width, height int // of a panel
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

func (c *canvas) text(class, anchor string, x, y float64, s string) {
	c.printf(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, anchor, x, y, escape(s))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.printf(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

func (c *canvas) panel(p Panel) {
	x, y := p.scales(c.width)
	plotWidth, plotHeight := float64(c.width-left-right), float64(c.height-top-bottom)
	base, end := top+plotHeight, left+plotWidth
	across := func(v float64) float64 { return left + plotWidth*min(x.place(v), 1) }
	up := func(v float64) float64 { return base - plotHeight*min(y.place(v), 1) }

	c.text("title", "start", left, 18, p.Title)
	for _, s := range p.Spans {
		c.printf(`<rect class="span" x="%.1f" y="%d" width="%.1f" height="%.1f"><title>%s</title></rect>`+"\n",
			across(s.From), top, across(s.To)-across(s.From), plotHeight, escape(s.Name))
		c.text("label", "start", across(s.From)+4, top+12, s.Name)
	}
	for _, v := range y.ticks {
		c.line("grid", left, up(v), end, up(v))
		c.text("tick", "end", left-8, up(v)+4, format(v))
	}
	for _, v := range x.ticks {
		c.line("axis", across(v), base, across(v), base+4)
		c.text("tick", "middle", across(v), base+18, format(v))
	}
	c.line("axis", left, base, end, base)
	c.text("label", "middle", left+plotWidth/2, float64(c.height)-8, p.X.Label)
	c.printf(`<text class="label" text-anchor="middle" transform="translate(14 %.0f) rotate(-90)">%s</text>`+"\n", top+plotHeight/2, escape(p.Y.Label))

	for _, l := range p.Limits {
		c.line("limit", left, up(l.Y), end, up(l.Y))
		c.text("label", "end", end, up(l.Y)-5, l.Name)
	}
	for _, m := range p.Marks {
		c.line("limit", across(m.X), top, across(m.X), base)
		if at := across(m.X); at > left+plotWidth*0.6 {
			c.text("label", "end", at-5, top+12, m.Name)
		} else {
			c.text("label", "start", at+5, top+12, m.Name)
		}
	}
	c.legend(p.Series)
	for i, s := range p.Series {
		colour := s.colour(i)
		if len(s.Band) > 0 {
			c.band(s.Band, colour, across, up)
		}
		class := fmt.Sprintf("curve s%d", colour)
		if s.Faint {
			class += " faint"
		}
		c.printf(`<path class="%s" d="%s"/>`+"\n", class, s.path(across, up))
		if s.Line {
			continue
		}
		for _, pt := range s.Points {
			c.printf(`<circle class="d%d" cx="%.1f" cy="%.1f" r="3"><title>%s: %s</title></circle>`+"\n",
				colour, across(pt.X), up(pt.Y), format(pt.X), format(pt.Y))
		}
	}
}

func (s Series) colour(place int) int {
	if s.Colour > 0 {
		place = s.Colour - 1
	}
	return place % colours
}

func (s Series) path(across, up func(float64) float64) string {
	var path strings.Builder
	for k, pt := range s.Points {
		if s.Steps && k > 0 {
			fmt.Fprintf(&path, "H%.1fV%.1f", across(pt.X), up(pt.Y))
			continue
		}
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(k, 1)], across(pt.X), up(pt.Y))
	}
	return path.String()
}

func (c *canvas) band(band []Band, colour int, across, up func(float64) float64) {
	c.printf(`<path class="band d%d" d="`, colour)
	for k, b := range band {
		c.printf("%c%.1f %.1f", "ML"[min(k, 1)], across(b.X), up(b.High))
	}
	for _, b := range slices.Backward(band) {
		c.printf("L%.1f %.1f", across(b.X), up(b.Low))
	}
	c.printf(`Z"/>` + "\n")
}

// legend names the curves if there are several, in two rows if one is too
// short.
func (c *canvas) legend(series []Series) {
	if len(series) < 2 {
		return
	}
	const letter, swatch, row = 6.3, 26, 14 // a letter's usual width; the room for a colour; the height of a row
	x, y := float64(left), 36.0
	for i, s := range series {
		width := swatch + letter*float64(len([]rune(s.Name))) + 8
		if x > left && x+width > float64(c.width) {
			x, y = left, y+row
		}
		class := fmt.Sprintf("curve s%d", s.colour(i))
		if s.Faint {
			class += " faint"
		}
		c.printf(`<line class="%s" x1="%.1f" y1="%.0f" x2="%.1f" y2="%.0f"/>`+"\n", class, x, y, x+14, y)
		c.text("label", "start", x+19, y+4, s.Name)
		x += width
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
