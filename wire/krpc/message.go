// Package krpc encodes and parses the messages of the DHT (BEP 5), one in each
// UDP datagram: queries, replies and errors, with what BEP 32 (IPv6), BEP 33
// (scrape), BEP 42 (our address), BEP 43 (read-only nodes) and BEP 51 (samples
// of info hashes) add.
//
// Use: [Message.Append] writes a message of at most MaxSize bytes, [Parse]
// reads one of a stranger. A field that a message does not have is its zero
// value.
package krpc

import (
	"encoding/hex"
	"net/netip"
)

const (
	// MaxSize is the length in bytes of the longest message that is sent (BEP 32).
	MaxSize = 1024
	// MaxReceived is the length in bytes of the longest message that is parsed.
	// bittorrent-dht of npm names all nodes that it knows in each reply, 26 bytes
	// each: 10 KB in a DHT of ten million nodes, with 20 in each of 19 buckets.
	MaxReceived = 16 << 10
	// MaxFrame is the length in bytes of what fits into an Ethernet frame: nobody
	// who keeps to BEP 5 sends a longer message.
	MaxFrame = 1500
	// MaxTransaction is the length in bytes of the longest transaction id of
	// others that is repeated to them. Clients use 2 to 4.
	MaxTransaction = 32
	// MaxToken is the length in bytes of the longest token of others that is kept
	// for them. Clients use 4 to 20.
	MaxToken = 64
)

// ID names a node, or is the info hash of a torrent: what is near to another by
// XOR is stored there.
type ID [20]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Node is a node with its address.
type Node struct {
	ID   ID
	Addr netip.AddrPort
}

// Kind is what a message is, as the value of its key y.
type Kind byte

// Kinds of messages.
const (
	Query Kind = 'q'
	Reply Kind = 'r'
	Error Kind = 'e'
)

// Methods of queries.
const (
	Ping         = "ping"
	FindNode     = "find_node"
	GetPeers     = "get_peers"
	AnnouncePeer = "announce_peer"
	Sample       = "sample_infohashes" // BEP 51
)

// Codes of errors.
const (
	GenericError  = 201
	ServerError   = 202
	ProtocolError = 203
	UnknownMethod = 204
)

// Want says nodes of which address families are wanted (BEP 32).
type Want byte

// What is wanted.
const (
	N4 Want = 1 << iota // Nodes: those of IPv4
	N6                  // Nodes6: those of IPv6
)

// Message is one message. Text and bytes of a parsed one share the memory of
// the datagram.
type Message struct {
	Kind        Kind
	Transaction []byte         // t: the query's own, repeated in what answers it
	Version     []byte         // v: two letters of the client and two bytes
	ReadOnly    bool           // ro: the sender answers nobody (BEP 43)
	External    netip.AddrPort // ip: the receiver as the sender sees it (BEP 42)

	ID ID // of the sender; of an error the zero value

	// What a query has beside:

	Method  string // one of the constants; empty: another
	Target  ID     // of find_node and sample_infohashes; else the info hash
	Want    Want   // whose nodes are wanted; 0: that which the query came over
	Port    uint16 // announce_peer: where the peer listens
	Implied bool   // announce_peer: it listens at the port that this came from
	Seed    bool   // announce_peer: it has all pieces (BEP 33)
	NoSeeds bool   // get_peers: no seeds are wanted (BEP 33)
	Scrape  bool   // get_peers: filters are wanted (BEP 33)

	// What query and reply have:

	Token []byte // announce_peer repeats that of a reply to get_peers

	// What a reply has beside:

	Nodes    []Node // of IPv4
	Nodes6   []Node // of IPv6
	Values   []netip.AddrPort
	Seeds    *Filter // BFsd, if Scrape was set
	Peers    *Filter // BFpe, if Scrape was set
	Sampled  bool    // the reply is one to sample_infohashes
	Samples  []ID
	Stored   int // how many info hashes there are to be sampled
	Interval int // for so many seconds the samples stay the same

	// What an error has beside:

	Code int
	Text string // fit to show
}
