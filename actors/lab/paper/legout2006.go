package paper

import (
	"math"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
)

// legout2006 is rarest first in a torrent whose only seed is slow.
var legout2006 = &Paper{
	Name:     "legout2006",
	Short:    "rarest first, with a slow seed",
	Citation: "Legout, Urvoy-Keller and Michiardi, Rarest First and Choke Algorithms Are Enough (IMC 2006)",
	Seeds:    5,
	Variants: []Variant{{"rarest", nil}},
	Claims: []Claim{
		{
			Text: "nearly each downloader wants something of nearly each other, once all pieces are out", Unit: "of the pairs", Least: 0.9, Most: 1,
			Of: func(r Runs, seed int) float64 { return entropy(r[0][seed]) },
		},
		{
			Text: "until then, pieces that the seed alone has go at a constant rate: how straight the line is", Unit: "R² of the line", Least: 0.95, Most: 1,
			Of: func(r Runs, seed int) float64 { return straight(alone(r[0][seed])) },
		},
		{
			Text: "the first copy is out when the seed has sent little more than one", Unit: "copies", Least: 1, Most: 2,
			Of: func(r Runs, seed int) float64 { return r[0][seed].Copies },
		},
	},
	Limits: "The paper watches real torrents and compares with no other picker. BENCHMARKS.md plays them all.",
}

// out is when downloaders had every piece.
func out(r *lab.Result) time.Duration {
	for _, s := range r.Samples {
		if s.Out == r.Pieces {
			return s.At
		}
	}
	return r.End
}

// entropy is the mean from when all is out until a tenth of the downloaders is
// complete: who has everything wants nothing.
func entropy(r *lab.Result) float64 {
	var values []float64
	from := out(r)
	for _, s := range r.Samples {
		if s.At >= from && s.Complete-1 <= r.Downloaders()/10 && !math.IsNaN(s.Entropy) {
			values = append(values, s.Entropy)
		}
	}
	return stat.Mean(values)
}

// alone is how many pieces the seed alone has, from the first that another has
// until the last twentieth.
func alone(r *lab.Result) (at, pieces []float64) {
	for _, s := range r.Samples {
		if s.Out > 0 && s.Out < r.Pieces*19/20 {
			at, pieces = append(at, s.At.Seconds()), append(pieces, float64(r.Pieces-s.Out))
		}
	}
	return at, pieces
}

// straight is the coefficient of determination of a line through the points.
func straight(x, y []float64) float64 {
	mx, my, b := stat.Mean(x), stat.Mean(y), slope(x, y)
	var left, all float64
	for i := range x {
		left += math.Pow(y[i]-my-b*(x[i]-mx), 2)
		all += math.Pow(y[i]-my, 2)
	}
	return 1 - left/all
}
