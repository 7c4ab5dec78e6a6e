package view

import (
	"fmt"

	"kouzui"
	"kouzui/actors/runtime/units"
)

// fetching says that peers are asked what is in the torrent: there are no
// pieces and no rates.
func fetching(p *kouzui.Status) bool { return p.State == kouzui.StateMetadata }

// fetchingFacts are how much of the metadata has come, and from how many peers
// more may come.
func fetchingFacts(p *kouzui.Status) []string {
	m := p.Metadata
	come := ""
	if m.Size > 0 {
		come = fmt.Sprintf("%s of %s, %d of %s", units.Bytes(int64(m.Received)), units.Bytes(int64(m.Size)),
			m.ReceivedParts(), units.Count(m.Parts(), "part"))
	}
	peers := units.Count(max(p.Peers, m.Peers), "peer")
	if m.Peers > 0 {
		peers += fmt.Sprintf(", %d with metadata", m.Peers)
	}
	list := []string{come, peers}
	if m.Failed > 0 {
		list = append(list, fmt.Sprintf("%d wrong", m.Failed))
	}
	if p.Restarts > 0 {
		list = append(list, units.Count(p.Restarts, "restart"))
	}
	return list
}
