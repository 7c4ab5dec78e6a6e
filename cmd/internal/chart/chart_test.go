package chart

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name   string
		log    bool
		values []float64
		want   string
	}{
		{"round", false, []float64{3, 12}, "0 5 10 15"},
		{"exact", false, []float64{20}, "0 5 10 15 20"},
		{"small", false, []float64{0.013}, "0 0.005 0.01 0.015"},
		{"nothing", false, []float64{0}, "0 0.25 0.5 0.75 1"},
		{"thousands", false, []float64{40_000}, "0 10k 20k 30k 40k"},
		{"powers", true, []float64{1, 10, 100}, "1 10 100"},
		{"between powers", true, []float64{3, 400}, "1 10 100 1000"},
		{"one power", true, []float64{10}, "10 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, v := range newScale(c.log, c.values, 4).ticks {
				got = append(got, format(v))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A logarithmic axis of sizes ends where the curve does.
func TestAxisOfSizes(t *testing.T) {
	p := Panel{X: Axis{Log: true}, Series: []Series{{Points: []Point{{100, 1}, {1000, 2}, {5000, 3}}}}}
	x, _ := p.scales(usualWidth)
	if x.place(100) != 0 || x.place(5000) != 1 {
		t.Errorf("the ends stand at %v and %v", x.place(100), x.place(5000))
	}
	if diff := cmp.Diff([]float64{100, 1000, 5000}, x.ticks); diff != "" {
		t.Error(diff)
	}
}

// For any measurements, the picture is well formed and contains each name, and
// every point lies in its panel.
func TestPicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(0, 1e7)
		f := Figure{Title: rapid.String().Draw(t, "title")}
		points := 0
		for range rapid.IntRange(1, 5).Draw(t, "panels") {
			p := Panel{Title: "<&>", X: Axis{Log: rapid.Bool().Draw(t, "x")}, Y: Axis{Log: rapid.Bool().Draw(t, "y")}}
			for range rapid.IntRange(1, 6).Draw(t, "series") {
				s := Series{Name: `"a" & b`}
				for range rapid.IntRange(1, 6).Draw(t, "points") {
					s.Points = append(s.Points, Point{value.Draw(t, "x"), value.Draw(t, "y")})
					points++
				}
				p.Series = append(p.Series, s)
			}
			p.Limits = []Limit{{"most", value.Draw(t, "limit")}}
			f.Panels = append(f.Panels, p)
		}
		d := xml.NewDecoder(bytes.NewReader(f.SVG()))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
				points--
				for _, a := range e.Attr {
					v, err := strconv.ParseFloat(a.Value, 64)
					if (a.Name.Local == "cx" && (v < left-0.1 || v > usualWidth-right+0.1) || a.Name.Local == "cy" && (v < top-0.1 || v > usualHeight-bottom+0.1)) || err == nil && math.IsNaN(v) {
						t.Fatalf("a point at %s = %s", a.Name.Local, a.Value)
					}
				}
			}
		}
		if points != 0 {
			t.Fatalf("%d points are missing", points)
		}
	})
}

// TestLegendStaysInThePicture: names that have no room beside each other stand
// in a second row.
func TestLegendStaysInThePicture(t *testing.T) {
	c := canvas{width: 400}
	c.legend([]Series{{Name: "kouzui, super-seeding"}, {Name: "libtorrent, super-seeding"}, {Name: "aria2"}})
	var rows []string
	for line := range strings.Lines(c.String()) {
		if _, y, is := strings.Cut(line, `<text class="label" text-anchor="start" x="`); is {
			rows = append(rows, strings.TrimSuffix(y, "</text>\n"))
		}
	}
	want := []string{`81.0" y="40.0">kouzui, super-seeding`, `81.0" y="54.0">libtorrent, super-seeding`, `272.5" y="54.0">aria2`}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}
