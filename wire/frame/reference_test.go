package frame

import (
	"encoding/binary"
	"math/bits"

	"kouzui/wire/buffer"
)

// plain is a frame with its content copied out, so that frames can be compared.
type plain struct {
	Kind                 Kind
	Index, Begin, Length uint32
	Bits, Payload        string
}

// take copies a frame out and releases its block, as an owner does.
func take(f Frame) plain {
	p := plain{Kind: f.Kind, Index: f.Index, Begin: f.Begin, Length: f.Length, Bits: string(f.Bits)}
	if f.Block != nil {
		p.Payload = string(f.Block.Bytes())
		f.Block.Release()
	}
	return p
}

// refer decodes a stream that is there as a whole, in the most obvious way, and
// tells whether a peer may send it.
func refer(stream []byte, limits Limits) (frames []plain, valid bool) {
	u32 := func(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
	for {
		if len(stream) < 4 {
			return frames, true
		}
		length := u32(stream)
		if length == 0 {
			frames = append(frames, plain{Kind: KeepAlive})
			stream = stream[4:]
			continue
		}
		if len(stream) < 5 {
			return frames, true
		}
		f := plain{Kind: Kind(stream[4])}
		ok := false
		switch f.Kind {
		case Choke, Unchoke, Interested, NotInterested, HaveAll, HaveNone:
			ok = length == 1
		case Have, Suggest, AllowedFast:
			ok = length == 5
		case Request, Cancel, Reject:
			ok = length == 13
		case Port:
			ok = length == 3
		case Piece:
			ok = length >= 9 && length <= uint32(9+limits.MaxBlock)
		case Bitfield:
			ok = int(length) == 1+(limits.Pieces+7)/8
			if limits.Pieces == 0 {
				ok = length <= 1+256<<10
			}
		case Extended:
			ok = length >= 2 && int(length) <= 2+limits.Extended
			if limits.Extended == 0 {
				ok = length <= 1+1<<20
			}
		default:
			ok = length <= 1+1<<20
		}
		if !ok {
			return frames, false
		}
		if uint64(len(stream)) < 4+uint64(length) {
			return frames, true
		}
		b := stream[5 : 4+length]
		stream = stream[4+length:]
		switch f.Kind {
		case Choke, Unchoke, Interested, NotInterested, HaveAll, HaveNone:
		case Have, Suggest, AllowedFast:
			f.Index = u32(b)
		case Request, Cancel, Reject:
			f.Index, f.Begin, f.Length = u32(b), u32(b[4:]), u32(b[8:])
		case Port:
			f.Index = uint32(binary.BigEndian.Uint16(b))
		case Piece:
			f.Index, f.Begin, f.Length, f.Payload = u32(b), u32(b[4:]), uint32(len(b)-8), string(b[8:])
		case Bitfield:
			f.Bits = string(b)
			set := 0
			for _, x := range b {
				set += bits.OnesCount8(x)
			}
			for i := range limits.Pieces {
				if HasBit(b, i) {
					set--
				}
			}
			if limits.Pieces > 0 && set != 0 {
				return frames, false
			}
		case Extended:
			if limits.Extended == 0 {
				f.Length = uint32(len(b))
			} else {
				f.Index, f.Bits = uint32(b[0]), string(b[1:])
			}
		default:
			f.Length = uint32(len(b))
		}
		frames = append(frames, f)
	}
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// read is one turn of the loop that a connection's reader runs: how much it
// expects, and how much it gets at most.
type read struct{ expect, n int }

// deliver fills what the decoder offers with up to r.n bytes of stream and
// returns the rest of the stream.
func deliver(t fataler, d *Decoder, r read, stream []byte, out []Frame) ([]byte, []Frame, error) {
	t.Helper()
	if r.n%2 == 0 {
		d.Rest() // as when nothing came for a while
	}
	n := 0
	for i, b := range d.Buffers(r.expect) {
		if len(b) == 0 {
			t.Fatalf("Buffers(%d) offers an empty slice at %d", r.expect, i)
		}
		if i >= 1024 {
			t.Fatalf("Buffers(%d) offers more slices than readv takes", r.expect)
		}
		k := copy(b[:min(len(b), r.n-n)], stream)
		stream, n = stream[k:], n+k
	}
	out, err := d.Advance(n, out)
	return stream, out, err
}

// decode runs a stream through a decoder, one read after the other, and sees
// that it leaks no block.
func decode(t fataler, stream []byte, limits Limits, opts Options, next func() read) ([]plain, error) {
	t.Helper()
	pool := buffer.NewPool(8)
	d := NewDecoder(pool, limits, opts)
	var got []plain
	var frames []Frame
	var err error
	for len(stream) > 0 && err == nil {
		stream, frames, err = deliver(t, d, next(), stream, frames[:0])
		for _, f := range frames {
			got = append(got, take(f))
		}
	}
	d.Close()
	if live := pool.Stats().Live; live != 0 {
		t.Fatalf("%d blocks are still owned after Close", live)
	}
	return got, err
}
