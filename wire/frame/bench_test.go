package frame

import (
	"bytes"
	"testing"

	"kouzui/wire/buffer"
)

// BenchmarkDecoder takes 64 MiB of payload a round, 1 MiB a read, released as it comes. The copy into the offered
// slices stands for the kernel's; what remains of the time is the decoder's.
func BenchmarkDecoder(b *testing.B) {
	const blocks = 64
	block := appendPiece(nil, 1, 0, payload(buffer.Size, 1))
	aligned := bytes.Repeat(block, blocks)
	// A Have before each block: the guess fails at once, and every payload has to be copied.
	misaligned := bytes.Repeat(join(AppendHeader(nil, Frame{Kind: Have}), block), blocks)
	for _, bc := range []struct {
		name   string
		stream []byte
		opts   Options
	}{
		{"aligned", aligned, Options{}},
		{"misaligned", misaligned, Options{}},
		{"flat", aligned, Options{Flat: true}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			pool := buffer.NewPool(2 * blocks)
			d := NewDecoder(pool, Limits{}, bc.opts)
			defer d.Close()
			var frames []Frame
			round := func() {
				for range (64 << 20) / (blocks * buffer.Size) {
					for rest := bc.stream; len(rest) > 0; {
						n := 0
						for _, p := range d.Buffers(blocks) {
							k := copy(p, rest)
							rest, n = rest[k:], n+k
						}
						frames, _ = d.Advance(n, frames[:0])
						for i := range frames {
							if frames[i].Block != nil {
								frames[i].Block.Release()
							}
						}
					}
				}
			}
			round() // fills the pool
			b.ReportAllocs()
			b.SetBytes(64 << 20)
			for b.Loop() {
				round()
			}
		})
	}
}
