package messages

import (
	"fmt"
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"
)

// PeerKey names one peer actor. No two peers of a torrent ever have the same
// key, whatever is restarted between them: store and scheduler remember by key
// which peer sent a block.
type PeerKey uint32

// Nobody is the key of no peer: of the blocks that nobody sent, as they lie
// wholly in padding (BEP 47) and are taken for zeros.
const Nobody PeerKey = 0

// Block is a part of a piece: what a request names (BEP 3).
type Block struct {
	Piece  uint32
	Begin  uint32 // in bytes, from the start of the piece
	Length uint32 // in bytes
}

func (b Block) String() string { return fmt.Sprintf("%d:%d+%d", b.Piece, b.Begin, b.Length) }

// Refs are the addresses of the actors to which others send. A supervisor fills
// them in before it spawns an actor: names are fixed, so an address is known
// before its actor has started.
type Refs struct {
	Session  *actor.PID
	Torrents *actor.PID
	Limiter  *actor.PID
	Listener *actor.PID // nil: peers cannot connect to us
	Mapper   *actor.PID // nil: no router is asked for anything
	// Sockets and DHT are by Family; nil: there is none.
	Sockets   [2]*actor.PID
	DHT       [2]*actor.PID
	Torrent   *actor.PID
	Metadata  *actor.PID // while the metainfo is not known
	Engine    *actor.PID
	Store     *actor.PID
	Scheduler *actor.PID
	Choker    *actor.PID
	Peers     *actor.PID
}

// Families of addresses: what there is once for each is an array that has these
// as indexes.
const (
	IPv4 = iota
	IPv6
)

// Family is that of an address: IPv4 or IPv6.
func Family(a netip.Addr) int {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// Direction of payload, seen from us.
type Direction uint8

// Directions.
const (
	Down Direction = iota
	Up
)

func (d Direction) String() string { return [...]string{"down", "up"}[d] }
