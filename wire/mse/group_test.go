package mse

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func (n *number) big() *big.Int {
	var b [keyLen]byte
	n.put(&b)
	return new(big.Int).SetBytes(b[:])
}

// drawNumber draws numbers whose limbs are often all zeros or all ones.
func drawNumber(t *rapid.T, what string) (n number) {
	limb := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, 1<<64 - 1, 1 << 63}))
	for i := range n {
		n[i] = limb.Draw(t, what)
	}
	n.reduce(&n, 0) // every number is below twice the prime
	return n
}

// TestArithmetic holds the arithmetic against math/big.
func TestArithmetic(t *testing.T) {
	p := prime.big()
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawNumber(t, "x"), drawNumber(t, "y")
		var product number
		product.multiply(&x, &y)
		product.multiply(&product, &toMontgomery)
		want := new(big.Int).Mul(x.big(), y.big())
		if want.Mod(want, p); product.big().Cmp(want) != 0 {
			t.Fatalf("%x * %x = %x, want %x", x.big(), y.big(), product.big(), want)
		}
		var private [privateLen]byte
		copy(private[:], rapid.SliceOfN(rapid.Byte(), privateLen, privateLen).Draw(t, "private"))
		exponent := new(big.Int).SetBytes(private[:])
		public := publicKey(&private)
		if want := new(big.Int).Exp(big.NewInt(2), exponent, p); new(big.Int).SetBytes(public[:]).Cmp(want) != 0 {
			t.Fatalf("2^%x = %x, want %x", private, public, want)
		}
		secret := secretOf(&x, &private)
		if want := new(big.Int).Exp(x.big(), exponent, p); new(big.Int).SetBytes(secret[:]).Cmp(want) != 0 {
			t.Fatalf("%x^%x = %x, want %x", x.big(), private, secret, want)
		}
	})
}
