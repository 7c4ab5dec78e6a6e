// Package frame turns the bytes of the BitTorrent peer wire protocol (BEP 3)
// into values and back: the handshake, and the length-prefixed frames that
// follow it. It does no I/O.
//
// Decoder parses the stream of one connection. It tells its caller which slices
// to read into next, such that the payload of Piece frames lands in pooled
// blocks without being copied, and turns what was read into frames:
//
//	for {
//		n, err := readv(conn, d.Buffers(outstanding))
//		frames, err = d.Advance(n, frames[:0])
//	}
//
// Every length that a peer announces is held against Limits before memory is
// spent on it. The package checks form, not sense: whether an index lies inside
// the torrent, and whether a bitfield comes first, is for its caller to check.
// The DHT port (BEP 5), the fast extension (BEP 6) and the envelope of the
// extension protocol (BEP 10) are parsed; whether the handshake allows them is
// for the caller to check, too.
package frame

import (
	"encoding/binary"
	"fmt"

	"kouzui/wire/buffer"
)

// Kind tells frames apart. Values up to 255 are the message ids of the
// protocol. Frames whose ids have no name here are skipped.
type Kind uint16

// The kinds of frames.
const (
	Choke         Kind = 0
	Unchoke       Kind = 1
	Interested    Kind = 2
	NotInterested Kind = 3
	Have          Kind = 4
	Bitfield      Kind = 5
	Request       Kind = 6
	Piece         Kind = 7
	Cancel        Kind = 8
	Port          Kind = 9 // BEP 5

	Suggest     Kind = 0x0d // this and the next four: BEP 6
	HaveAll     Kind = 0x0e
	HaveNone    Kind = 0x0f
	Reject      Kind = 0x10
	AllowedFast Kind = 0x11

	Extended Kind = 20 // BEP 10

	KeepAlive Kind = 256 // a frame of length zero: it has no id
)

// form is how a kind of frame is laid out behind its id.
type form struct {
	name   string
	fields int  // bytes of fixed fields
	body   bool // more bytes may follow the fields
}

// forms is indexed by the message id; ids without a name are unknown.
var forms = [256]form{
	Choke:         {name: "choke"},
	Unchoke:       {name: "unchoke"},
	Interested:    {name: "interested"},
	NotInterested: {name: "not interested"},
	Have:          {name: "have", fields: 4},
	Bitfield:      {name: "bitfield", body: true},
	Request:       {name: "request", fields: 12},
	Piece:         {name: "piece", fields: 8, body: true},
	Cancel:        {name: "cancel", fields: 12},
	Port:          {name: "port", fields: 2},
	Suggest:       {name: "suggest", fields: 4},
	HaveAll:       {name: "have all"},
	HaveNone:      {name: "have none"},
	Reject:        {name: "reject", fields: 12},
	AllowedFast:   {name: "allowed fast", fields: 4},
	Extended:      {name: "extended", fields: 1, body: true},
}

func (k Kind) String() string {
	switch {
	case k == KeepAlive:
		return "keep-alive"
	case k.known():
		return forms[k].name
	}
	return fmt.Sprintf("unknown(%d)", uint16(k))
}

// Fast tells whether a kind belongs to the fast extension (BEP 6), which both
// sides must offer.
func (k Kind) Fast() bool { return k >= Suggest && k <= AllowedFast }

func (k Kind) known() bool { return int(k) < len(forms) && forms[k].name != "" }

// Frame is one message of the peer protocol. Which fields count depends on the
// kind:
//
//	Have, Suggest, AllowedFast  Index
//	Request, Cancel, Reject     Index, Begin, Length
//	Piece                       Index, Begin, Length of the payload, Block
//	Bitfield                    Bits: see SetBit and HasBit
//	Port                        Index: the UDP port
//	Extended                    Index: the extended message id; Bits: its payload
//	kinds without a name        Length of the payload, which was skipped
//
// Index, Begin and Length come from the peer unchecked: add two of them in
// uint64 only. Whoever takes a frame from the Decoder owns its Block and its
// Bits.
type Frame struct {
	Kind                 Kind
	Index, Begin, Length uint32
	Bits                 []byte
	Block                *buffer.Block
}

const (
	prefixLen = 4 // the length prefix
	idLen     = 1 // the message id, which the prefix counts
	pieceHead = prefixLen + idLen + 8
	maxHead   = prefixLen + idLen + 12
)

// AppendHeader appends a frame in its wire format, but of a Piece only what
// comes before the payload: the caller sends the payload, whose length is
// f.Length, right after it. The kind must have a name.
func AppendHeader(dst []byte, f Frame) []byte {
	if f.Kind == KeepAlive {
		return append(dst, 0, 0, 0, 0)
	}
	if !f.Kind.known() {
		panic("frame: cannot encode " + f.Kind.String())
	}
	length := idLen + forms[f.Kind].fields + len(f.Bits)
	if f.Kind == Piece {
		length += int(f.Length)
	}
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(length))
	dst = append(dst, byte(f.Kind))
	switch f.Kind {
	case Have, Suggest, AllowedFast:
		dst = be.AppendUint32(dst, f.Index)
	case Request, Cancel, Reject:
		dst = be.AppendUint32(dst, f.Index)
		dst = be.AppendUint32(dst, f.Begin)
		dst = be.AppendUint32(dst, f.Length)
	case Piece:
		dst = be.AppendUint32(dst, f.Index)
		dst = be.AppendUint32(dst, f.Begin)
	case Port:
		dst = be.AppendUint16(dst, uint16(f.Index))
	case Extended:
		dst = append(dst, byte(f.Index))
		dst = append(dst, f.Bits...)
	case Bitfield:
		dst = append(dst, f.Bits...)
	}
	return dst
}

// parseHead reads the fixed fields of a frame. The length of the payload of a
// Piece is not one of them.
func parseHead(k Kind, fields []byte) Frame {
	be := binary.BigEndian
	f := Frame{Kind: k}
	switch k {
	case Have, Suggest, AllowedFast:
		f.Index = be.Uint32(fields)
	case Request, Cancel, Reject:
		f.Index, f.Begin, f.Length = be.Uint32(fields), be.Uint32(fields[4:]), be.Uint32(fields[8:])
	case Piece:
		f.Index, f.Begin = be.Uint32(fields), be.Uint32(fields[4:])
	case Port:
		f.Index = uint32(be.Uint16(fields))
	case Extended:
		f.Index = uint32(fields[0])
	}
	return f
}
