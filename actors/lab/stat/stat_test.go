package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

// Quantiles as in printed tables.
func TestStudent(t *testing.T) {
	for _, c := range []struct {
		part    float64
		freedom int
		want    float64
	}{
		{0.975, 1, 12.706}, {0.975, 2, 4.303}, {0.975, 3, 3.182}, {0.975, 4, 2.776}, {0.975, 9, 2.262}, {0.975, 19, 2.093},
		{0.975, 120, 1.980}, {0.95, 5, 2.015}, {0.8, 10, 0.879}, {0.5, 7, 0}, {0.9995, 1, 636.619},
	} {
		if got := Student(c.part, c.freedom); !near(got, c.want, 0.0006) {
			t.Errorf("%v of %d: %.4f, want %v", c.part, c.freedom, got, c.want)
		}
	}
}

// The interval holds the true mean in about 95 of 100 samples, small ones too.
func TestBootstrapCovers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name        string
		n           int
		draw        func() float64
		mean        float64
		least, most float64
	}{
		{"5 normal", 5, rnd.NormFloat64, 0, 0.92, 0.98},
		{"20 normal", 20, rnd.NormFloat64, 0, 0.93, 0.97},
		{"20 uniform", 20, rnd.Float64, 0.5, 0.93, 0.97},
		{"20 exponential", 20, rnd.ExpFloat64, 1, 0.90, 0.97},
	} {
		const samples = 600
		covered := 0
		for range samples {
			sample := make([]float64, c.n)
			for i := range sample {
				sample[i] = c.draw()
			}
			if !Bootstrap(sample).Excludes(c.mean) {
				covered++
			}
		}
		if part := float64(covered) / samples; part < c.least || part > c.most {
			t.Errorf("%s: the mean is within %.3f of the intervals", c.name, part)
		}
	}
}

func TestBootstrapOfNothing(t *testing.T) {
	if i := Bootstrap([]float64{3}); !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("%v", i)
	}
	if i := Bootstrap([]float64{3, 3, 3}); i != (Interval{3, 3}) {
		t.Errorf("%v", i)
	}
}

// Chance makes no difference: in about one of 20 experiments P is below 0.05.
func TestSignFlipIsFair(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{8, 20} {
		const tries = 500
		below := 0
		for range tries {
			differences := make([]float64, n)
			for i := range differences {
				differences[i] = rnd.NormFloat64()
			}
			if signFlip(differences) <= 0.05 {
				below++
			}
		}
		if below < tries/50 || below > tries/12 {
			t.Errorf("%d of %d samples of %d differ", below, tries, n)
		}
	}
}

func TestSignFlip(t *testing.T) {
	for _, c := range []struct {
		differences []float64
		want        float64
	}{
		{[]float64{1, 1, 1, 1, 1}, 2.0 / 32}, // all of one sign: these and their opposites
		{[]float64{1, 2, 3, 4}, 2.0 / 16},
		{[]float64{1, -1}, 1},
		{[]float64{0, 0, 0}, 1},
		{[]float64{3, -1, -1}, 1}, // the sum is 1, and with other signs 1, 3 or 5
		{[]float64{3, 1, -1}, 6.0 / 8},
	} {
		if got := signFlip(c.differences); !near(got, c.want, 1e-12) {
			t.Errorf("%v: %v, want %v", c.differences, got, c.want)
		}
	}
	if p := signFlip([]float64{1}); !math.IsNaN(p) {
		t.Error(p)
	}
	for _, n := range []int{2, 5, 13, 100} {
		if p := signFlip(slices.Repeat([]float64{1}, n)); !near(p, Least(n), 1e-12) && n <= exactUpTo || n > exactUpTo && p > 3*Least(n) {
			t.Errorf("%d: %v, and the least is %v", n, p, Least(n))
		}
	}
}

func TestCliff(t *testing.T) {
	for _, c := range []struct {
		control, other []float64
		want           float64
		word           string
	}{
		{[]float64{1, 2, 3}, []float64{4, 5}, 1, "large"},
		{[]float64{4, 5}, []float64{1, 2, 3}, -1, "large"},
		{[]float64{1, 2}, []float64{1, 2}, 0, "negligible"},
		{[]float64{10, 20, 30}, []float64{10, 20, 40}, 1.0 / 9, "negligible"}, // 4 pairs more, 3 less
	} {
		if got := Cliff(c.control, c.other); !near(got, c.want, 1e-12) || Size(got) != c.word {
			t.Errorf("%v %v: %v, %s", c.control, c.other, got, Size(got))
		}
	}
}

// The example of Holm's paper: four hypotheses at 0.01, 0.04, 0.03 and 0.005.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, math.NaN(), 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, math.NaN(), 0.06, 0.02} {
		if !near(got[i], want, 1e-12) && !math.IsNaN(want) || math.IsNaN(want) != math.IsNaN(got[i]) {
			t.Errorf("%v", got)
		}
	}
}

func TestHolmIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 12).Draw(t, "p")
		corrected := Holm(p)
		order := make([]int, len(p))
		for i := range order {
			order[i] = i
			if corrected[i] < p[i] || corrected[i] > min(1, p[i]*float64(len(p))) {
				t.Fatalf("%v becomes %v", p, corrected)
			}
		}
		slices.SortFunc(order, func(a, b int) int {
			if p[a] < p[b] {
				return -1
			}
			return 1
		})
		for k := 1; k < len(order); k++ {
			if corrected[order[k]] < corrected[order[k-1]] {
				t.Fatalf("the order of %v is not that of %v", corrected, p)
			}
		}
	})
}

func TestCompare(t *testing.T) {
	nan := math.NaN()
	p := Compare([]float64{10, 20, nan, 30, 40}, []float64{11, 22, 5, 31, 42})
	if p.N != 4 || !near(p.Difference, 1.5, 1e-12) || p.Correlation < 0.99 || !near(p.P, 2.0/16, 1e-12) {
		t.Errorf("%+v", p)
	}
	if p.Interval.Excludes(1.5) || !p.Interval.Excludes(0) {
		t.Errorf("%+v", p)
	}
	// t of 3 degrees: 3.182 and 0.978, of a deviation of 0.577 over the root of 4.
	if d := p.Detectable(0.05); !near(d, (3.182+0.978)*0.57735/2, 0.001) {
		t.Errorf("%v", d)
	}
	if one := Compare([]float64{1}, []float64{2}); one.N != 1 || !math.IsNaN(one.Detectable(0.05)) || !math.IsNaN(one.P) {
		t.Errorf("%+v", one)
	}
	if none := Compare(nil, nil); none.N != 0 || !math.IsNaN(none.Difference) {
		t.Errorf("%+v", none)
	}
}

// A difference as great as Detectable says is found in about four of five
// experiments.
func TestDetectable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const tries, n = 400, 20
	seen, least := 0, 0.0
	for range tries {
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			common := rnd.NormFloat64()
			a[i], b[i] = common+rnd.NormFloat64(), common+rnd.NormFloat64()
		}
		least += Compare(a, b).Detectable(0.05) / tries
	}
	for range tries {
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			common := rnd.NormFloat64()
			a[i], b[i] = common+rnd.NormFloat64(), common+rnd.NormFloat64()+least
		}
		if Compare(a, b).P < 0.05 {
			seen++
		}
	}
	if part := float64(seen) / tries; part < 0.72 || part > 0.88 {
		t.Errorf("seen in %.2f of the experiments", part)
	}
}
