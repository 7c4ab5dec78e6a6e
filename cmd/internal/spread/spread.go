// Package spread sums up what was measured several times.
package spread

import (
	"slices"
	"strconv"
)

// Spread is the results of several rounds.
type Spread struct{ Least, Median, Most float64 }

// Of returns the spread of values, which it sorts; false if there are none.
func Of(values []float64) (s Spread, ok bool) {
	if len(values) == 0 {
		return s, false
	}
	slices.Sort(values)
	middle := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return Spread{values[0], middle, values[len(values)-1]}, true
}

// Show prints the median and, if they differ, the least and the most in
// brackets.
func (s Spread) Show(decimals int) string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', decimals, 64) }
	if number(s.Least) == number(s.Most) {
		return number(s.Median)
	}
	return number(s.Median) + " (" + number(s.Least) + "–" + number(s.Most) + ")"
}
