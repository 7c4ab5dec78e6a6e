package digest

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// each runs a test with every kernel that there is here, and with none.
func each(t *testing.T, test func(*testing.T, kernel)) {
	for _, k := range append(kernels(), none) {
		t.Run(k.name, func(t *testing.T) { test(t, k) })
	}
}

// FIPS 180-4's examples, and a million times "a".
func TestKnownVectors(t *testing.T) {
	vectors := []struct{ text, sum string }{
		{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{string(bytes.Repeat([]byte("a"), 1_000_000)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
	}
	each(t, func(t *testing.T, k kernel) {
		for _, v := range vectors {
			h := newHasher(k)
			var data [Lanes][]byte
			for i := range data {
				data[i] = []byte(v.text)
			}
			h.Write(data[:]...)
			for i := range data {
				if sum := h.Sum(i); hex.EncodeToString(sum[:]) != v.sum {
					t.Errorf("%d bytes in lane %d: %x", len(v.text), i, sum)
				}
			}
		}
	})
}

// However pieces come, together or alone, in whole chunks or not, their hashes
// are those of crypto/sha1; also of what there is in between, and after a
// Reset.
func TestHasher(t *testing.T) {
	each(t, func(t *testing.T, k kernel) {
		h := newHasher(k)
		length := rapid.OneOf(rapid.SampledFrom([]int{0, chunk, 2 * chunk, step, step + chunk, 16 << 10}), rapid.IntRange(0, 3*step))
		rapid.Check(t, func(t *rapid.T) {
			h.Reset()
			random := rand.NewChaCha8([32]byte{byte(rapid.Int().Draw(t, "seed"))})
			var whole [Lanes][]byte
			for range rapid.IntRange(1, 5).Draw(t, "writes") {
				data := make([][]byte, rapid.IntRange(0, Lanes).Draw(t, "pieces"))
				common := length.Draw(t, "common")
				for i := range data {
					n := common
					if rapid.IntRange(0, 3).Draw(t, "differs") == 0 {
						n = length.Draw(t, "length")
					}
					data[i] = make([]byte, n)
					random.Read(data[i])
					whole[i] = append(whole[i], data[i]...)
				}
				h.Write(data...)
				look := rapid.IntRange(0, Lanes-1).Draw(t, "look")
				if h.Sum(look) != sha1.Sum(whole[look]) {
					t.Fatalf("piece %d of %d bytes is wrong", look, len(whole[look]))
				}
			}
			for i := range whole {
				if h.Sum(i) != sha1.Sum(whole[i]) {
					t.Errorf("piece %d of %d bytes is wrong", i, len(whole[i]))
				}
			}
		})
	})
}

// A state goes on in another Hasher, in any lane, and in crypto/sha1; and one
// of crypto/sha1 in a Hasher.
func TestStatesGoOn(t *testing.T) {
	each(t, func(t *testing.T, k kernel) {
		rapid.Check(t, func(t *rapid.T) {
			random := rand.NewChaCha8([32]byte{byte(rapid.Int().Draw(t, "seed"))})
			h := newHasher(k)
			var whole [Lanes][]byte
			var states [Lanes][]byte
			for range rapid.IntRange(1, 4).Draw(t, "parts") {
				n := rapid.SampledFrom([]int{1, chunk, step, 16 << 10}).Draw(t, "length")
				turn := rapid.IntRange(0, Lanes-1).Draw(t, "turn")
				data := make([][]byte, Lanes)
				h.Reset()
				for i := range whole {
					lane := (i + turn) % Lanes
					if states[i] != nil {
						if err := h.Resume(lane, int64(len(whole[i])), states[i]); err != nil {
							t.Fatal(err)
						}
					}
					data[lane] = make([]byte, n)
					random.Read(data[lane])
					whole[i] = append(whole[i], data[lane]...)
				}
				h.Write(data...)
				for i := range whole {
					var err error
					if states[i], err = h.AppendState((i+turn)%Lanes, nil); err != nil {
						t.Fatal(err)
					}
					alone := newState()
					if err := alone.UnmarshalBinary(states[i]); err != nil {
						t.Fatal(err)
					}
					if sum := sha1.Sum(whole[i]); !bytes.Equal(alone.Sum(nil), sum[:]) {
						t.Fatalf("piece %d of %d bytes is wrong", i, len(whole[i]))
					}
					if states[i], err = alone.AppendBinary(nil); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	})
}

// A fuzzer's bytes are cut into pieces of any lengths, and these into writes.
func FuzzHasher(f *testing.F) {
	f.Add(bytes.Repeat([]byte("piece"), 1000), uint64(1))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		for _, k := range append(kernels(), none) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := newHasher(k)
			var whole [Lanes][]byte
			for range 3 {
				data := make([][]byte, random.IntN(Lanes+1))
				for i := range data {
					from := random.IntN(len(text) + 1)
					data[i] = text[from : from+random.IntN(len(text)-from+1)]
					whole[i] = append(whole[i], data[i]...)
				}
				h.Write(data...)
			}
			for i := range whole {
				if h.Sum(i) != sha1.Sum(whole[i]) {
					t.Errorf("%s: piece %d of %d bytes is wrong", k.name, i, len(whole[i]))
				}
			}
		}
	})
}

// A kernel that is wrong, or does not get on with crypto/sha1, is not chosen.
func TestChoose(t *testing.T) {
	idle := kernel{"idle", 1, func(*lanes, *[Lanes]*byte, int) {}}
	if k := choose([]kernel{idle}); k.name != none.name {
		t.Errorf("chose %s", k.name)
	}
	if all := kernels(); len(all) > 0 {
		if k := choose(append([]kernel{idle}, all...)); k.name != all[0].name {
			t.Errorf("chose %s, not %s", k.name, all[0].name)
		}
	}
}

func pieces(n, size int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = bytes.Repeat([]byte{byte(i + 1)}, size)
	}
	return all
}

// Pieces of 16 KiB blocks, as they are downloaded.
func BenchmarkHasher(b *testing.B) {
	const block = 16 << 10
	for _, k := range append(kernels(), none) {
		for _, size := range []int{64 << 10, 1 << 20} {
			for _, n := range []int{1, 2, 3, 4, 5, 6, Lanes} {
				b.Run(fmt.Sprintf("%s/%dKiB/%d", k.name, size>>10, n), func(b *testing.B) {
					h := newHasher(k)
					all := pieces(n, size)
					blocks := make([][]byte, n)
					b.SetBytes(int64(n * size))
					for b.Loop() {
						h.Reset()
						for at := 0; at < size; at += block {
							for i := range blocks {
								blocks[i] = all[i][at : at+block]
							}
							h.Write(blocks...)
						}
						for i := range all {
							h.Sum(i)
						}
					}
				})
			}
		}
	}
}
