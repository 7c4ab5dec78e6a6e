// Package stat says what a few runs tell: means with intervals, and how two
// samples of the same seeds differ.
//
// All chance is drawn from a fixed seed, so that the same numbers give the same
// answer.
package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is where a value lies with 95 % confidence. It is not a number at
// both ends if the sample is too small to tell.
type Interval struct{ Low, High float64 }

// Half is half of the width of the interval.
func (i Interval) Half() float64 { return (i.High - i.Low) / 2 }

// Excludes tells whether a value is outside.
func (i Interval) Excludes(v float64) bool { return v < i.Low || v > i.High }

const (
	confidence = 0.95
	resamples  = 4000 // the ends of an interval then differ by some 2 % of its width from those of endless ones
	flips      = 20_000
	exactUpTo  = 13 // pairs: 2^13 ways to flip their signs are fewer than flips
	seed       = 0x6b6f757a7569
)

// Mean is the mean of a sample.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation is the standard deviation that a sample lets expect of all.
func deviation(values []float64) float64 {
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// Bootstrap is the interval of the mean of a sample, by drawing samples from
// the sample. The part of the drawn means that is cut off at each end is less
// than half of what the confidence leaves, by as much as Student's distribution
// is wider than the normal one, since a small sample is narrower than what it
// was drawn from (Hesterberg's expanded percentiles).
func Bootstrap(sample []float64) Interval {
	n := len(sample)
	if n < 2 {
		return Interval{math.NaN(), math.NaN()}
	}
	rnd := rand.New(rand.NewPCG(seed, uint64(n)))
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range n {
			sum += sample[rnd.IntN(n)]
		}
		means[i] = sum / float64(n)
	}
	slices.Sort(means)
	t := Student((1+confidence)/2, n-1)
	cut := 0.5 * math.Erfc(t*math.Sqrt(float64(n)/float64(n-1))/math.Sqrt2)
	k := int(cut * resamples)
	return Interval{means[k], means[resamples-1-k]}
}

// Paired are two samples of the same seeds compared: the others minus the
// controls.
type Paired struct {
	N          int // pairs
	Difference float64
	Interval   Interval
	// Delta is Cliff's: of all pairs of any seeds the part in which the other is
	// greater, minus the part in which the control is; from -1 to 1.
	Delta float64
	// P is how probable a mean difference as great as this one, or greater, would
	// be if the signs of the differences were chance.
	P float64
	// Correlation is Pearson's: how much of the chance of a seed both have in
	// common. Pairing narrows the interval if it is above 0.
	Correlation float64
	deviation   float64 // of the differences
}

// Compare compares samples pair by pair. A pair with a value that is not a
// number does not count.
func Compare(control, other []float64) Paired {
	var a, b, differences []float64
	for i := range min(len(control), len(other)) {
		if d := other[i] - control[i]; !math.IsNaN(d) {
			a, b, differences = append(a, control[i]), append(b, other[i]), append(differences, d)
		}
	}
	return Paired{
		N: len(a), Difference: Mean(differences), Interval: Bootstrap(differences),
		Delta: Cliff(a, b), P: signFlip(differences), Correlation: correlation(a, b), deviation: deviation(differences),
	}
}

// Least is the least P that so many pairs can have: the signs of all agree.
func Least(pairs int) float64 { return max(math.Pow(2, 1-float64(pairs)), 1.0/(flips+1)) }

// Detectable is the least difference that would have been found in four of five
// experiments of this size, at such a level of significance.
func (p Paired) Detectable(level float64) float64 {
	const power = 0.8
	if p.N < 2 {
		return math.NaN()
	}
	return (Student(1-level/2, p.N-1) + Student(power, p.N-1)) * p.deviation / math.Sqrt(float64(p.N))
}

// Cliff is Cliff's delta of two samples.
func Cliff(control, other []float64) float64 {
	more := 0
	for _, b := range other {
		for _, a := range control {
			switch {
			case b > a:
				more++
			case b < a:
				more--
			}
		}
	}
	return float64(more) / float64(len(control)*len(other))
}

// Size is Cliff's delta in a word, by the usual thresholds (Romano et al.,
// 2006).
func Size(delta float64) string {
	switch d := math.Abs(delta); {
	case d < 0.147:
		return "negligible"
	case d < 0.33:
		return "small"
	case d < 0.474:
		return "medium"
	default:
		return "large"
	}
}

// signFlip is the probability of a sum of differences this far from 0 if each
// sign is chance: of all ways to choose the signs if they are few, else of some
// that are drawn.
func signFlip(differences []float64) float64 {
	n := len(differences)
	if n < 2 {
		return math.NaN()
	}
	scale := 0.0
	for _, d := range differences {
		scale += math.Abs(d)
	}
	sum := math.Abs(Mean(differences))*float64(n) - scale*1e-12 // of the same differences, added in another order
	far := 0
	flipped := func(signs uint64, next func() uint64) {
		total := 0.0
		for i, d := range differences {
			if i%64 == 0 && i > 0 {
				signs = next()
			}
			if signs>>(i%64)&1 == 1 {
				d = -d
			}
			total += d
		}
		if math.Abs(total) >= sum {
			far++
		}
	}
	if n <= exactUpTo {
		for signs := range uint64(1) << n {
			flipped(signs, nil)
		}
		return float64(far) / float64(uint64(1)<<n)
	}
	rnd := rand.New(rand.NewPCG(seed, uint64(n)))
	for range flips {
		flipped(rnd.Uint64(), rnd.Uint64)
	}
	return float64(far+1) / (flips + 1)
}

// correlation is NaN if one of the samples does not vary.
func correlation(a, b []float64) float64 {
	ma, mb := Mean(a), Mean(b)
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// Holm corrects probabilities for being many: each is how small the level of
// significance of all together may be for this one to be significant. One that
// is not a number does not count.
func Holm(p []float64) []float64 {
	var order []int
	for i := range p {
		if !math.IsNaN(p[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	corrected := slices.Clone(p)
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(order)-rank)))
		corrected[i] = least
	}
	return corrected
}
