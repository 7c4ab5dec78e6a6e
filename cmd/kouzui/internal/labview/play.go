package labview

import (
	"fmt"
	"slices"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
)

// plays says how those fared who played the content while it was downloaded;
// "": nobody did.
func plays(r *lab.Result) string {
	var first, jump []time.Duration
	var stalled time.Duration
	stalls, all := 0, 0
	for _, n := range r.Nodes {
		if n.Play == nil {
			continue
		}
		all++
		stalls += n.Play.Stalls
		stalled += n.Play.Stalled
		if n.Play.First >= 0 {
			first = append(first, n.Play.First)
		}
		if n.Play.Jump >= 0 {
			jump = append(jump, n.Play.Jump)
		}
	}
	if all == 0 {
		return ""
	}
	text := fmt.Sprintf("by %s, of which %d began", units.Count(all, "node"), len(first))
	if len(first) > 0 {
		text += fmt.Sprintf(" after %s at most", seconds(slices.Max(first)))
	}
	if len(jump) > 0 {
		text += fmt.Sprintf("; after a jump %s at most", seconds(slices.Max(jump)))
	}
	return text + fmt.Sprintf("; %s, %s in all", units.Count(stalls, "stall"), seconds(stalled))
}
