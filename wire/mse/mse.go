// Package mse is message stream encryption (MSE, also called protocol
// encryption): the handshake by which two peers agree on a key before the
// handshake of BEP 3, and the cipher of what follows. It hides from a network
// what the traffic is; it proves nobody's identity.
//
// A Handshake is one side of it, as a state machine: bytes of the other side go
// in, bytes to be sent come out, random bytes are arguments.
//
//	dialled                                  answering
//	Ya, PadA                             ->
//	                                     <-  Yb, PadB
//	SHA1(req1,S), SHA1(req2,T)^SHA1(req3,S),
//	RC4(VC, offers, PadC, initial)       ->
//	                                     <-  RC4(VC, choice, PadD)
//
// Ya and Yb are public keys of Diffie and Hellman, S is the secret that follows
// from them, T the info hash of the torrent, VC eight zero bytes, and each pad
// up to 512 bytes. The initial payload is the beginning of what the side that
// dialled says: here, its handshake of BEP 3. Package files: handshake.go is
// the state machine, group.go the arithmetic.
package mse

import (
	"crypto/rc4"
	"crypto/sha1"
	"errors"
	"slices"
)

// Methods are ways to carry what follows the handshake, as a set of bits.
type Methods uint32

// The methods that are known.
const (
	Plaintext Methods = 1 << iota // only the handshakes are encrypted
	RC4
)

// Errors of a handshake. No further bytes can make good for any of them.
var (
	ErrKey     = errors.New("encrypted handshake: the public key is out of range")
	ErrNoSync  = errors.New("encrypted handshake: what has to come after the padding has not come")
	ErrCheck   = errors.New("encrypted handshake: the check value is wrong")
	ErrPadding = errors.New("encrypted handshake: more than 512 bytes of padding are announced")
	ErrMethod  = errors.New("encrypted handshake: there is no common way to go on")
)

// TorrentKey is by what the side that answers finds the torrent that an
// encrypted handshake is for.
func TorrentKey(infoHash [20]byte) [20]byte {
	return digest("req2", infoHash[:])
}

// IsText tells whether what has come is text: then it is no encrypted
// handshake, of which 20 bytes would be text once in 10^8 times. The first line
// of another protocol need not be waited behind.
func IsText(b []byte) bool {
	odd := func(c byte) bool { return (c < ' ' || c > '~') && c != '\r' && c != '\n' }
	return len(b) >= 20 && !slices.ContainsFunc(b[:20], odd)
}

// Cipher encrypts or decrypts one direction of a connection after the
// handshake. The zero Cipher leaves everything as it is.
type Cipher struct {
	rc4 *rc4.Cipher
	// left is how many more bytes are encrypted, if bounded.
	left    int
	bounded bool
}

// Active tells whether bytes that come next are encrypted.
func (c *Cipher) Active() bool { return c.rc4 != nil }

// XOR encrypts or decrypts the next bytes of the connection, in place.
func (c *Cipher) XOR(b []byte) {
	if c.rc4 == nil {
		return
	}
	if !c.bounded {
		c.rc4.XORKeyStream(b, b)
		return
	}
	b = b[:min(c.left, len(b))]
	c.rc4.XORKeyStream(b, b)
	if c.left -= len(b); c.left == 0 {
		*c = Cipher{}
	}
}

// discarded is how many bytes of each key stream are not used: the first ones
// tell of the key.
const discarded = 1024

// newCipher makes one direction of RC4, from which discarded bytes are gone.
func newCipher(name string, secret *[keyLen]byte, infoHash *[20]byte) *rc4.Cipher {
	key := digest(name, secret[:], infoHash[:])
	c, err := rc4.NewCipher(key[:])
	if err != nil {
		panic(err) // never: a key of 20 bytes is permitted
	}
	var waste [256]byte
	for range discarded / len(waste) {
		c.XORKeyStream(waste[:], waste[:])
	}
	return c
}

// digest is the SHA-1 of all parts together.
func digest(name string, parts ...[]byte) [20]byte {
	var room [4 + keyLen + 20]byte
	all := append(room[:0], name...)
	for _, part := range parts {
		all = append(all, part...)
	}
	return sha1.Sum(all)
}
