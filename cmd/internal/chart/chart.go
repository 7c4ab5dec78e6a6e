// Package chart draws curves of measurements as small SVG pictures, for a page
// that is read in light and in dark: nothing has a background, and colours
// follow what the reader prefers.
package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// Figure is one picture: panels side by side, two in a row.
type Figure struct {
	Title  string // for those who cannot see it
	Panels []Panel
}

// Panel is one system of axes.
type Panel struct {
	Title  string
	X, Y   Axis
	Series []Series
	Limits []Limit
}

// Axis is how one direction is scaled and labelled.
type Axis struct {
	Label string // with the unit
	Log   bool   // by powers of ten; a linear one begins at 0
}

// Series is one curve.
type Series struct {
	Name   string
	Points []Point
}

// Point is one measurement.
type Point struct{ X, Y float64 }

// Limit is a value of Y that is not to be passed, drawn as a dashed line.
type Limit struct {
	Name string
	Y    float64
}

// Sizes in pixels.
const (
	width, height = 420, 300 // of a panel
	left, right   = 62, 18   // around its plot
	top, bottom   = 62, 46
	plotWidth     = width - left - right
	plotHeight    = height - top - bottom
	perRow        = 2
)

// style has colours that can be told apart by everybody, on white and on black.
const style = `
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
.title { font-size: 13px; font-weight: 600; fill: #1f2328 }
.grid { stroke: #d8dee4; stroke-width: 1 }
.axis { stroke: #8c959f; stroke-width: 1 }
.limit { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 5 4 }
.curve { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round }
.s0 { stroke: #0969da } .s1 { stroke: #bf5700 } .s2 { stroke: #1a7f5a } .s3 { stroke: #8250df }
.d0 { fill: #0969da } .d1 { fill: #bf5700 } .d2 { fill: #1a7f5a } .d3 { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 }
.title { fill: #f0f6fc }
.grid { stroke: #30363d }
.axis, .limit { stroke: #656c76 }
.s0 { stroke: #4493f8 } .s1 { stroke: #f0883e } .s2 { stroke: #3fb88b } .s3 { stroke: #ab7df8 }
.d0 { fill: #4493f8 } .d1 { fill: #f0883e } .d2 { fill: #3fb88b } .d3 { fill: #ab7df8 }
}
`

// colours is how many series look different.
const colours = 4

// SVG is the picture.
func (f Figure) SVG() []byte {
	columns := min(len(f.Panels), perRow)
	rows := (len(f.Panels) + perRow - 1) / perRow
	c := &canvas{}
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`,
		columns*width, rows*height, columns*width, rows*height)
	c.printf("<title>%s</title>\n<style>%s</style>\n", escape(f.Title), style)
	for i, p := range f.Panels {
		c.printf(`<g transform="translate(%d %d)">`+"\n", i%perRow*width, i/perRow*height)
		c.panel(p)
		c.printf("</g>\n")
	}
	c.printf("</svg>\n")
	return c.Bytes()
}

type canvas struct{ bytes.Buffer }

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

func (c *canvas) text(class, anchor string, x, y float64, s string) {
	c.printf(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, anchor, x, y, escape(s))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.printf(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

func (c *canvas) panel(p Panel) {
	x, y := p.scales()
	const base, end = top + plotHeight, left + plotWidth
	across := func(v float64) float64 { return left + plotWidth*x.place(v) }
	up := func(v float64) float64 { return base - plotHeight*y.place(v) }

	c.text("title", "start", left, 18, p.Title)
	for _, v := range y.ticks {
		c.line("grid", left, up(v), end, up(v))
		c.text("tick", "end", left-8, up(v)+4, format(v))
	}
	for _, v := range x.ticks {
		c.line("axis", across(v), base, across(v), base+4)
		c.text("tick", "middle", across(v), base+18, format(v))
	}
	c.line("axis", left, base, end, base)
	c.text("label", "middle", left+plotWidth/2, height-8, p.X.Label)
	c.printf(`<text class="label" text-anchor="middle" transform="translate(14 %d) rotate(-90)">%s</text>`+"\n", top+plotHeight/2, escape(p.Y.Label))

	for _, l := range p.Limits {
		c.line("limit", left, up(l.Y), end, up(l.Y))
		c.text("label", "end", end, up(l.Y)-5, l.Name)
	}
	c.legend(p.Series)
	for i, s := range p.Series {
		var path strings.Builder
		for k, pt := range s.Points {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(k, 1)], across(pt.X), up(pt.Y))
		}
		c.printf(`<path class="curve s%d" d="%s"/>`+"\n", i%colours, path.String())
		for _, pt := range s.Points {
			c.printf(`<circle class="d%d" cx="%.1f" cy="%.1f" r="3"><title>%s: %s</title></circle>`+"\n",
				i%colours, across(pt.X), up(pt.Y), format(pt.X), format(pt.Y))
		}
	}
}

// legend names the curves where there are several.
func (c *canvas) legend(series []Series) {
	if len(series) < 2 {
		return
	}
	const letter, swatch = 6.3, 26 // a letter's usual width; the room for a colour
	x := float64(left)
	for i, s := range series {
		c.printf(`<line class="curve s%d" x1="%.1f" y1="36" x2="%.1f" y2="36"/>`+"\n", i%colours, x, x+14)
		c.text("label", "start", x+19, 40, s.Name)
		x += swatch + letter*float64(len([]rune(s.Name))) + 8
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
