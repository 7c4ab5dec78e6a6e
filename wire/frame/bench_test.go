package frame

import (
	"bytes"
	"testing"

	"kouzui/wire/buffer"
)

// run is how many Piece frames a run of reads brings.
const run = 64

// streams are the cases that cost differently.
func streams() []stream {
	block := appendPiece(nil, 1, 0, payload(buffer.Size, 1))
	return []stream{
		{"aligned", bytes.Repeat(block, run), Options{}},
		// A Have before each block: the guess fails at once, and every payload has to
		// be copied.
		{"misaligned", bytes.Repeat(join(AppendHeader(nil, Frame{Kind: Have}), block), run), Options{}},
		{"flat", bytes.Repeat(block, run), Options{Flat: true}},
	}
}

type stream struct {
	name  string
	bytes []byte
	opts  Options
}

// reader returns a function that takes the stream once through a decoder and
// releases the blocks. Its copy into the offered slices stands for the
// kernel's; what else it costs is the decoder's. The first call is made
// already: it fills the pool.
func (s stream) reader(tb testing.TB) func() {
	d := NewDecoder(buffer.NewPool(2*run), Limits{}, s.opts)
	tb.Cleanup(d.Close)
	var frames []Frame
	read := func() {
		for rest := s.bytes; len(rest) > 0; {
			n := 0
			for _, p := range d.Buffers(run) {
				k := copy(p, rest)
				rest, n = rest[k:], n+k
			}
			frames, _ = d.Advance(n, frames[:0])
			for _, f := range frames {
				if f.Block != nil {
					f.Block.Release()
				}
			}
		}
	}
	read()
	return read
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	for _, s := range streams() {
		if n := testing.AllocsPerRun(10, s.reader(t)); n != 0 {
			t.Errorf("%s: %v allocations for %d blocks", s.name, n, run)
		}
	}
}

// BenchmarkDecoder takes 64 MiB of payload an operation, in reads of about 1
// MiB.
func BenchmarkDecoder(b *testing.B) {
	const total = 64 << 20
	for _, s := range streams() {
		b.Run(s.name, func(b *testing.B) {
			read := s.reader(b)
			b.ReportAllocs()
			b.SetBytes(total)
			for b.Loop() {
				for range total / (run * buffer.Size) {
					read()
				}
			}
		})
	}
}

// BenchmarkAppendHeader is what a window of requests costs to write.
func BenchmarkAppendHeader(b *testing.B) {
	const window = 256
	dst := make([]byte, 0, window*maxHead)
	b.ReportAllocs()
	for b.Loop() {
		dst = dst[:0]
		for i := range uint32(window) {
			dst = AppendHeader(dst, Frame{Kind: Request, Index: 1, Begin: i * buffer.Size, Length: buffer.Size})
		}
	}
}
