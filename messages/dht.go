package messages

import (
	"net/netip"
	"time"

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

// NodesListed: dht to the dht of the other address family, with each of its
// reports: nodes that have answered lately, at most 32, to be named to those
// who want nodes of both families (BEP 32).
type NodesListed struct{ Nodes []DHTContact }

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

// DHTNodesKnown: session to torrent, when the number has changed while the
// torrent is not complete, and when the torrent has started: so many nodes are
// in the tables of the DHT, of both families. The torrent says so where nobody
// is connected.
type DHTNodesKnown struct{ Count int }

// What the program that started the client asks the DHT. It is answered as
// said in asking.go; where there is no DHT of the family, it is not.

// QueryDHT: a question to session, and from session to dht of the family, which
// answers how it stands through Reply.
type QueryDHT struct {
	Family int // IPv4 or IPv6
	Reply  func(DHTStatus)
}

// DHTStatus is how the DHT of an address family stands.
type DHTStatus struct {
	DHTReport
	Addr    netip.AddrPort // of its socket; the zero value: not bound yet
	Buckets []DHTBucket    // the first has the nodes farthest from us
}

// DHTBucket is the nodes whose ids share a number of leading bits with ours.
type DHTBucket struct {
	Known, Good int // as in DHTReport
	Room        int // for so many nodes
	Spares      int // that wait for room
}

// QueryDHTPeers: a question to session, and from session to dht of the family,
// which looks once for peers, announces nothing, and answers through Reply when
// the lookup has ended. While the DHT knows no nodes, the question waits.
type QueryDHTPeers struct {
	Family   int
	InfoHash metainfo.Hash
	Reply    func(DHTPeers)
}

// DHTPeers is what a lookup has found.
type DHTPeers struct {
	Family   int
	InfoHash metainfo.Hash
	Peers    []netip.AddrPort
	Answered int // nodes
	// Seeds and Leechers are estimates by what nodes tell (BEP 33); -1: none does.
	Seeds, Leechers int
	Nearest         []DHTContact // that have answered, at most eight, nearest first
}

// DHTContact is a node and its address.
type DHTContact struct {
	ID   [20]byte
	Addr netip.AddrPort
}

// QueryDHTNode: a question to session, and from session to dht of the address's
// family, which pings the node there and answers through Reply, after 15 s also
// if the node has not.
type QueryDHTNode struct {
	Addr  netip.AddrPort
	Reply func(DHTNode)
}

// DHTNode is what a node has answered.
type DHTNode struct {
	Addr     netip.AddrPort
	ID       [20]byte
	Version  string         // as the node names its program: two letters and two bytes; empty: not at all
	External netip.AddrPort // our address as the node sees it; the zero value: not told
	Took     time.Duration  // from question to answer
	Failure  string         // why there is no answer; empty: there is one
}
