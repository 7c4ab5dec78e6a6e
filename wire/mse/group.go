package mse

import (
	"encoding/binary"
	"math/bits"
)

// The group in which keys are agreed upon: the powers of 2 modulo a prime of
// 768 bits. math/big takes 70 us and 4 KB for a power (Go 1.26); this takes 45
// us and no memory. Neither hides an exponent from who can measure time on this
// machine; each is used for one connection.

const (
	keyLen     = 96 // bytes of a public key, and of the secret
	privateLen = 20 // bytes of a private key: 160 bits are enough for 768
	limbs      = keyLen / 8
)

// number is below 2^768, its lowest 64 bits first.
type number [limbs]uint64

// prime is the modulus.
var prime = parseNumber([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xc9\x0f\xda\xa2\x21\x68\xc2\x34\xc4\xc6\x62\x8b\x80\xdc\x1c\xd1" +
	"\x29\x02\x4e\x08\x8a\x67\xcc\x74\x02\x0b\xbe\xa6\x3b\x13\x9b\x22\x51\x4a\x08\x79\x8e\x34\x04\xdd" +
	"\xef\x95\x19\xb3\xcd\x3a\x43\x1b\x30\x2b\x0a\x6d\xf2\x5f\x14\x37\x4f\xe1\x35\x6d\x6d\x51\xc2\x45" +
	"\xe4\x85\xb5\x76\x62\x5e\x7e\xc6\xf4\x4c\x42\xe9\xa6\x3a\x36\x21\x00\x00\x00\x00\x00\x09\x05\x63"))

var (
	// negInverse is -1/prime modulo 2^64.
	negInverse = func() uint64 {
		inverse := prime[0] // right in the lowest 3 bits
		for range 5 {
			inverse *= 2 - prime[0]*inverse // right in twice as many
		}
		return -inverse
	}()
	// montgomery1 is 1 in Montgomery's form: 2^768 modulo the prime, which is
	// above 2^767.
	montgomery1 = func() (n number) {
		n.subtract(&n, &prime)
		return n
	}()
	// montgomery2 is 2 in that form, the base of public keys.
	montgomery2 = double(montgomery1)
	// toMontgomery brings a factor into that form: 2^1536 modulo the prime.
	toMontgomery = func() number {
		n := montgomery1
		for range keyLen * 8 {
			n = double(n)
		}
		return n
	}()
)

// parseNumber reads keyLen bytes, the highest first.
func parseNumber(b []byte) (n number) {
	for i := range n {
		n[i] = binary.BigEndian.Uint64(b[keyLen-8*(i+1):])
	}
	return n
}

func (n *number) put(b *[keyLen]byte) {
	for i := range n {
		binary.BigEndian.PutUint64(b[keyLen-8*(i+1):], n[i])
	}
}

// subtract sets n to x-y modulo 2^768, and tells whether y was greater.
func (n *number) subtract(x, y *number) (less bool) {
	var borrow uint64
	for i := range n {
		n[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow == 1
}

// reduce sets n to x, which may have one bit more (over), modulo the prime. It
// must be below twice the prime.
func (n *number) reduce(x *number, over uint64) {
	var less number
	if below := less.subtract(x, &prime); below && over == 0 {
		*n = *x
	} else {
		*n = less
	}
}

func double(x number) (n number) {
	var carry uint64
	for i := range x {
		x[i], carry = bits.Add64(x[i], x[i], carry)
	}
	n.reduce(&x, carry)
	return n
}

// valid tells whether another side may have this public key. 0, 1 and prime-1
// would tell the secret to everybody.
func (n *number) valid() bool {
	last, two := prime, number{2}
	last[0]-- // the prime is odd
	var scrap number
	return scrap.subtract(n, &last) && !scrap.subtract(n, &two)
}

// power sets n to base^exponent, where base is in Montgomery's form and n is
// not. The exponent is taken four bits at a time, the highest first.
func (n *number) power(base *number, exponent *[privateLen]byte) {
	var powers [16]number
	powers[0], powers[1] = montgomery1, *base
	for i := 2; i < len(powers); i++ {
		powers[i].multiply(&powers[i-1], base)
	}
	result := montgomery1
	for _, b := range exponent {
		for _, digit := range [2]byte{b >> 4, b & 15} {
			for range 4 {
				result.multiply(&result, &result)
			}
			if digit > 0 {
				result.multiply(&result, &powers[digit])
			}
		}
	}
	n.multiply(&result, &number{1})
}

// publicKey is what belongs to a private key.
func publicKey(private *[privateLen]byte) (public [keyLen]byte) {
	var n number
	n.power(&montgomery2, private)
	n.put(&public)
	return public
}

// secretOf is what both sides know: of theirs, which is a valid public key, and
// our private key.
func secretOf(theirs *number, private *[privateLen]byte) (secret [keyLen]byte) {
	var n number
	n.multiply(theirs, &toMontgomery)
	n.power(&n, private)
	n.put(&secret)
	return secret
}

// multiply sets n to x*y/2^768 modulo the prime (Montgomery's multiplication).
// It is written out, because loops would take half as long again.
func (n *number) multiply(x, y *number) {
	var t number
	var over uint64 // the bits of t above 2^768
	for _, factor := range x {
		var c, first, second uint64
		t[0], c = addProduct(t[0], factor, y[0], c)
		t[1], c = addProduct(t[1], factor, y[1], c)
		t[2], c = addProduct(t[2], factor, y[2], c)
		t[3], c = addProduct(t[3], factor, y[3], c)
		t[4], c = addProduct(t[4], factor, y[4], c)
		t[5], c = addProduct(t[5], factor, y[5], c)
		t[6], c = addProduct(t[6], factor, y[6], c)
		t[7], c = addProduct(t[7], factor, y[7], c)
		t[8], c = addProduct(t[8], factor, y[8], c)
		t[9], c = addProduct(t[9], factor, y[9], c)
		t[10], c = addProduct(t[10], factor, y[10], c)
		t[11], c = addProduct(t[11], factor, y[11], c)
		over, first = bits.Add64(over, c, 0)

		// A multiple of the prime makes the lowest 64 bits 0, and they are dropped.
		factor = t[0] * negInverse
		_, c = addProduct(t[0], factor, prime[0], 0)
		t[0], c = addProduct(t[1], factor, prime[1], c)
		t[1], c = addProduct(t[2], factor, prime[2], c)
		t[2], c = addProduct(t[3], factor, prime[3], c)
		t[3], c = addProduct(t[4], factor, prime[4], c)
		t[4], c = addProduct(t[5], factor, prime[5], c)
		t[5], c = addProduct(t[6], factor, prime[6], c)
		t[6], c = addProduct(t[7], factor, prime[7], c)
		t[7], c = addProduct(t[8], factor, prime[8], c)
		t[8], c = addProduct(t[9], factor, prime[9], c)
		t[9], c = addProduct(t[10], factor, prime[10], c)
		t[10], c = addProduct(t[11], factor, prime[11], c)
		t[11], second = bits.Add64(over, c, 0)
		over = first + second
	}
	n.reduce(&t, over)
}

// addProduct is sum + x*y + carry, in two halves.
func addProduct(sum, x, y, carry uint64) (low, high uint64) {
	high, low = bits.Mul64(x, y)
	var c uint64
	low, c = bits.Add64(low, sum, 0)
	high, _ = bits.Add64(high, 0, c)
	low, c = bits.Add64(low, carry, 0)
	high, _ = bits.Add64(high, 0, c)
	return low, high
}
