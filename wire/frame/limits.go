package frame

import (
	"fmt"

	"kouzui/wire/buffer"
)

const (
	maxSkip        = 1 << 20   // payload of a frame of an unknown kind
	maxUnknownBits = 256 << 10 // bitfield while the number of pieces is unknown
)

// BlockSize is the length in bytes of the blocks that clients request; only the
// last block of a piece may be shorter.
const BlockSize = buffer.Size

// Limits limits the lengths of frames that a Decoder accepts.
type Limits struct {
	Pieces   int // of the torrent; 0 while unknown: then a bitfield may have any length up to 256 KiB
	MaxBlock int // payload of a Piece frame in bytes; 0 means buffer.Size, which is also the most
	Extended int // payload of an Extended frame in bytes; 0 if we do not offer the extension protocol: skip them
}

// ProtocolError is a violation of the protocol by a peer. Its text is one line.
type ProtocolError struct{ Text string }

func (e *ProtocolError) Error() string { return "peer protocol: " + e.Text }

// skips tells whether frames of this kind are skipped.
func (l *Limits) skips(k Kind) bool {
	return !k.known() || k == Extended && l.Extended == 0
}

// check compares the announced length of a frame, which includes the id, with
// what its kind allows.
func (l *Limits) check(k Kind, length uint32) error {
	least, most := l.payload(k)
	if payload := uint64(length) - idLen; payload < uint64(least) || payload > uint64(most) {
		want := fmt.Sprint(idLen + least)
		if least != most {
			want = fmt.Sprintf("%d to %d", idLen+least, idLen+most)
		}
		return &ProtocolError{Text: fmt.Sprintf("%v frame of %d bytes, want %s", k, length, want)}
	}
	return nil
}

// payload is the least and the greatest number of bytes that may follow the id
// of a frame.
func (l *Limits) payload(k Kind) (least, most int) {
	if l.skips(k) {
		return 0, maxSkip
	}
	fields := forms[k].fields
	switch k {
	case Piece:
		return fields, fields + l.maxBlock()
	case Bitfield:
		if l.Pieces == 0 {
			return 0, maxUnknownBits
		}
		n := (l.Pieces + 7) / 8
		return n, n
	case Extended:
		return fields, fields + l.Extended
	}
	return fields, fields
}

func (l *Limits) maxBlock() int {
	if l.MaxBlock <= 0 || l.MaxBlock > buffer.Size {
		return buffer.Size
	}
	return l.MaxBlock
}

// checkBits checks that the bits behind the last piece are zero.
func (l *Limits) checkBits(bits []byte) error {
	if spare := l.Pieces % 8; spare != 0 && bits[len(bits)-1]<<spare != 0 {
		return &ProtocolError{Text: "bitfield with spare bits set"}
	}
	return nil
}
