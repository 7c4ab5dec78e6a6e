package frame

import "fmt"

// A bitfield (BEP 3) has a bit for each piece, the first piece in the highest
// bit of the first byte.

// CheckBitfield returns what is wrong with a bitfield for so many pieces. A
// Decoder that knows how many there are has checked that.
func CheckBitfield(bits []byte, pieces int) error {
	if want := (pieces + 7) / 8; len(bits) != want {
		return &ProtocolError{Text: fmt.Sprintf("bitfield of %d bytes, want %d", len(bits), want)}
	}
	return (&Limits{Pieces: pieces}).checkBits(bits)
}

// SetBit sets the bit of piece i.
func SetBit[I int | uint](bits []byte, i I) { bits[i/8] |= 0x80 >> (i % 8) }

// HasBit tells whether the bit of piece i is set.
func HasBit[I int | uint](bits []byte, i I) bool { return bits[i/8]&(0x80>>(i%8)) != 0 }
