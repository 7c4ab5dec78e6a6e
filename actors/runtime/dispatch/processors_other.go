//go:build !unix

package dispatch

import "time"

// timeUsed is not known.
func timeUsed() (time.Duration, bool) { return 0, false }
