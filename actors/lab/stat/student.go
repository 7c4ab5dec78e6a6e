package stat

import "math"

// Student is the quantile of Student's distribution with so many degrees of
// freedom, for a part from 0.5 to below 1.
func Student(part float64, freedom int) float64 {
	low, high := 0.0, 1.0
	for studentBelow(high, freedom) < part {
		high *= 2
	}
	for range 100 {
		middle := (low + high) / 2
		if studentBelow(middle, freedom) < part {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// studentBelow is the part of Student's distribution below t, by the finite
// series for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 4).
func studentBelow(t float64, freedom int) float64 {
	angle := math.Atan2(t, math.Sqrt(float64(freedom)))
	sin, cos := math.Sincos(angle)
	term, first := 1.0, 2
	if freedom%2 == 1 {
		term, first = cos, 3
	}
	sum := term
	for k := first; k <= freedom-2; k += 2 {
		term *= cos * cos * float64(k-1) / float64(k)
		sum += term
	}
	if freedom%2 == 0 {
		return 0.5 + sin*sum/2
	}
	if freedom == 1 {
		sum = 0
	}
	return 0.5 + (angle+sin*sum)/math.Pi
}
