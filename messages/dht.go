package messages

import (
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/wire/metainfo"
)

// The conversation of torrents and the DHT (BEP 5), of which there is one for
// each address family (BEP 32).

// DHTStarted is from the DHT, each time that it has started, for session, which
// passes it to all torrents that run, and to those that start later.
type DHTStarted struct{ DHT *actor.PID }

// SearchPeers is for the DHT, from a torrent: look for peers of the torrent,
// now and for as long as the torrent runs, and tell each as PeersFound. The DHT
// watches the torrent. Sent again, it replaces what was said before.
type SearchPeers struct {
	InfoHash metainfo.Hash
	Torrent  *actor.PID
	Port     uint16 // where we can be dialled: the torrent is announced; 0: it is not
	Seed     bool   // BEP 33
	Urgent   bool   // no peer is connected: look again soon if nobody is found
}

// StopSearching is for the DHT, from a torrent that ends, or must not be told
// of any more.
type StopSearching struct{ InfoHash metainfo.Hash }

// AddNode is for the DHT, from session, a peer, and the DHT of the other
// family: a node may answer at the address. A peer has sent PORT, or the user,
// an earlier run or another node has named it. It enters the table when it
// answers.
type AddNode struct{ Addr netip.AddrPort }

// DHTReport is from the DHT for session and on to subscribers, every few
// seconds while something changes: how it stands, and nodes to begin with next
// time.
type DHTReport struct {
	Family   int // IPv4 or IPv6
	Known    int // nodes in the table
	Good     int // of them, those that have answered or asked lately
	Torrents int // that others have announced here
	Peers    int // of them
	Lookups  int // so far
	ID       [20]byte
	Nodes    []netip.AddrPort // good ones, best first
	External netip.AddrPort   // our address as nodes see it; the zero value: not known
}
