package messages

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// The conversation of the scheduler and the peers: coordinates of blocks, never
// their bytes.

// PeerReady: a peer to peers, when the handshakes are exchanged. Peers answers
// Disconnect if the other side is ourselves, or connected already; else it
// passes the message on to the scheduler. The scheduler watches the peer and
// answers it with StartSession. Before StartSession the peer tells the
// scheduler nothing. A web seed sends it to the scheduler itself, with a key of
// its own each time, without address and id, when its server may be asked.
type PeerReady struct {
	Key     PeerKey
	Peer    *actor.PID
	Link    uint64
	ID      [20]byte
	Addr    netip.AddrPort
	Inbound bool
	Source  Source // from which we have the address
	Name    string // the host of a web seed; "" for others
	At      time.Time
	// Encrypted is what of the connection is encrypted.
	Encrypted Encrypted
}

// StartSession: scheduler to peer, the answer to PeerReady once it is known
// what is in the torrent and which pieces we have. The peer sends Have as its
// bitfield and starts its link. The peer owns Have from here on.
type StartSession struct {
	Link    uint64
	Torrent *metainfo.Torrent
	Have    *bitset.BitSet
	// SuperSeed: the peer counts in PeerRates.Asked.
	SuperSeed bool
	// UploadOnly is the first SetUploadOnly.
	UploadOnly bool
}

// SetUploadOnly: scheduler to every peer, when we begin or cease to have all
// pieces that we want (BEP 21). While we super-seed, we do not say so. The peer
// tells the other side, if that speaks the extension protocol.
type SetUploadOnly struct{ UploadOnly bool }

// SetWanted: a command to session, and from session by torrent and engine to
// store, scheduler and peers: which pieces the user wants from now on; nil:
// all. If Choice is not nil, the torrent says in the other fields what follows
// from it, once it knows its files. A Choice that does not fit the files is
// ignored, and ends a torrent that learns of its files after it. Other pieces
// are not asked for, and a torrent is complete when all wanted ones are
// verified. Peers dials again the addresses whose peers had nothing that was
// wanted before. Pieces beyond the last are ignored. Whether the disk has room
// for more is asked only at the start: later the torrent goes on with what it
// has, and says that the disk is full when it is. A store that starts gets it
// from the torrent itself, see QueryKnownPieces. The sets must not be changed.
//
// Files are those whose pieces these are; nil: all, or pieces alone were
// chosen. Others are not made. The scheduler begins pieces of High before all
// others, and those of Low after them.
type SetWanted struct {
	InfoHash  metainfo.Hash
	Choice    *choice.Choice
	Pieces    *bitset.BitSet
	Files     *bitset.BitSet
	High, Low *bitset.BitSet // pieces; nil: none
}

// ClipPieces is the pieces of a set that a torrent of so many pieces has; nil,
// which means all, stays nil.
func ClipPieces(pieces *bitset.BitSet, count int) *bitset.BitSet {
	if pieces == nil || pieces.Len() <= uint(count) {
		return pieces
	}
	clipped := bitset.New(uint(count))
	for piece := range pieces.EachSet() {
		if piece < uint(count) {
			clipped.Set(piece)
		}
	}
	return clipped
}

// RequestBlocks: scheduler to peer. The peer requests the blocks in this order,
// and owes for each a BlocksArrived, a RequestsDropped, or its own end.
// OnlySource: nobody else who is connected has some of these pieces, so the
// peer bears more of what the other side does wrong.
type RequestBlocks struct {
	Blocks     []Block
	OnlySource bool
}

// CancelBlocks: scheduler to peer, when blocks have come from another peer or
// are not wanted any more. The peer forgets them, sends a cancel for each that
// it has requested, and reports none of them any more.
type CancelBlocks struct{ Blocks []Block }

// SetInterested: scheduler to peer, when the other side begins or ceases to
// have pieces that we want. The peer tells the other side.
type SetInterested struct{ Interested bool }

// AnnounceHave: scheduler to every peer that lacks some of these pieces, when
// they have become ours. The peer tells the other side. Many peers may get the
// same message.
type AnnounceHave struct{ Pieces []uint32 }

// Disconnect: scheduler or peers to peer. The peer closes its link and ends
// with this reason. Peers decides whether the address is dialled again.
type Disconnect struct{ Reason GoneReason }

// PeerBitfield: peer to scheduler, a bitfield of the other side. The scheduler
// owns Have from here on, and adds it to what it knows of that peer.
type PeerBitfield struct {
	Key  PeerKey
	Have *bitset.BitSet
}

// PeerHave: peer to scheduler, pieces that the other side announced. All of
// Pieces exist in the torrent: the peer has checked that.
type PeerHave struct {
	Key    PeerKey
	Pieces []uint32
}

// PeerDontHave: peer to scheduler, pieces that the other side has lost (BEP
// 54). The scheduler does not count them any more. Requests for them that are
// under way are answered or dropped like others.
type PeerDontHave struct {
	Key    PeerKey
	Pieces []uint32
}

// PeerAllowed: peer to scheduler, pieces that may be asked for while the other
// side chokes us (BEP 6), whether it has them or not. The scheduler takes a
// piece for allowed until a RequestsDropped of that piece comes while the other
// side chokes us. Window is how many requests the peer can have under way at
// once: no PeerChoking may have told that yet.
type PeerAllowed struct {
	Key    PeerKey
	Pieces []uint32
	Window int
}

// PeerChoking: peer to scheduler, when the other side chokes or unchokes us.
// Choking means that all requests to this peer are void: the scheduler takes
// them back without a RequestsDropped. If the other side Answers each request
// (BEP 6), none is void. Window is how many requests the peer can have under
// way at once.
type PeerChoking struct {
	Key     PeerKey
	Choking bool
	Answers bool
	Window  int
}

// BlocksArrived: peer to scheduler, after the payload went to the store. These
// are only blocks that the scheduler asked of this very peer.
type BlocksArrived struct {
	Key    PeerKey
	Blocks []Block
	Window int
	At     time.Time
}

// RequestsDropped: peer to scheduler, when requests for these blocks have timed
// out, or the other side has rejected them. The scheduler asks other peers.
type RequestsDropped struct {
	Key     PeerKey
	Blocks  []Block
	Window  int
	Snubbed bool // nothing has come for so long that other peers are asked first
}

// PeerGone: peer to scheduler, choker and peers, when its connection has ended
// or could not be made. The scheduler takes back all that the peer was asked
// for. The three also watch the peer, which may die without a PeerGone.
type PeerGone struct {
	Key    PeerKey
	Link   uint64 // 0: there was none
	Addr   netip.AddrPort
	Reason GoneReason
	Err    error // may be nil
}

// GoneReason is why a connection ended.
type GoneReason uint8

// Reasons for which a connection ends.
const (
	GoneClosed    GoneReason = iota // the other side closed it
	GoneDial                        // it could not be made
	GoneHandshake                   // no handshake, or for another torrent
	GoneCut                         // the other side closed it before its handshake
	GoneProtocol                    // the other side broke the protocol
	GoneIdle                        // nothing came for too long
	GoneSelf                        // it was ourselves
	GoneDuplicate                   // this peer was connected already
	GoneBanned                      // it sent data that is proven wrong
	GoneUseless                     // neither side wants anything, or nothing moves while others wait
	GoneExhausted                   // too many connections in the process to dial
	GoneFailed                      // its actor panicked
	GoneStopping                    // we stop
)

func (r GoneReason) String() string {
	return [...]string{"closed", "dial failed", "handshake", "cut off", "protocol", "idle", "ourselves", "duplicate",
		"banned", "useless", "connections exhausted", "actor failed", "stopping"}[r]
}
