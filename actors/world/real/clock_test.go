package real

import (
	"strings"
	"testing"
)

// The time between two readings comes from the monotonic clock, so that a jump
// of the wall clock delays nothing.
func TestNowIsMonotonic(t *testing.T) {
	if now := (Clock{}).Now(); !strings.Contains(now.String(), " m=") {
		t.Errorf("%v has no monotonic reading", now)
	}
}
