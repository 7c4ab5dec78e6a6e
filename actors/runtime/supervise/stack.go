package supervise

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

const (
	maxFrames = 64
	here      = "kouzui/actors/runtime/supervise."
)

// stackOf describes the frames that a panic unwinds, a line each, from the
// function that panicked down to the actor's Receive. It must be called by a
// deferred function. For a designed failure it returns nothing.
func stackOf(reason any) string {
	if designed(reason) {
		return ""
	}
	var pcs [maxFrames]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var b strings.Builder
	panicking := false
	for {
		f, more := frames.Next()
		switch {
		case !panicking:
			panicking = f.Function == "runtime.gopanic"
		case strings.HasPrefix(f.Function, here+"(*supervised)"), strings.HasPrefix(f.Function, here+"(*invoker)"):
			return b.String()
		case b.Len() == 0 && strings.HasPrefix(f.Function, "runtime."): // frames of the runtime that raised the panic
		default:
			fmt.Fprintf(&b, "%s %s:%d\n", f.Function, path.Base(f.File), f.Line)
		}
		if !more {
			return b.String()
		}
	}
}
