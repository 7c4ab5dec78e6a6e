package labview

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/internal/chart"
)

// figure is a picture with its caption.
type figure struct {
	Picture svg
	Caption string
}

// tile is one number of the summary.
type tile struct{ Name, Value, About string }

const (
	mostRows  = 200 // nodes of a class in the table of the page
	mostDrawn = 160 // nodes in the pictures
)

// tiles are the summary at the top of the page.
func tiles(r *lab.Result) []tile {
	times, sum := r.Times(), r.Total()
	within := func(part float64) string {
		if len(times) == 0 {
			return "never"
		}
		return seconds(lab.Quantile(times, part))
	}
	t := []tile{
		{"complete", fmt.Sprintf("%d of %d", len(times), r.Downloaders()), "downloaders"},
		{"median", within(0.5), "time from arrival to the last piece"},
		{"95 %", within(0.95), "of the complete downloaders were at least as fast"},
		{"last", within(1), "the slowest complete downloader"},
	}
	if bound := r.Bound(); bound > 0 {
		about := "no downloader was complete"
		if len(times) > 0 {
			about = "all were complete at " + atBest(r)
		}
		t = append(t, tile{"lower bound", seconds(bound), about})
	}
	return append(t,
		tile{"fairness", fmt.Sprintf("%.2f", r.Fairness()), "Jain's index of what downloaders uploaded"},
		tile{"wasted", percent(sum.Wasted(), sum.Downloaded+sum.Duplicate), fmt.Sprintf("of the payload: %s received twice, %s lost", units.Bytes(sum.Duplicate), units.Bytes(sum.Lost))},
		tile{"restarts", fmt.Sprint(sum.Restarts), "of actors"},
	)
}

// view is a result as it is drawn.
type view struct {
	*lab.Result
	end     time.Duration // of the time axes
	samples []lab.Sample  // up to end, thinned out
	rows    []lab.Node    // the nodes that are drawn
	spans   []chart.Span
	pair    *pair // nil: it is drawn alone
}

// pair is what two runs share whose pictures stand one beneath the other.
type pair struct {
	name string             // of the run that is drawn
	tops map[string]float64 // the highest values in the pictures of both, by their titles
}

// titled is the title of a picture, with the run that it shows.
func (v *view) titled(title string) string {
	if v.pair == nil {
		return title
	}
	return title + ", " + v.pair.name
}

// reach notes the highest value in a picture, and returns that in the pictures
// of both runs, as far as they were drawn.
func (v *view) reach(title string, highest float64) float64 {
	if v.pair == nil {
		return highest
	}
	v.pair.tops[title] = max(v.pair.tops[title], highest)
	return v.pair.tops[title]
}

// breath is how much longer than the run the time axes are.
const breath = 1.03

// mostPoints is how many points a curve has at most.
const mostPoints = 400

func newView(r *lab.Result) *view {
	v := &view{Result: r, end: r.End}
	if len(r.Times()) < r.Downloaders() { // a downloader never completed: show everything until the last event
		v.end = max(v.end, moved(r.Samples))
		for _, m := range r.Marks {
			v.end = max(v.end, m.Until, m.At)
		}
	}
	v.end = max(time.Second, time.Duration(float64(v.end)*breath))
	step := int(v.end/time.Second)/mostPoints + 1
	for i, s := range r.Samples {
		if s.At <= v.end && i%step == 0 {
			v.samples = append(v.samples, s)
		}
	}
	for i, n := range r.Nodes {
		first := i == 0 || r.Nodes[i-1].Class != n.Class
		if first || len(r.Nodes) <= mostDrawn || i*mostDrawn/len(r.Nodes) != (i-1)*mostDrawn/len(r.Nodes) {
			v.rows = append(v.rows, n)
		}
	}
	for from := 0; from < len(v.rows); { // in each class by arrival
		end := from
		for end < len(v.rows) && v.rows[end].Class == v.rows[from].Class {
			end++
		}
		slices.SortStableFunc(v.rows[from:end], func(a, b lab.Node) int { return cmp.Compare(a.Arrived, b.Arrived) })
		from = end
	}
	for _, m := range r.Marks {
		if m.Node == "" {
			v.spans = append(v.spans, chart.Span{Name: worldly(m.What), From: m.At.Seconds(), To: m.Until.Seconds()})
		}
	}
	return v
}

// worldly is an event in words for people.
func worldly(what string) string {
	if what == "tracker" {
		return "tracker dead"
	}
	return what
}

// moved is when the last byte was received.
func moved(samples []lab.Sample) (at time.Duration) {
	for i := 1; i < len(samples); i++ {
		if samples[i].Downloaded > samples[i-1].Downloaded {
			at = samples[i].At
		}
	}
	return at
}

// Sizes of the pictures in time.
const (
	wide, low = 1000, 220
)

func (v *view) time() chart.Axis {
	axis := chart.Axis{Label: "virtual time, s", To: v.end.Seconds()}
	if v.Processes != nil {
		axis.Label = "time, s"
	}
	return axis
}

// curve draws one value of each sample.
func (v *view) curve(name string, of func(lab.Sample) float64) chart.Series {
	s := chart.Series{Name: name, Line: true}
	for _, one := range v.samples {
		if y := of(one); !math.IsNaN(y) {
			s.Points = append(s.Points, chart.Point{X: one.At.Seconds(), Y: y})
		}
	}
	return s
}

func (v *view) draw(p chart.Panel) svg {
	p.Spans = v.spans
	if p.X == (chart.Axis{}) {
		p.X = v.time()
	}
	top := 0.0
	for _, s := range p.Series {
		top = max(top, highest(s))
	}
	p.Y.Least = v.reach(p.Title, top)
	p.Title = v.titled(p.Title)
	return svg(chart.Figure{Title: p.Title, Panels: []chart.Panel{p}, Width: wide, Height: low}.Inline())
}

// rates are means over a few seconds, because each node reports once a second,
// at a time of its own.
func (v *view) rates() figure {
	const over = 3 * time.Second
	rate := func(of func(lab.Sample) int64) func(lab.Sample) float64 {
		return func(s lab.Sample) float64 {
			from := max(0, int((s.At-over)/time.Second))
			before := v.Samples[from]
			if s.At == before.At {
				return 0
			}
			return float64(of(s)-of(before)) / (s.At - before.At).Seconds() / (1 << 20)
		}
	}
	p := chart.Panel{Title: "Throughput of the swarm", Y: chart.Axis{Label: "MiB/s"}}
	p.Series = []chart.Series{
		v.curve("received", rate(func(s lab.Sample) int64 { return s.Downloaded })),
		v.curve("sent", rate(func(s lab.Sample) int64 { return s.Uploaded })),
	}
	p.Series[1].Faint = true
	caption := "Payload of all nodes together, averaged over three seconds. A block that is received twice counts as sent twice and as received once."
	if up := v.Played.Capacity(); up > 0 {
		capacity := float64(up) / (1 << 20)
		caption += fmt.Sprintf(" All uplinks together could send %.1f MiB/s once all are there.", capacity)
		if top := highest(p.Series[0]); top > capacity/3 {
			p.Limits = []chart.Limit{{Name: "all uplinks", Y: capacity}}
		}
	}
	return figure{v.draw(p), caption}
}

func highest(s chart.Series) (y float64) {
	for _, p := range s.Points {
		y = max(y, p.Y)
	}
	return y
}

func (v *view) copies() figure {
	p := chart.Panel{Title: "Copies of the pieces", Y: chart.Axis{Label: "copies"}, Series: []chart.Series{
		v.curve("of the rarest piece", func(s lab.Sample) float64 { return float64(s.Least) }),
		v.curve("mean", func(s lab.Sample) float64 { return s.Mean }),
		v.curve("of the most common", func(s lab.Sample) float64 { return float64(s.Most) }),
	}}
	return figure{v.draw(p), "Copies in the running nodes. The closer the three curves, the more evenly the pieces are spread. While the lowest curve is at 1, the swarm depends on one node; at 0, no downloader can complete."}
}

func (v *view) rare() figure {
	p := chart.Panel{Title: "Pieces in danger", Y: chart.Axis{Label: "pieces"}, Series: []chart.Series{
		v.curve("with one copy or none", func(s lab.Sample) float64 { return float64(s.Rare) }),
		v.curve("that no downloader has yet", func(s lab.Sample) float64 { return float64(v.Pieces - s.Out) }),
	}}
	p.Series[1].Faint = true
	return figure{v.draw(p), "Until every piece has been sent by a seed, the swarm is in its transient state, which lasts as long as the uplink of the seeds needs. With rarest first, the curve falls in a straight line (Legout et al., IMC 2006, figure 3)."}
}

func (v *view) interest() figure {
	p := chart.Panel{Title: "Entropy: how often nodes have pieces for each other", Y: chart.Axis{Label: "part of the pairs", To: 1}, Series: []chart.Series{
		v.curve("interested", func(s lab.Sample) float64 { return s.Entropy }),
	}}
	return figure{v.draw(p), "The part of all ordered pairs of unfinished downloaders in which the first has a piece that the second wants. Downloaders without any piece are not counted. At 1, every uplink can be busy; below 1, uplinks idle because of how pieces were chosen."}
}

func (v *view) completion() figure {
	p := chart.Panel{Title: "Complete, after arrival", X: chart.Axis{Label: "s since arrival"}, Y: chart.Axis{Label: "% of the class", To: 100}}
	for _, nodes := range v.Classes() {
		times := nodes.Times()
		if nodes.Downloaders() == 0 {
			continue
		}
		s := chart.Series{Name: nodes[0].Class, Line: true, Steps: true, Points: []chart.Point{{X: 0, Y: 0}}}
		for i, t := range times {
			s.Points = append(s.Points, chart.Point{X: t.Seconds(), Y: 100 * float64(i+1) / float64(nodes.Downloaders())})
		}
		if n := len(times); n > 0 && v.Times()[len(v.Times())-1] > times[n-1] {
			last := s.Points[len(s.Points)-1]
			last.X = v.Times()[len(v.Times())-1].Seconds()
			s.Points = append(s.Points, last)
		}
		p.Series = append(p.Series, s)
	}
	if bound := v.Bound(); bound > 0 {
		p.Marks = []chart.Mark{{Name: "lower bound", X: bound.Seconds()}}
	}
	f := chart.Figure{Title: p.Title, Panels: []chart.Panel{p}, Width: 490, Height: 330}
	return figure{svg(f.Inline()), "The part of a class that was complete within a time after arrival. The bound is that of the whole swarm, from its start: a node that arrives late, when there are many copies, may be faster."}
}
