package labview

import (
	"fmt"
	"math"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
)

// lookups tells how those in the DHT have gone.
func lookups(all lab.DHTSum) string {
	text := fmt.Sprintf("%d of %d in the DHT found the peer", all.Found, all.Lookups)
	if all.Found > 0 {
		text += fmt.Sprintf(", half of them within %d ms, 95 %% within %d ms", all.Median.Milliseconds(), all.P95.Milliseconds())
	}
	text += fmt.Sprintf("; %.1f queries each", all.Queries)
	if all.False > 0 {
		text += fmt.Sprintf("; %s told", units.Count(all.False, "false peer"))
	}
	return text
}

const (
	// mostDots is how many lookups are drawn. Those that found
	// nothing are all drawn.
	mostDots = 1500
	// mostColours is how many classes can be told apart.
	mostColours = 6
)

// lookupClasses are the classes of those that looked, or of those that were
// looked for, in the order of the scenario.
func lookupClasses(r *lab.Result, of func(*lab.Lookup) string) (names []string) {
	for _, c := range r.Played.Class {
		if slices.ContainsFunc(r.Lookups, func(l lab.Lookup) bool { return of(&l) == c.Name }) {
			names = append(names, c.Name)
		}
	}
	return names
}

func lookedBy(l *lab.Lookup) string  { return l.By }
func lookedFor(l *lab.Lookup) string { return l.Of }

// lookups draws each lookup: when it began, and how long it took.
func (v *view) lookups() figure {
	const (
		first, last = 60.0, 250.0 // where the longest and the shortest stand
		missed      = 44.0        // where those that found nothing stand
		least, most = 0.01, 30.0  // seconds
		radius      = 2.5
	)
	c := &canvas{end: time.Second}
	for _, l := range v.Lookups {
		c.end = max(c.end, time.Duration(breath*float64(l.At)))
	}
	up := func(took time.Duration) float64 {
		part := math.Log(took.Seconds()/least) / math.Log(most/least)
		return last - (last-first)*min(1, max(0, part))
	}
	c.begin("How long lookups took", wide, last+46)
	for _, tick := range []struct {
		at   time.Duration
		name string
	}{{10 * time.Millisecond, "≤ 10 ms"}, {100 * time.Millisecond, "100 ms"}, {time.Second, "1 s"}, {10 * time.Second, "10 s"}} {
		y := up(tick.at)
		c.printf(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, y, wide-gap, y)
		c.text("tick", "end", side-8, y+4, tick.name)
	}
	c.text("tick", "end", side-8, missed+4, "not found")
	for _, at := range ticks(c.end) {
		c.text("tick", "middle", c.across(at), last+18, fmt.Sprintf("%.0f", at.Seconds()))
	}
	c.text("label", "middle", side+plot/2, last+38, "virtual time, s")
	classes := lookupClasses(v.Result, lookedBy)
	if len(classes) > mostColours {
		classes = nil // all are drawn alike
	}
	if len(classes) > 1 {
		const letter = 8.0 // is how much room each of a name has
		x := wide - gap
		for i, name := range slices.Backward(classes) {
			x -= letter * float64(len(name))
			c.text("label", "start", x, 18, name)
			c.printf(`<circle class="d%d" cx="%.1f" cy="14" r="4"/>`+"\n", i, x-9)
			x -= 26
		}
	}
	step := len(v.Lookups)/mostDots + 1
	for i := range v.Lookups {
		l := &v.Lookups[i]
		colour := max(0, slices.Index(classes, l.By))
		switch about := fmt.Sprintf("%s: %s looks for %s, %d queries", seconds(l.At), l.By, l.Of, l.Queries); {
		case l.Took < 0:
			c.printf(`<rect class="mark m-crash" x="%.1f" y="%.1f" width="3" height="8"><title>%s</title></rect>`+"\n", c.across(l.At)-1.5, missed-4, escape(about))
		case i%step == 0:
			c.printf(`<circle class="dot d%d" cx="%.1f" cy="%.1f" r="%.1f"><title>%s, %d ms</title></circle>`+"\n",
				colour, c.across(l.At), up(l.Took), radius, escape(about), l.Took.Milliseconds())
		}
	}
	caption := "Each dot is a lookup: when it began, and after how long it was told the peer that there is. Those in red were not told within 30 s."
	if step > 1 {
		caption += fmt.Sprintf(" One of %d that found the peer is drawn.", step)
	}
	return figure{c.picture(), caption}
}

// lookups writes how lookups in the DHT have gone, if there were any, by who
// looked and for whom.
func (p *page) lookups(v *view) {
	if len(v.Lookups) == 0 {
		return
	}
	p.add("<h2>Lookups in the DHT</h2>\n<p>%s.</p>\n", lookups(v.LookupsFrom(0)))
	p.figures(v.lookups())
	sums := func(by, of string) lab.DHTSum { // "": all
		return v.LookupsWhere(func(l *lab.Lookup) bool { return (by == "" || l.By == by) && (of == "" || l.Of == of) })
	}
	found := func(sum lab.DHTSum) string {
		if sum.Lookups == 0 {
			return ""
		}
		return fmt.Sprintf("%d of %d", sum.Found, sum.Lookups)
	}
	targets := lookupClasses(v.Result, lookedFor)
	if len(targets) == 1 {
		targets = nil // that is all
	}
	p.WriteString("<div class=\"table\"><table>\n<thead><tr><th>found by</th>")
	for _, of := range targets {
		p.add("<th>of %s</th>", of)
	}
	p.WriteString("<th>of all</th><th>median, ms</th><th>95 %, ms</th><th>queries each</th></tr></thead>\n<tbody>")
	for _, by := range append(lookupClasses(v.Result, lookedBy), "") {
		name, sum := by, sums(by, "")
		if by == "" {
			name = "all"
		}
		cells := []string{name}
		for _, of := range targets {
			cells = append(cells, found(sums(by, of)))
		}
		cells = append(cells, found(sum), fmt.Sprint(sum.Median.Milliseconds()), fmt.Sprint(sum.P95.Milliseconds()), fmt.Sprintf("%.1f", sum.Queries))
		p.row(by == "", cells)
	}
	p.WriteString("</tbody>\n</table></div>\n")
}
