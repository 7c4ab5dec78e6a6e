package krpc

import (
	"crypto/sha1"
	"math"
	"math/bits"
	"net/netip"
)

// Filter is a Bloom filter of 2,048 bits and two hash functions, in which the
// addresses of a swarm's peers are counted without being told (BEP 33).
type Filter [256]byte

// Add enters an address.
func (f *Filter) Add(a netip.Addr) {
	sum := sha1.Sum(a.AsSlice())
	for i := range 2 {
		bit := int(sum[2*i]) | int(sum[2*i+1])<<8
		bit %= 8 * len(f)
		f[bit/8] |= 1 << (bit % 8)
	}
}

// Union enters all that is in other.
func (f *Filter) Union(other *Filter) {
	for i := range f {
		f[i] |= other[i]
	}
}

// Count is an estimate of how many addresses were entered, at most some 6,000.
func (f *Filter) Count() float64 {
	const size, hashes = 8 * float64(len(Filter{})), 2
	zeros := size
	for _, b := range f {
		zeros -= float64(bits.OnesCount8(b))
	}
	return math.Log(min(max(zeros, 1), size-1)/size) / (hashes * math.Log(1-1/size))
}
