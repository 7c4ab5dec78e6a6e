package messages

import (
	"net/netip"

	"kouzui/wire/extended"
)

// Peer exchange (BEP 11): peers keeps who is connected, and each peer speaks
// with its other side.

// PeerIntroduced: a peer to peers, when the extended handshake of the other
// side has come, and when what it says changes.
type PeerIntroduced struct {
	Key      PeerKey
	Port     uint16     // where the other side can be dialled; 0: it does not say
	YourIP   netip.Addr // ours, as it sees it; the zero value: it does not say
	Exchange bool       // it wants to be told of peers
	Seed     bool       // it has everything, or wants no more pieces
}

// TellPeers: peers to a peer, at most once a minute: who has come and who has
// gone since the last time. The peer sends it to the other side.
type TellPeers struct {
	Added   []extended.Contact // at most 50
	Dropped []netip.AddrPort   // at most 50
}

// PeersHeard: a peer to peers, whom the other side has told of: once in a
// while, and 50 at most. Peers makes candidates of those that it believes.
type PeersHeard struct {
	Key   PeerKey
	Added []extended.Contact
}
