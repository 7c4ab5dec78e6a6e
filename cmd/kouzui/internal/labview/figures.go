package labview

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/chart"
	"kouzui/cmd/kouzui/internal/units"
)

// figure is a picture with what is to be seen in it.
type figure struct {
	Picture svg
	Caption string
}

// tile is one number that sums up.
type tile struct{ Name, Value, About string }

const (
	mostRows  = 200 // nodes of a class in the table
	mostDrawn = 160 // nodes in pictures
)

// tiles are what is to be seen first.
func tiles(r *lab.Result) []tile {
	times, sum := r.Times(), r.Total()
	within := func(part float64) string {
		if len(times) == 0 {
			return "never"
		}
		return seconds(lab.Quantile(times, part))
	}
	t := []tile{
		{"complete", fmt.Sprintf("%d of %d", len(times), r.Downloaders()), "of those who came to download"},
		{"median", within(0.5), "from arrival to the last piece"},
		{"95 %", within(0.95), "of those who became complete"},
		{"last", within(1), "the slowest of them"},
	}
	if bound := r.Bound(); bound > 0 {
		about := "nobody was complete"
		if len(times) > 0 {
			about = "all were complete at " + atBest(r)
		}
		t = append(t, tile{"lower bound", seconds(bound), about})
	}
	return append(t,
		tile{"fairness", fmt.Sprintf("%.2f", r.Fairness()), "Jain's index of what downloaders gave"},
		tile{"in vain", percent(sum.Wasted(), sum.Downloaded+sum.Duplicate), fmt.Sprintf("%s twice, %s lost", units.Bytes(sum.Duplicate), units.Bytes(sum.Lost))},
		tile{"restarts", fmt.Sprint(sum.Restarts), "of actors, by their supervisors"},
	)
}

// view is a result as it is drawn.
type view struct {
	*lab.Result
	end     time.Duration // of the pictures
	samples []lab.Sample  // up to it, not too many
	rows    []lab.Node    // that are drawn
	spans   []chart.Span
}

// breath is how long the pictures go on after the last event.
const breath = 1.03

// mostPoints of a curve.
const mostPoints = 400

func newView(r *lab.Result) *view {
	v := &view{Result: r, end: r.End}
	if len(r.Times()) < r.Downloaders() { // something was waited for in vain: until nothing happens any more
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

// worldly is an event of the world in words.
func worldly(what string) string {
	if what == "tracker" {
		return "tracker dead"
	}
	return what
}

// moved is when the last byte came.
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
	return chart.Axis{Label: "virtual time, s", To: v.end.Seconds()}
}

// curve takes a value of each sample.
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
	return svg(chart.Figure{Title: p.Title, Panels: []chart.Panel{p}, Width: wide, Height: low}.Inline())
}

// rates are means over a few seconds: nodes tell theirs once a second, each at its
// own time.
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
	caption := "Payload of all nodes together, over three seconds. What was sent and not received was sent twice."
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
	return figure{v.draw(p), "Among the nodes that run. The closer the three curves, the more evenly pieces are spread; while the lowest is at 1, the swarm depends on one node, and at 0 nobody can become complete."}
}

func (v *view) rare() figure {
	p := chart.Panel{Title: "Pieces in danger", Y: chart.Axis{Label: "pieces"}, Series: []chart.Series{
		v.curve("with one copy or none", func(s lab.Sample) float64 { return float64(s.Rare) }),
		v.curve("that no downloader has got yet", func(s lab.Sample) float64 { return float64(v.Pieces - s.Out) }),
	}}
	p.Series[1].Faint = true
	return figure{v.draw(p), "Until all pieces have left the seeds the swarm is in its transient state, whose length is the seeds' uplink's: with rarest first the curve falls straight (Legout et al., IMC 2006, figure 3)."}
}

func (v *view) interest() figure {
	p := chart.Panel{Title: "Entropy: who has something for whom", Y: chart.Axis{Label: "part of the pairs", To: 1}, Series: []chart.Series{
		v.curve("interested", func(s lab.Sample) float64 { return s.Entropy }),
	}}
	return figure{v.draw(p), "Of all ordered pairs of downloaders that have a piece at least, and not yet all, in how many the one has something that the other wants. At 1 nobody's uplink need be idle; what is lost below it is lost to bad luck in choosing pieces."}
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
	return figure{svg(f.Inline()), "How many of a class had everything within a time. The bound is for the whole swarm, from the start on: who comes late to a swarm that is full of copies may be quicker."}
}
