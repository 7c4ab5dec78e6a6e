package labview

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/world/sim"
)

const (
	// mostPathRows is how many nodes have a row in the picture of the critical
	// path: those at which the most of its time passed.
	mostPathRows = 20
	// mostLegs is how many of its longest legs are listed.
	mostLegs = 8
)

// legNames are the sorts of legs for people, in the order of the legend.
var legNames = []struct {
	what sim.Sort
	name string
}{
	{sim.Down, "process down"},
	{sim.Slot, "waiting for a slot"},
	{sim.Queue, "waiting for the uplink"},
	{sim.Uplink, "transfer, uplink"},
	{sim.Way, "on the way"},
	{sim.Downlink, "transfer, downlink"},
	{sim.Disk, "disk"},
	{sim.Mailbox, "wait in a mailbox"},
	{sim.Work, "handling messages"},
	{hashed, "hash"},
	{sim.Timer, "timer"},
	{sim.Dial, "connecting"},
	{sim.Tracked, "asking the tracker"},
	{sim.Resolved, "looking up a name"},
}

// hashed is the work of hash workers, which is shown apart.
const hashed sim.Sort = "hash"

// sortOf is how the time of a leg is shown.
func sortOf(l lab.Leg) sim.Sort {
	if l.What == sim.Work && l.By == "hash" {
		return hashed
	}
	return l.What
}

func legName(what sim.Sort) string {
	for _, one := range legNames {
		if one.what == what {
			return one.name
		}
	}
	return string(what)
}

// toldLeg is a leg for people.
func toldLeg(l lab.Leg) string {
	s := fmt.Sprintf("%.2f to %.2f s: %s", l.From.Seconds(), l.Until.Seconds(), legName(sortOf(l)))
	switch sortOf(l) {
	case sim.Timer, sim.Mailbox, sim.Work:
		if l.By != "" {
			s += " of " + l.By
		}
	}
	return s + " at " + l.Node
}

// share is how much of the path went by in one way.
type share struct {
	what    sim.Sort
	took    time.Duration
	legs    int
	longest time.Duration
}

// shares are those of a path, the greatest first.
func shares(path []lab.Leg) []share {
	by := map[sim.Sort]*share{}
	for _, l := range path {
		what := sortOf(l)
		if by[what] == nil {
			by[what] = &share{what: what}
		}
		s := by[what]
		s.took += l.Until - l.From
		s.legs++
		s.longest = max(s.longest, l.Until-l.From)
	}
	var list []share
	for _, what := range slices.Sorted(maps.Keys(by)) {
		list = append(list, *by[what])
	}
	slices.SortStableFunc(list, func(a, b share) int { return cmp.Compare(b.took, a.took) })
	return list
}

// pathRows are the nodes that have a row, in the order in which the path comes
// to them; all others share the last one, with the name "".
func pathRows(path []lab.Leg) (rows []string) {
	took := map[string]time.Duration{}
	for _, l := range path {
		if _, known := took[l.Node]; !known {
			rows = append(rows, l.Node)
		}
		took[l.Node] += l.Until - l.From
	}
	if len(rows) <= mostPathRows {
		return rows
	}
	longest := slices.Clone(rows)
	slices.SortStableFunc(longest, func(a, b string) int { return cmp.Compare(took[b], took[a]) })
	longest = longest[:mostPathRows]
	rows = slices.DeleteFunc(rows, func(n string) bool { return !slices.Contains(longest, n) })
	return append(rows, "")
}

// brief is a name that fits beside a row; of a long one the ends are left,
// where the number of a node stands.
func brief(name string) string {
	const fits, ends = 9, 4
	if r := []rune(name); len(r) > fits {
		return string(r[:ends]) + "…" + string(r[len(r)-ends:])
	}
	return name
}

// path draws the critical path: a row for each node, and in it the legs at that
// node.
func (v *view) path() figure {
	const row, first = 22.0, 34.0
	rows := pathRows(v.Path)
	c := &canvas{end: v.end}
	c.begin("The critical path of the last completion", wide, first+row*float64(len(rows))+30)
	of := func(node string) int {
		if i := slices.Index(rows, node); i >= 0 {
			return i
		}
		return len(rows) - 1
	}
	for i, name := range rows {
		y := first + row*float64(i)
		c.printf("<g><title>%s</title>", escape(cmp.Or(name, "all other nodes")))
		c.text("tick", "end", side-8, y+15, brief(cmp.Or(name, "others")))
		c.printf(`</g><line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, y+row/2, wide-gap, y+row/2)
	}
	// The path goes from row to row: at most one line for each pixel and pair.
	type hop struct{ x, from, to int }
	hops := map[hop]bool{}
	for i := 1; i < len(v.Path); i++ {
		from, to := of(v.Path[i-1].Node), of(v.Path[i].Node)
		h := hop{int(c.across(v.Path[i].From)), min(from, to), max(from, to)}
		if from == to || hops[h] {
			continue
		}
		hops[h] = true
		c.printf(`<line class="hop" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`+"\n", h.x, first+row*(float64(h.from)+0.5), h.x, first+row*(float64(h.to)+0.5))
	}
	for i := range rows {
		var legs []lab.Leg
		for _, l := range v.Path {
			if of(l.Node) == i {
				legs = append(legs, l)
			}
		}
		for _, b := range c.bars(legs) {
			c.printf(`<rect class="p-%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`+"\n",
				b.what, b.from, first+row*float64(i)+3, b.until-b.from, row-6, escape(b.told))
		}
	}
	base := first + row*float64(len(rows))
	c.printf(`<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", side, base, wide-gap, base)
	for _, at := range ticks(v.end) {
		c.text("tick", "middle", c.across(at), base+18, fmt.Sprintf("%g", at.Seconds()))
	}
	begins, ends := v.Path[0], v.Path[len(v.Path)-1]
	return figure{c.picture(), fmt.Sprintf("The chain of causes that ended in the last completion, backwards from what completed %s at %.1f s to the start of %s at %.1f s: "+
		"each bar is time that passed before the next could follow, at the node where it passed. Point at a bar to read what it was.",
		ends.Node, ends.Until.Seconds(), begins.Node, begins.From.Seconds())}
}

// bar is what is drawn of legs: one of them, or several that are too short to
// be told apart.
type bar struct {
	what        sim.Sort
	from, until float64
	told        string
}

// bars are the legs of one row. In each pixel the sort is drawn to which most
// of its time belongs.
func (c *canvas) bars(legs []lab.Leg) (list []bar) {
	type pixel struct {
		by   map[sim.Sort]float64
		told string // of the longest of its legs
		most float64
	}
	pixels := map[int]*pixel{}
	for _, l := range legs {
		from, until := c.across(l.From), c.across(l.Until)
		for x := int(from); float64(x) < until || x == int(from); x++ {
			p := pixels[x]
			if p == nil {
				p = &pixel{by: map[sim.Sort]float64{}}
				pixels[x] = p
			}
			part := min(until, float64(x+1)) - max(from, float64(x))
			p.by[sortOf(l)] += part
			if part > p.most {
				p.most, p.told = part, toldLeg(l)
			}
		}
	}
	for _, x := range slices.Sorted(maps.Keys(pixels)) {
		p := pixels[x]
		var what sim.Sort
		for _, one := range slices.Sorted(maps.Keys(p.by)) {
			if what == "" || p.by[one] > p.by[what] {
				what = one
			}
		}
		if n := len(list); n > 0 && list[n-1].what == what && list[n-1].until == float64(x) && (list[n-1].told == p.told || !strings.Contains(p.told, legName(what))) {
			list[n-1].until++
			continue
		}
		list = append(list, bar{what, float64(x), float64(x + 1), p.told})
	}
	return list
}

// path writes the critical path, with the share of each sort of leg.
func (p *page) path(v *view) {
	if len(v.Path) == 0 {
		return
	}
	p.WriteString("<h2 id=\"path\">What the last completion waited for</h2>\n")
	p.figures(v.path())
	total := v.Path[len(v.Path)-1].Until - v.Path[0].From
	p.WriteString("<div class=\"pair\"><div class=\"table\"><table class=\"legend\">\n<thead><tr><th>leg</th><th>share</th><th>time</th><th>legs</th><th>longest</th></tr></thead>\n<tbody>")
	for _, s := range shares(v.Path) {
		fmt.Fprintf(p, `<tr><td><svg class="chart" width="12" height="12"><rect class="p-%s" width="12" height="12" rx="2"/></svg> `, s.what)
		p.add("%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", legName(s.what), fmt.Sprintf("%.1f %%", 100*s.took.Seconds()/total.Seconds()),
			seconds(s.took), fmt.Sprint(s.legs), fmt.Sprintf("%.2f s", s.longest.Seconds()))
	}
	p.WriteString("</tbody></table></div>\n<div><p class=\"soft\">The longest legs</p><ol class=\"legs\">\n")
	longest := slices.Clone(v.Path)
	slices.SortStableFunc(longest, func(a, b lab.Leg) int { return cmp.Compare(b.Until-b.From, a.Until-a.From) })
	for _, l := range longest[:min(len(longest), mostLegs)] {
		p.add("<li>%s</li>\n", toldLeg(l))
	}
	p.WriteString("</ol></div></div>\n")
}
