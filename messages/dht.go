package messages

import (
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/wire/metainfo"
)

// The conversation of torrents and the DHT (BEP 5), of which there is one for
// each address family (BEP 32).

// DHTStarted: dht to session, each time that it has started, and from session
// to all torrents that run, and to those that start later. A torrent answers
// SearchPeers.
type DHTStarted struct{ DHT *actor.PID }

// SearchPeers: torrent to dht: look for peers of the torrent, now and for as
// long as the torrent runs, and tell each as PeersFound. The DHT watches the
// torrent. Sent again, it replaces what was said before.
type SearchPeers struct {
	InfoHash metainfo.Hash
	Torrent  *actor.PID
	Port     uint16 // where we can be dialled: the torrent is announced; 0: it is not
	Seed     bool   // BEP 33
	Urgent   bool   // no peer is connected: look again soon if nobody is found
}

// StopSearching: torrent to dht, when the torrent ends, or must not be told of
// any more.
type StopSearching struct{ InfoHash metainfo.Hash }

// AddNode: a peer, session, or the DHT of the other address family, to dht: a
// node may answer at the address: a peer has sent PORT, the DHT before has
// reported it, or another node has named it. It enters the table when it
// answers.
type AddNode struct{ Addr netip.AddrPort }

// DHTReport: dht to session and on to subscribers, every few seconds while
// something changes: how it stands, and nodes to begin with next time.
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
