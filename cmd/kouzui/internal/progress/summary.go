package progress

import (
	"fmt"
	"kouzui"
	"time"

	"kouzui/actors/runtime/units"
	"kouzui/wire/metainfo"
)

// longestName is how many bytes of a torrent's name are shown.
const longestName = 200

// Summary sums a torrent up on one line, after the time that it took.
func Summary(p *kouzui.Status, complete bool, took time.Duration) string {
	line := metainfo.Clean(p.Name, longestName) + ": "
	have, all := p.Goal()
	of := ""
	if all < p.Length {
		of = fmt.Sprintf(" (chosen of %s)", units.Bytes(p.Length))
	}
	if complete {
		line += "complete, " + units.Bytes(all) + of
	} else {
		line += fmt.Sprintf("%s of %s%s", units.Percent(have, all), units.Bytes(all), of)
	}
	if p.Downloaded > 0 {
		seconds := took.Seconds()
		line += fmt.Sprintf(", downloaded %s in %.1fs (%s)", units.Bytes(p.Downloaded), seconds, units.Rate(float64(p.Downloaded)/max(seconds, 0.001)))
	}
	if p.Uploaded > 0 {
		line += ", uploaded " + units.Bytes(p.Uploaded)
	}
	if p.Wasted > 0 {
		line += ", wasted " + units.Bytes(p.Wasted)
	}
	if p.Corrupt > 0 {
		line += ", " + units.Count(p.Corrupt, "corrupt piece")
	}
	if p.Restarts > 0 {
		line += ", " + units.Count(p.Restarts, "restart")
	}
	return line
}
