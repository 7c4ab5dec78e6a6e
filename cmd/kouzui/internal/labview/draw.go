package labview

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kouzui/actors/lab"
)

// canvas is for pictures that are not curves. Its margins, side and gap, are
// those of package chart, so that the time axes of all pictures match.
type canvas struct {
	bytes.Buffer
	end time.Duration
}

const (
	side, gap = 62.0, 18.0
	plot      = wide - side - gap
)

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(c, format, args...) }

func (c *canvas) across(at time.Duration) float64 {
	return side + plot*min(1, float64(at)/float64(c.end))
}

func (c *canvas) text(class, anchor string, x, y float64, s string) {
	c.printf(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, anchor, x, y, escape(s))
}

func (c *canvas) begin(title string, width, height float64) {
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img"><title>%s</title>`+"\n",
		width, height, width, height, escape(title))
	c.text("title", "start", side, 18, title)
}

func (c *canvas) picture() svg {
	c.printf("</svg>\n")
	return svg(c.String())
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// lane is a row of events.
type lane struct {
	name  string
	class string   // of its marks, in CSS
	of    []string // the events of the lane
}

var lanes = []lane{
	{"arrive", "m-arrive", []string{"arrive"}},
	{"complete", "m-complete", []string{"complete"}},
	{"leave", "m-leave", []string{"leave"}},
	{"world", "m-world", []string{"partition", "tracker"}},
	{"crash", "m-crash", []string{"kill", "power cut"}},
	{"reset", "m-crash", []string{"reset"}},
	{"fault", "m-fault", []string{"fault"}},
	{"restart", "m-restart", []string{"restart", "escalation"}},
	{"given up", "m-crash", []string{"given up"}},
}

// life shows which nodes arrived and left, what failed and what was repaired.
func (v *view) life() figure {
	const row, first = 24.0, 34.0
	c := &canvas{end: v.end}
	var used []lane
	marks := map[string][]lab.Mark{}
	for _, l := range lanes {
		for _, m := range v.Marks {
			if slices.Contains(l.of, m.What) && m.At <= v.end {
				marks[l.name] = append(marks[l.name], m)
			}
		}
		if len(marks[l.name]) > 0 {
			used = append(used, l)
		}
	}
	c.begin(v.titled("What happened"), wide, first+row*float64(len(used))+8)
	for i, l := range used {
		y := first + row*float64(i)
		c.text("tick", "end", side-8, y+15, l.name)
		c.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, y+row/2, wide-gap, y+row/2)
		for _, m := range marks[l.name] {
			x := c.across(m.At)
			width := max(2.5, c.across(m.Until)-x)
			c.printf(`<rect class="mark %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="1"><title>%s</title></rect>`+"\n",
				l.class, x-1, y+4, width, row-8, escape(told(m)))
		}
	}
	caption := "Each mark is an event of one node, each bar an event that lasted. Point at a mark or a bar to read what happened."
	if v.Missed > 0 {
		caption += fmt.Sprintf(" %d more events are not shown.", v.Missed)
	}
	return figure{c.picture(), caption}
}

func told(m lab.Mark) string {
	s := fmt.Sprintf("%.1f s", m.At.Seconds())
	if m.Until > m.At {
		s += fmt.Sprintf(" to %.1f s", m.Until.Seconds())
	}
	s += ": " + worldly(m.What)
	if m.Node != "" && m.About == "" {
		s += " " + m.Node
	}
	if m.About != "" {
		s += " " + m.About
	}
	return s
}

// levels is how many shades of a node's row there are.
const levels = 20

// nodes shows how much each node has over time, a row each.
func (v *view) nodes() figure {
	height := min(16, max(2.5, 420/float64(len(v.rows))))
	const first = 34.0
	c := &canvas{end: v.end}
	c.begin(v.titled("How much each node has"), wide, first+height*float64(len(v.rows))+30)
	classes := map[string]int{}
	for _, n := range v.rows {
		if _, known := classes[n.Class]; !known {
			classes[n.Class] = len(classes)
		}
	}
	down := map[string][]lab.Mark{}
	left := map[string]time.Duration{}
	for _, m := range v.Marks {
		switch {
		case m.What == "kill" || m.What == "power cut":
			down[m.Node] = append(down[m.Node], m)
		case m.What == "leave":
			left[m.Node] = m.At
		}
	}
	was := ""
	for i, n := range v.rows {
		y := first + height*float64(i)
		if n.Class != was {
			was = n.Class
			rows := 0
			for _, other := range v.rows {
				if other.Class == n.Class {
					rows++
				}
			}
			c.text("tick", "end", side-8, y+height*float64(rows)/2+4, n.Class)
			if i > 0 {
				c.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side-40, y, wide-gap, y)
			}
		}
		c.row(n, v.Played, y, height, classes[n.Class], left[n.Name])
		for _, m := range down[n.Name] {
			x := c.across(m.At)
			c.printf(`<rect class="down" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`+"\n",
				x, y+0.5, max(1.5, c.across(m.Until)-x), height-1, escape(told(m)))
		}
	}
	base := first + height*float64(len(v.rows))
	c.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, base, wide-gap, base)
	for _, at := range ticks(v.end) {
		c.text("tick", "middle", c.across(at), base+18, fmt.Sprintf("%g", at.Seconds()))
	}
	caption := "Each row is a node; the nodes of a class stand in the order of their arrival. The stronger the colour, the more of the content the node has. Red: the process of the node is dead."
	return figure{c.picture(), caption}
}

// row draws a node, level by level.
func (c *canvas) row(n lab.Node, s *lab.Scenario, y, height float64, class int, left time.Duration) {
	end := c.end
	if left > 0 {
		end = min(end, left)
	}
	level := func(bytes int64) int { return int(levels * bytes / int64(s.Content)) } // only the whole content is full
	put := func(from, to time.Duration, have int) {
		if x, width := c.across(from), c.across(to)-c.across(from); width > 0 {
			c.printf(`<rect class="d%d" x="%.1f" y="%.1f" width="%.2f" height="%.1f" opacity="%.2f"/>`+"\n",
				class%4, x, y+0.5, width+0.2, height-min(1.5, height/3), 0.08+0.92*float64(have)/levels)
		}
	}
	at, have := n.Arrived, 0
	c.printf("<g><title>%s</title>", escape(storyOf(n)))
	if n.Seed {
		put(at, end, levels)
		c.printf("</g>\n")
		return
	}
	for _, h := range n.Have {
		if l := level(h.Bytes); l != have && h.At <= end {
			put(at, h.At, have)
			at, have = h.At, l
		}
	}
	put(at, end, have)
	c.printf("</g>\n")
}

func storyOf(n lab.Node) string {
	s := fmt.Sprintf("%s, since %.1f s", n.Name, n.Arrived.Seconds())
	switch {
	case n.Seed:
		s += ", a seed"
	case n.Took >= 0:
		s += fmt.Sprintf(", complete after %.1f s", n.Took.Seconds())
	default:
		s += ", never complete"
	}
	return s + fmt.Sprintf("; received %s MiB, sent %s MiB", mib(n.Downloaded+n.Duplicate), mib(n.Uploaded))
}

// ticks are round times, about ten of them.
func ticks(end time.Duration) (all []time.Duration) {
	step := time.Second
	for _, factor := range []time.Duration{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 36000} {
		if step = factor * time.Second; end/step <= 10 {
			break
		}
	}
	for at := time.Duration(0); at <= end; at += step {
		all = append(all, at)
	}
	return all
}

// given shows how much each node uploaded.
func (v *view) given() figure {
	const width, height, first, base = 490.0, 330.0, 62.0, 284.0
	c := &canvas{}
	const title = "Uploaded by each node, in copies"
	c.begin(v.titled(title), width, height)
	most := 0.0
	content := float64(v.Played.Content)
	for _, n := range v.rows {
		most = max(most, float64(n.Uploaded)/content)
	}
	most = v.reach(title, most)
	step := 0.5
	for _, s := range []float64{0.5, 1, 2, 5, 10, 20, 50, 100} {
		if step = s; most/step <= 6 {
			break
		}
	}
	top := max(step, math.Ceil(most/step)*step)
	up := func(copies float64) float64 { return base - (base-first)*copies/top }
	for y := 0.0; y <= top; y += step {
		c.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, up(y), width-gap, up(y))
		c.text("tick", "end", side-8, up(y)+4, fmt.Sprintf("%g", y))
	}
	slot := (width - side - gap) / float64(len(v.rows))
	class, was, from := -1, "", 0
	name := func(end int) {
		if was != "" {
			c.text("tick", "middle", side+slot*float64(from+end)/2, base+18, was)
		}
	}
	for i, n := range v.rows {
		if n.Class != was {
			name(i)
			class, was, from = class+1, n.Class, i
		}
		copies := float64(n.Uploaded) / content
		c.printf(`<rect class="d%d" x="%.2f" y="%.1f" width="%.2f" height="%.1f"><title>%s</title></rect>`+"\n",
			class%4, side+slot*float64(i)+slot*0.1, up(copies), max(0.8, slot*0.8), max(0.5, base-up(copies)), escape(storyOf(n)))
	}
	name(len(v.rows))
	c.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, base, width-gap, base)
	if top > 1 {
		c.printf(`<line class="limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, up(1), width-gap, up(1))
	}
	return figure{c.picture(), fmt.Sprintf("Each bar is a node. At the dashed line, a node has uploaded one copy, as much as it downloaded. Fairness among the downloaders: %.2f, where 1 means that all uploaded the same and 1/n that one uploaded everything.", v.Fairness())}
}
