package chart

import (
	"math"
	"slices"
	"strconv"
)

// scale maps values to the unit interval.
type scale struct {
	log      bool
	from, to float64
	ticks    []float64
}

// perTick is how many pixels of an X axis there are for each tick at least.
const perTick = 85

func (p Panel) scales(width int) (x, y scale) {
	var xs, ys []float64
	for _, s := range p.Series {
		for _, pt := range s.Points {
			xs, ys = append(xs, pt.X), append(ys, pt.Y)
		}
		for _, b := range s.Band {
			xs, ys = append(xs, b.X), append(ys, b.High)
		}
	}
	for _, m := range p.Marks {
		xs = append(xs, m.X)
	}
	for _, l := range p.Limits {
		ys = append(ys, l.Y)
	}
	if p.Y.Least > 0 {
		ys = append(ys, p.Y.Least)
	}
	if p.X.To > 0 {
		xs = []float64{p.X.To}
	}
	if p.Y.To > 0 {
		ys = []float64{p.Y.To}
	}
	x, y = newScale(p.X.Log, xs, max(4, (width-left-right)/perTick)), newScale(p.Y.Log, ys, 4)
	x.end(p.X.To)
	y.end(p.Y.To)
	if p.X.Log { // the curve may begin and end between two powers
		x.narrow(xs)
	}
	return x, y
}

// end makes a linear scale end exactly at a value.
func (s *scale) end(at float64) {
	if at > 0 && !s.log {
		s.to = at
		s.ticks = slices.DeleteFunc(s.ticks, func(t float64) bool { return t > at*(1+tiny) })
	}
}

// newScale makes a scale that spans values and has round ends. A linear scale
// has at most so many steps.
func newScale(log bool, values []float64, steps int) scale {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if high = max(high, v); v > 0 {
			low = min(low, v)
		}
	}
	if high == 0 {
		low, high = 1, 1
	}
	s := scale{log: log}
	if log {
		first, last := math.Floor(math.Log10(low)+tiny), math.Ceil(math.Log10(high)-tiny)
		last = max(last, first+1)
		for e := first; e <= last; e++ {
			s.ticks = append(s.ticks, math.Pow(10, e))
		}
	} else {
		step := round(high / float64(steps))
		for i := range int(math.Ceil(high/step-tiny)) + 1 {
			s.ticks = append(s.ticks, float64(i)*step)
		}
	}
	s.from, s.to = s.ticks[0], s.ticks[len(s.ticks)-1]
	return s
}

// tiny is added against rounding errors: an exact power or multiple must not
// count as more.
const tiny = 1e-9

// narrow makes the scale begin and end with the values. It adds a tick at such
// an end if no other tick is near.
func (s *scale) narrow(values []float64) {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if high = max(high, v); v > 0 {
			low = min(low, v)
		}
	}
	if low >= high {
		return
	}
	s.from, s.to = low, high
	kept := s.ticks[:0]
	for _, t := range s.ticks {
		if t >= low*(1-tiny) && t <= high*(1+tiny) {
			kept = append(kept, t)
		}
	}
	s.ticks = kept
	if len(kept) == 0 || s.place(kept[0]) > apart {
		s.ticks = slices.Insert(s.ticks, 0, low)
	}
	if 1-s.place(s.ticks[len(s.ticks)-1]) > apart {
		s.ticks = append(s.ticks, high)
	}
}

// apart is the least distance of two ticks, so that their texts do not touch.
const apart = 0.1

func (s scale) place(v float64) float64 {
	from, to := s.from, s.to
	if s.log {
		from, to, v = math.Log10(from), math.Log10(to), math.Log10(max(v, s.from))
	}
	return (v - from) / (to - from)
}

// round is the next larger number whose digits begin with 1, 2, 2.5 or 5.
func round(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if v <= m*power*(1+tiny) {
			return m * power
		}
	}
	return 10 * power
}

// format writes a number with three significant digits.
func format(v float64) string {
	if v >= 10_000 && v == math.Trunc(v/1000)*1000 {
		return strconv.FormatFloat(v/1000, 'f', -1, 64) + "k"
	}
	if v >= 100 || v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
