package extended

import (
	"encoding/binary"
	"errors"
)

var errDontHave = errors.New("no piece is named")

// AppendDontHave appends the message that a piece has been lost (BEP 54), as it
// goes on the wire.
func AppendDontHave(dst []byte, piece uint32) []byte {
	return binary.BigEndian.AppendUint32(dst, piece)
}

// ParseDontHave returns which piece the other side has lost.
func ParseDontHave(payload []byte) (piece uint32, err error) {
	if len(payload) != 4 {
		return 0, errDontHave
	}
	return binary.BigEndian.Uint32(payload), nil
}
