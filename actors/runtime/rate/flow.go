package rate

import "time"

// Flow estimates a rate from measurements, each of which lasts until enough
// time has passed. The zero value knows nothing yet.
type Flow struct {
	rate  float64
	since time.Time // when the measurement under way began
	count int       // what came in it
}

// Blend makes the next estimate of the last one and of what was just measured.
type Blend func(last, measured float64) float64

// Mean follows a change half of the way with each measurement.
func Mean(last, measured float64) float64 { return (last + measured) / 2 }

// RiseAtOnce follows a rise at once and a fall slowly, for those to whom a
// pause is no reason to expect less.
func RiseAtOnce(last, measured float64) float64 { return max(measured, (3*last+measured)/4) }

// PerSecond is the estimate, 0 before the first measurement is over.
func (f *Flow) PerSecond() float64 { return f.rate }

// Resume begins a measurement anew. It is called when something is asked for
// after a rest, which would else count as slowness.
func (f *Flow) Resume(now time.Time) { f.since, f.count = now, 0 }

// Add counts n that came at now. A measurement that has lasted for at least
// least is over: it becomes part of the estimate, and the next one begins. The
// first one is the estimate as it is.
func (f *Flow) Add(now time.Time, n int, least time.Duration, blend Blend) {
	f.count += n
	lasted := now.Sub(f.since)
	if lasted < least {
		return
	}
	measured := float64(f.count) / lasted.Seconds()
	if f.rate == 0 {
		f.rate = measured
	} else {
		f.rate = blend(f.rate, measured)
	}
	f.Resume(now)
}
