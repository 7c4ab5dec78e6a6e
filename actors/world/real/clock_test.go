package real

import (
	"strings"
	"testing"
)

// What is measured between two readings is by the monotonic clock, so that a
// jump of the wall clock makes nobody early or late.
func TestNowIsMonotonic(t *testing.T) {
	if now := (Clock{}).Now(); !strings.Contains(now.String(), " m=") {
		t.Errorf("%v has no monotonic reading", now)
	}
}
