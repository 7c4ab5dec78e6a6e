package frame

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/wire/buffer"
)

// payload is n bytes that differ from block to block.
func payload(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// appendPiece appends a whole Piece frame.
func appendPiece(dst []byte, index, begin uint32, data []byte) []byte {
	dst = AppendHeader(dst, Frame{Kind: Piece, Index: index, Begin: begin, Length: uint32(len(data))})
	return append(dst, data...)
}

// anyFrame draws the wire form of a frame that the limits allow.
func anyFrame(t *rapid.T, limits Limits) []byte {
	u32 := func(name string) uint32 { return rapid.Uint32().Draw(t, name) }
	kinds := []Kind{
		Piece, Piece, Piece, Piece, Have, Bitfield, Request, Cancel, KeepAlive, Extended, Choke, Unchoke, Interested,
		NotInterested, Port, Suggest, HaveAll, HaveNone, Reject, AllowedFast, 99,
	}
	f := Frame{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Index: u32("index")}
	switch f.Kind {
	case Piece:
		sizes := rapid.OneOf(rapid.Just(buffer.Size), rapid.Just(buffer.Size), rapid.IntRange(0, buffer.Size))
		n := min(sizes.Draw(t, "block"), limits.MaxBlock)
		return appendPiece(nil, f.Index, u32("begin"), payload(n, uint64(f.Index)))
	case Bitfield:
		f.Bits = make([]byte, (limits.Pieces+7)/8)
		for i := range limits.Pieces {
			f.Bits[i/8] |= byte(i*i%3&1) << (7 - i%8)
		}
	case Extended:
		f.Bits = payload(rapid.IntRange(0, limits.Extended).Draw(t, "extended"), 1)
	case 99:
		n := rapid.IntRange(0, 20<<10).Draw(t, "unknown")
		b := append([]byte{0, 0, byte((n + 1) >> 8), byte(n + 1)}, 99)
		return append(b, payload(n, 2)...)
	}
	f.Begin, f.Length = u32("begin"), u32("length")
	return AppendHeader(nil, f)
}

func TestDecoderAgreesWithReferenceHoweverTheStreamIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{
			Pieces:   rapid.IntRange(0, 100).Draw(t, "pieces"),
			MaxBlock: rapid.SampledFrom([]int{1000, buffer.Size}).Draw(t, "max block"),
			Extended: rapid.SampledFrom([]int{0, 300}).Draw(t, "max extended"),
		}
		var stream []byte
		for range rapid.IntRange(0, 20).Draw(t, "frames") {
			stream = append(stream, anyFrame(t, limits)...)
		}
		if damage := rapid.IntRange(0, 4*len(stream)).Draw(t, "damage"); damage < len(stream) {
			stream[damage] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		stream = stream[:len(stream)-rapid.IntRange(0, min(len(stream), 2*buffer.Size)).Draw(t, "missing")]
		opts := Options{Flat: rapid.Bool().Draw(t, "flat")}
		sizes := rapid.OneOf(rapid.IntRange(1, 30), rapid.IntRange(1, 3*buffer.Size), rapid.Just(1<<30))
		got, err := decode(t, stream, limits, opts, func() read {
			return read{rapid.IntRange(0, 12).Draw(t, "expect"), sizes.Draw(t, "read")}
		})
		agree(t, stream, limits, got, err)
	})
}

func agree(t fataler, stream []byte, limits Limits, got []plain, err error) {
	t.Helper()
	want, valid := refer(stream, limits)
	if valid != (err == nil) {
		t.Fatalf("error %v, but the reference calls the stream valid: %v", err, valid)
	}
	var violation *ProtocolError
	if err != nil && (!errors.As(err, &violation) || strings.ContainsRune(err.Error(), '\n')) {
		t.Fatalf("error is no one-line ProtocolError: %#v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("frames differ from the reference (-want +got):\n%s", diff)
	}
}

func FuzzDecoder(f *testing.F) {
	block := appendPiece(nil, 1, buffer.Size, payload(buffer.Size, 1))
	have := AppendHeader(nil, Frame{Kind: Have, Index: 3})
	f.Add(block, []byte{4, 255, 255}, uint16(10), uint16(0), false)
	f.Add(join(block, have, block, have[:4]), []byte{2, 64, 13, 1, 0, 9}, uint16(0), uint16(0), false)
	f.Add(join(have, appendPiece(nil, 0, 0, []byte("short")), have), []byte{1, 0, 13, 1, 0, 5}, uint16(1), uint16(0), true)
	f.Add([]byte{0, 0, 0, 3, 5, 0xFF, 0xC0}, []byte{}, uint16(10), uint16(0), false)
	f.Add([]byte{0, 0, 0, 6, 20, 1, 'd', 'e', 'e', 'e', 0, 0, 0, 0}, []byte{3, 0, 6}, uint16(10), uint16(100), false)
	f.Add([]byte{0, 0, 0, 5, 13, 0, 0, 0, 1, 0, 0, 0, 1, 14, 0, 0, 0, 1, 15, 0, 0, 0, 5, 17, 0, 0, 0, 2}, []byte{2, 0, 7}, uint16(10), uint16(0), false)
	f.Add([]byte{0, 0, 0, 13, 16, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 64, 0, 0, 0, 0, 2, 16, 0}, []byte{1, 0, 9}, uint16(10), uint16(0), true)
	f.Add([]byte{0, 0, 0, 3, 77, 1, 2, 0, 0, 0, 1, 1}, []byte{1, 0, 6}, uint16(10), uint16(0), false)
	f.Fuzz(func(t *testing.T, stream, plan []byte, pieces, extended uint16, flat bool) {
		limits := Limits{Pieces: int(pieces), MaxBlock: buffer.Size, Extended: int(extended)}
		// The plan is a list of reads, three bytes each; then all that remains comes
		// at once.
		got, err := decode(t, stream, limits, Options{Flat: flat}, func() read {
			if len(plan) < 3 {
				return read{2, len(stream)}
			}
			r := read{int(plan[0]), max(1, int(plan[1])<<8|int(plan[2]))}
			plan = plan[3:]
			return r
		})
		agree(t, stream, limits, got, err)
	})
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// same tells whether two slices begin in the same place.
func same(a, b []byte) bool { return &a[0] == &b[0] }

func TestPayloadStaysWhereItWasRead(t *testing.T) {
	pool := buffer.NewPool(8)
	d := NewDecoder(pool, Limits{Pieces: 10}, Options{})
	defer d.Close()
	bufs := d.Buffers(3)
	var wire []byte
	for i := range 3 {
		wire = appendPiece(wire, uint32(i), 0, payload(buffer.Size, uint64(i)))
	}
	first, second, third := bufs[1], bufs[3], bufs[5]
	wire, frames, err := deliver(t, d, read{3, 2*(pieceHead+buffer.Size) + pieceHead + 100}, wire, nil)
	if err != nil || len(frames) != 2 {
		t.Fatalf("got %d frames, error %v", len(frames), err)
	}
	if !same(frames[0].Block.Bytes(), first) || !same(frames[1].Block.Bytes(), second) {
		t.Error("a payload was moved")
	}
	rest := d.Buffers(1)[0]
	if len(rest) != buffer.Size-100 || !same(rest, third[100:]) {
		t.Errorf("the rest of the third payload is not the first to be read, but %d bytes", len(rest))
	}
	_, frames, _ = deliver(t, d, read{1, 1 << 20}, wire, frames[:0])
	if len(frames) != 1 || !same(frames[0].Block.Bytes(), third) {
		t.Error("the third payload was moved")
	}
}

// A head that ends with a read leaves its payload to the next one, which finds
// a block there.
func TestPayloadAfterACutStaysWhereItWasRead(t *testing.T) {
	for _, cut := range []int{1, 4, 5, 8, 13} {
		d := NewDecoder(buffer.NewPool(8), Limits{}, Options{})
		wire := appendPiece(nil, 0, 0, payload(buffer.Size, 0))
		wire, frames, _ := deliver(t, d, read{1, cut}, wire, nil)
		bufs := d.Buffers(1)
		if cut < pieceHead {
			bufs = bufs[1:]
		}
		place := bufs[0]
		_, frames, err := deliver(t, d, read{1, 1 << 20}, wire, frames)
		if err != nil || len(frames) != 1 || !same(frames[0].Block.Bytes(), place) {
			t.Errorf("cut at %d: payload moved, or lost: %d frames, error %v", cut, len(frames), err)
		}
		d.Close()
	}
}

func TestBuffersAlignAgainAfterADeviation(t *testing.T) {
	block := appendPiece(nil, 0, 0, payload(buffer.Size, 0))
	for name, deviation := range map[string][]byte{
		"have":        AppendHeader(nil, Frame{Kind: Have, Index: 1}),
		"short block": appendPiece(nil, 0, 0, payload(5000, 1)),
		"unknown":     {0, 0, 0, 5, 99, 1, 2, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(buffer.NewPool(8), Limits{}, Options{})
			defer d.Close()
			stream := join(deviation, block, block)
			stream, frames, err := deliver(t, d, read{4, len(deviation) + 1000}, stream, nil)
			if err != nil || len(frames) != 1 {
				t.Fatalf("got %d frames, error %v", len(frames), err)
			}
			bufs := d.Buffers(2)
			if want := len(block) - 1000; len(bufs[0]) != want || len(bufs[1]) != pieceHead {
				t.Errorf("offered %d and %d bytes, want %d and %d", len(bufs[0]), len(bufs[1]), want, pieceHead)
			}
			place := bufs[2]
			_, frames, err = deliver(t, d, read{2, 1 << 20}, stream, nil)
			if err != nil || len(frames) != 2 || !same(frames[1].Block.Bytes(), place) {
				t.Errorf("the block after the deviation was moved, or lost: %d frames, error %v", len(frames), err)
			}
		})
	}
}

// Whatever is being read, the rest of it comes first and a predicted head right
// after it.
func TestBuffersBeginWithTheRestOfTheFrame(t *testing.T) {
	for _, tc := range []struct {
		name string
		sent []byte
		rest int
	}{
		{"request", AppendHeader(nil, Frame{Kind: Request})[:7], 10},
		{"bitfield", []byte{0, 0, 0, 11, 5, 1, 2}, 8},
		{"unknown", []byte{0, 0, 0, 11, 99, 1, 2}, 8},
		{"piece without payload", AppendHeader(nil, Frame{Kind: Piece})[:6], 7},
	} {
		d := NewDecoder(buffer.NewPool(8), Limits{Pieces: 80}, Options{})
		_, frames, _ := deliver(t, d, read{1, 1 << 20}, AppendHeader(nil, Frame{Kind: Choke}), nil)
		if len(frames) != 1 || d.Midway() {
			t.Errorf("%s: midway after a whole frame", tc.name)
		}
		deliver(t, d, read{1, 1 << 20}, tc.sent, nil)
		if !d.Midway() {
			t.Errorf("%s: not midway after %d bytes of it", tc.name, len(tc.sent))
		}
		bufs := d.Buffers(1)
		if len(bufs[0]) != tc.rest {
			t.Errorf("%s: first slice is of %d bytes, want %d", tc.name, len(bufs[0]), tc.rest)
		}
		d.Close()
	}
}

func TestDecoderHoldsNoMoreThanItIsToExpect(t *testing.T) {
	pool := buffer.NewPool(1000)
	d := NewDecoder(pool, Limits{}, Options{})
	for _, tc := range []struct{ expect, live int }{{5, 5}, {7, 7}, {3, 3}, {0, 0}, {-1, 0}, {1 << 30, maxExpect}} {
		d.Buffers(tc.expect)
		if live := pool.Stats().Live; live != tc.live {
			t.Errorf("expecting %d, holds %d blocks, want %d", tc.expect, live, tc.live)
		}
	}
	deliver(t, d, read{3, pieceHead + 1}, appendPiece(nil, 0, 0, payload(buffer.Size, 0)), nil)
	d.Buffers(3)
	if live := pool.Stats().Live; live != 3 {
		t.Errorf("expecting 3 in the midst of one, holds %d blocks", live)
	}
	d.Close()
	if live := pool.Stats().Live; live != 0 {
		t.Errorf("holds %d blocks after Close", live)
	}
	if bufs := d.Buffers(1); len(bufs) != 0 {
		t.Errorf("offers %d slices after Close", len(bufs))
	}
	d.Close()
}

// A peer that sends payload in crumbs must not make each of them cost a block.
func TestCrumbsCostLittle(t *testing.T) {
	const expect = 8
	pool := buffer.NewPool(0)
	d := NewDecoder(pool, Limits{}, Options{})
	defer d.Close()
	stream := bytes.Repeat(appendPiece(nil, 0, 0, []byte{1}), 5000)
	_, frames, err := deliver(t, d, read{expect, len(stream)}, stream, nil)
	if err != nil || len(frames) != 5000 {
		t.Fatalf("got %d frames, error %v", len(frames), err)
	}
	if live := pool.Stats().Live; live > expect {
		t.Errorf("%d blocks of %d bytes for %d bytes of payload", live, buffer.Size, len(frames))
	}
}

func TestViolations(t *testing.T) {
	limits := Limits{Pieces: 10, MaxBlock: 1024}
	for _, tc := range []struct {
		name, text string
		limits     Limits
		wire       []byte
	}{
		{"long choke", "choke frame of 2 bytes, want 1", limits, []byte{0, 0, 0, 2, 0}},
		{"short have", "have frame of 4 bytes, want 5", limits, []byte{0, 0, 0, 4, 4}},
		{"long request", "request frame of 14 bytes, want 13", limits, []byte{0, 0, 0, 14, 6}},
		{"short cancel", "cancel frame of 1 bytes, want 13", limits, []byte{0, 0, 0, 1, 8}},
		{"long port", "port frame of 4 bytes, want 3", limits, []byte{0, 0, 0, 4, 9}},
		{"short suggest", "suggest frame of 4 bytes, want 5", limits, []byte{0, 0, 0, 4, 13}},
		{"long have all", "have all frame of 2 bytes, want 1", limits, []byte{0, 0, 0, 2, 14}},
		{"long have none", "have none frame of 2 bytes, want 1", limits, []byte{0, 0, 0, 2, 15}},
		{"long reject", "reject frame of 14 bytes, want 13", limits, []byte{0, 0, 0, 14, 16}},
		{"long allowed fast", "allowed fast frame of 6 bytes, want 5", limits, []byte{0, 0, 0, 6, 17}},
		{"headless piece", "piece frame of 8 bytes, want 9 to 1033", limits, []byte{0, 0, 0, 8, 7}},
		{"large piece", "piece frame of 1034 bytes, want 9 to 1033", limits, []byte{0, 0, 4, 10, 7}},
		{"huge piece", "piece frame of 4294967295 bytes, want 9 to 16393", Limits{MaxBlock: 1 << 30}, []byte{255, 255, 255, 255, 7}},
		{"short bitfield", "bitfield frame of 2 bytes, want 3", limits, []byte{0, 0, 0, 2, 5}},
		{"spare bit", "bitfield with spare bits set", limits, []byte{0, 0, 0, 3, 5, 0xFF, 0xE0}},
		{"huge bitfield", "bitfield frame of 262146 bytes, want 1 to 262145", Limits{}, []byte{0, 4, 0, 2, 5}},
		{"empty extended", "extended frame of 1 bytes, want 2 to 12", Limits{Extended: 10}, []byte{0, 0, 0, 1, 20}},
		{"long extended", "extended frame of 13 bytes, want 2 to 12", Limits{Extended: 10}, []byte{0, 0, 0, 13, 20}},
		{"huge unknown", "unknown(99) frame of 1048578 bytes, want 1 to 1048577", limits, []byte{0, 16, 0, 2, 99}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := NewDecoder(buffer.NewPool(1), tc.limits, Options{})
			defer d.Close()
			keepAlive := make([]byte, 4)
			rest, frames, err := deliver(t, d, read{1, 1 << 20}, join(keepAlive, tc.wire, keepAlive), nil)
			var violation *ProtocolError
			if !errors.As(err, &violation) || violation.Text != tc.text {
				t.Errorf("got error %v, want %q", err, tc.text)
			}
			if len(frames) != 1 || len(rest) != 0 {
				t.Errorf("got %d frames, want the one before the violation", len(frames))
			}
			if _, again := d.Advance(0, nil); again != err || len(d.Buffers(1)) != 0 {
				t.Errorf("the error is not final: then %v", again)
			}
		})
	}
}

func TestAdvanceRefusesMoreThanWasOffered(t *testing.T) {
	d := NewDecoder(buffer.NewPool(1), Limits{}, Options{})
	defer d.Close()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	d.Advance(1, nil)
}
