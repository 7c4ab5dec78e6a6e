package messages

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The conversation of the choker and the peers.

// SetChoked: choker to peer. The peer sends a choke or unchoke to the other
// side. With a choke it forgets what the other side has requested.
type SetChoked struct{ Choked bool }

// PeerRates: peer to choker and scheduler: once after StartSession, at each
// change of a flag, after ReportRates, and every second while bytes move; when
// we super-seed (BEP 16), also when the other side has asked for half of the
// pieces that it was told of, and for the last.
type PeerRates struct {
	Key  PeerKey
	Peer *actor.PID
	Host netip.Addr
	At   time.Time
	// Bytes a second, rolling over 20 s; the choker ranks by them.
	Down, Up float64
	// Bytes a second over the last few seconds, for display.
	DownNow, UpNow float64
	// Taking: the other side takes what we send, or would if our own limits
	// allowed us to send it.
	Taking bool
	// Bytes of payload in all of this connection.
	DownTotal, UpTotal int64
	// WastedTotal: bytes of payload that were not, or no longer, asked for.
	WastedTotal int64
	// Asked: when we super-seed, of how many of the pieces that it was told of the
	// other side has asked for a part.
	Asked    int
	Flags    PeerFlags
	Window   int // requests that the peer can have under way
	InFlight int // requests that the peer has under way
}

// PeerFlags is the state of both sides of a connection, in the terms of BEP 3.
type PeerFlags struct {
	AmChoking      bool
	AmInterested   bool
	PeerChoking    bool
	PeerInterested bool
	Snubbed        bool
	Seed           bool // the other side has everything
	UploadOnly     bool // the other side wants no more pieces, as it says (BEP 21)
	Inbound        bool
}

// ReportRates: choker to scheduler and peers, and from peers to every peer,
// when a choker has started. Each peer answers the choker with PeerRates, the
// scheduler with SeedingChanged.
type ReportRates struct{}

// SeedingChanged: scheduler to choker, when all wanted pieces are verified or
// no longer are, from time to time, and after ReportRates. When seeding, the
// choker ranks peers by other rules.
type SeedingChanged struct{ Seeding bool }

// PeerInfo is what a display shows of one peer.
type PeerInfo struct {
	Key                PeerKey
	Addr               netip.AddrPort
	ID                 [20]byte
	Source             Source // from which we have the address
	Name               string // the host of a web seed, which has no Addr; "" for others
	Flags              PeerFlags
	Encrypted          Encrypted
	DownNow, UpNow     float64
	DownTotal, UpTotal int64
	Have               int // pieces
	// Map shows the pieces of the peer in a few cells, as Progress.Map does ours.
	Map []uint8
}
