package frame

// A bitfield (BEP 3) has a bit for each piece, the first piece in the highest
// bit of the first byte.

// SetBit says in a bitfield that piece i is there.
func SetBit[I int | uint](bits []byte, i I) { bits[i/8] |= 0x80 >> (i % 8) }

// HasBit tells whether piece i is there by a bitfield.
func HasBit[I int | uint](bits []byte, i I) bool { return bits[i/8]&(0x80>>(i%8)) != 0 }
