package sim

// Connection is one end of a connection as it stands.
type Connection struct {
	ID        uint64
	Other     string // name of the host at the other end
	Inbound   bool
	Shaken    bool  // the other handshake has come
	Queued    int   // frames that have not entered the send buffer
	Buffered  int64 // bytes in the send buffer
	Flying    int64 // bytes that have left, and were not taken at the other end
	Arrived   int   // frames that have come and were not delivered
	Delivered int   // batches that were delivered and not given back
}

// Connections are the open connections of the process.
func (h *Host) Connections() (all []Connection) {
	for _, l := range h.links {
		all = append(all, Connection{
			ID: l.id, Other: l.other.host.Name, Inbound: l.inbound, Shaken: l.theirs != nil,
			Queued: l.queue.len(), Buffered: l.buffered, Flying: l.flying, Arrived: l.arrived.len(), Delivered: l.ahead,
		})
	}
	return all
}
