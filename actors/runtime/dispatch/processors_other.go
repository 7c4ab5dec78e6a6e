//go:build !unix

package dispatch

import "time"

// TimeUsed is not known.
func TimeUsed() (time.Duration, bool) { return 0, false }
