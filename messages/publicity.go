package messages

// DHTMode says which torrents are looked for in the DHT and announced there.
type DHTMode string

// When a torrent is looked for in the DHT. One that is private never is.
const (
	DHTAuto DHTMode = "auto" // unless all its trackers and given peers are at loopback addresses
	DHTOn   DHTMode = "on"
	DHTOff  DHTMode = "off"
)

// SetPublicity: torrent, by engine, to peers, and from peers to each peer: what
// strangers may be told of the torrent. Before the first one nothing may be.
// Peers sends it to a peer before the connection is made.
type SetPublicity struct {
	Exchange bool // peers may be told of each other (BEP 11)
	Metadata bool // the info dictionary may be sent (BEP 9)
	DHT      bool // the torrent may be looked for in the DHT and announced there (BEP 5)
}
