package frame

// A bitfield (BEP 3) has a bit for each piece, the first piece in the highest
// bit of the first byte.

// SetBit sets the bit of piece i.
func SetBit[I int | uint](bits []byte, i I) { bits[i/8] |= 0x80 >> (i % 8) }

// HasBit tells whether the bit of piece i is set.
func HasBit[I int | uint](bits []byte, i I) bool { return bits[i/8]&(0x80>>(i%8)) != 0 }
