package torrent

import (
	"fmt"
	"strings"

	"kouzui/actors/runtime/units"
	"kouzui/messages"
)

// sources are the counts of each kind that has brought a peer, as peers told
// them last.
type sources []messages.SourceCount

// whyAlone says why nobody is connected, though data is needed; why is what
// would be said without addresses, empty as long as nothing need be said.
func (s *state) whyAlone(why string) string {
	why = s.whyNobody(why)
	if why == "" || !s.searching.begun || !s.hasDHT() {
		return why
	}
	nodes := "no nodes"
	if n := s.searching.nodes; n > 0 {
		nodes = units.Count(n, "node")
	}
	if strings.HasSuffix(why, ".") {
		return why + " The DHT knows " + nodes + "."
	}
	return why + "; the DHT knows " + nodes
}

// whyNobody is whyAlone without the DHT.
func (s *state) whyNobody(why string) string {
	complaint := s.announcing.complaint
	if why == "" {
		return complaint
	}
	switch addresses := s.sources.unreachable(); {
	case addresses == "" && complaint != "":
		return complaint
	case addresses == "":
		return why
	case complaint != "":
		return addresses + " Last announce: " + complaint
	default:
		return addresses
	}
}

// unreachable is a sentence about the addresses that are known; empty if there
// are none.
func (c sources) unreachable() string {
	known, silent := 0, 0
	var from []string
	for _, n := range c {
		known += n.Known
		silent += n.Silent
		if n.Known > 0 {
			from = append(from, fmt.Sprintf("%d %s", n.Known, told(n.Kind)))
		}
	}
	if known == 0 {
		return ""
	}
	answers := ""
	switch {
	case silent == known && known == 1:
		answers = ", and it does not answer"
	case silent == known:
		answers = ", and none answers"
	case silent == 1:
		answers = ", and one of them does not answer"
	case silent > 1:
		answers = fmt.Sprintf(", and %d of them do not answer", silent)
	}
	addresses := "addresses"
	if known == 1 {
		addresses = "address"
	}
	return fmt.Sprintf("No peer is connected: %d %s known, %s%s.", known, addresses, strings.Join(from, ", "), answers)
}

// told says how addresses of a kind came to us.
func told(kind messages.SourceKind) string {
	switch kind {
	case messages.SourceTracker:
		return "from trackers"
	case messages.SourceManual:
		return "given by hand"
	case messages.SourcePEX:
		return "from peer exchange"
	case messages.SourceDHT:
		return "from the DHT"
	case messages.SourceMagnet:
		return "from the magnet link"
	}
	return "from " + kind.String()
}
