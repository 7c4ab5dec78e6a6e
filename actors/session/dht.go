package session

import "kouzui/messages"

// dhtStarted tells the torrents of a DHT that has started, and the DHT of the
// nodes that the one before it knew.
func (r *registry) dhtStarted(m *messages.DHTStarted) {
	for family, dht := range r.refs.DHT {
		if dht == nil || !dht.Equal(m.DHT) {
			continue
		}
		for _, addr := range r.nodes[family] {
			r.out.Send(m.DHT, &messages.AddNode{Addr: addr})
		}
		r.tellAddresses(m.DHT)
	}
	r.tellTorrents(m)
}

// dhtReported remembers nodes: a DHT that has just started reports none.
func (r *registry) dhtReported(m *messages.DHTReport) {
	if r.known[m.Family] != m.Known {
		r.known[m.Family] = m.Known
		for _, t := range r.inOrder() {
			if t.hungry() {
				t.tell(&r.out, r.nodesKnown())
			}
		}
	}
	if len(m.Nodes) > 0 {
		r.nodes[m.Family] = m.Nodes
	}
	r.notify(m)
}

func (r *registry) nodesKnown() *messages.DHTNodesKnown {
	return &messages.DHTNodesKnown{Count: r.known[messages.IPv4] + r.known[messages.IPv6]}
}

// askDHT passes a question of the program on.
func (r *registry) askDHT(family int, question any) {
	if dht := r.refs.DHT[family]; dht != nil {
		r.out.Send(dht, question)
	}
}
