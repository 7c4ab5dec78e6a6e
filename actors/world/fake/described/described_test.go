package described

import (
	"testing"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Blocks whose memory overlaps keep their own content, whatever their length.
func TestBlocksHoldTheirOwn(t *testing.T) {
	var m Memory
	pool := m.Pool(0)
	var blocks []*buffer.Block
	holds := func(i int) What {
		switch i % 3 {
		case 0:
			return Content(int64(i) * buffer.Size)
		case 1:
			return Other(uint64(i))
		}
		return Zeros
	}
	for i := range 2*slots + 1 {
		blocks = append(blocks, pool.Fit(1+i%buffer.Size))
		Put(blocks[i].Bytes(), holds(i))
	}
	for i, b := range blocks {
		if got := Get(b.Bytes()); got != holds(i) {
			t.Fatalf("block %d holds %x, not %x", i, got, holds(i))
		}
	}
	b := blocks[0].Bytes()
	b[0] ^= 1
	if _, is := Get(b).Offset(); is || Get(b) == Zeros {
		t.Error("a block that was tampered with counts as content")
	}
}

func TestPages(t *testing.T) {
	b := make([]byte, buffer.Size)
	for _, w := range []What{Content(0), Content(buffer.Size * 7), Zeros, Other(1)} {
		var pages []What
		for i := range buffer.Size / PageSize {
			pages = append(pages, w.Page(i))
		}
		if Whole(pages) != w {
			t.Errorf("the pages of %x make %x", w, Whole(pages))
		}
		Put(b, w)
		if Get(b) != w {
			t.Errorf("%x is read as %x", w, Get(b))
		}
		for i := range pages {
			torn := append([]What(nil), pages...)
			torn[i] = Content(1 << 40).Page(i)
			if got := Whole(torn); got == w || got&odd == 0 {
				t.Errorf("%x with page %d torn makes %x", w, i, got)
			}
		}
	}
}

func torrent(t *testing.T, length, piece int64) *metainfo.Torrent {
	var sums []byte
	for i := range (length + piece - 1) / piece {
		sums = append(sums, append(make([]byte, 19), byte(i+1))...)
	}
	raw, err := metainfo.Encode(metainfo.Spec{Name: "content", Single: true, PieceLength: piece, Pieces: sums,
		Files: []metainfo.FileSpec{{Path: []string{"content"}, Length: length}}})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// The blocks of a piece have its hash only if they are all there, each once, in
// order.
func TestDigest(t *testing.T) {
	const piece = 3 * buffer.Size
	meta := torrent(t, 2*piece+5, piece)
	d := Digest{meta}
	blocks := func(offs ...int64) (all [][]byte) {
		for _, off := range offs {
			b := make([]byte, min(buffer.Size, meta.Length-off), buffer.Size)
			Put(b, Content(off))
			all = append(all, b)
		}
		return all
	}
	const k = buffer.Size
	for _, c := range []struct {
		name   string
		blocks [][]byte
		piece  int // negative: none
	}{
		{"the first", blocks(0, k, 2*k), 0},
		{"the second", blocks(3*k, 4*k, 5*k), 1},
		{"the last", blocks(6 * k), 2},
		{"one that lacks a block", blocks(0, k), -1},
		{"one with a block more", blocks(0, k, 2*k, 3*k), -1},
		{"one out of order", blocks(k, 0, 2*k), -1},
		{"one with a block twice", blocks(0, k, k), -1},
		{"one between two pieces", blocks(k, 2*k, 3*k), -1},
		{"nothing", nil, -1},
		{"zeros", [][]byte{make([]byte, k), make([]byte, k), make([]byte, k)}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, many := d.One(), d.Many()
			for _, b := range c.blocks {
				state, err := one.AppendBinary(nil)
				if err != nil {
					t.Fatal(err)
				}
				one = d.One()
				if err := one.UnmarshalBinary(state); err != nil {
					t.Fatal(err)
				}
				_, _ = one.Write(b)
				if state, err = many.AppendState(1, nil); err != nil {
					t.Fatal(err)
				}
				many = d.Many()
				if err := many.Resume(1, 0, state); err != nil {
					t.Fatal(err)
				}
				many.Write(nil, b)
			}
			sum := metainfo.Hash(one.Sum(nil))
			if other := metainfo.Hash(many.Sum(1)); other != sum {
				t.Errorf("alone %v, among others %v", sum, other)
			}
			for i := range meta.PieceCount() {
				if (sum == meta.PieceHash(i)) != (i == c.piece) {
					t.Errorf("piece %d: %v", i, sum)
				}
			}
		})
	}
	if a, b := blocks(0), blocks(0); d.Sum(a[0]) != d.Sum(b[0]) || d.Sum(blocks(0)[0]) == d.Sum(blocks(k)[0]) {
		t.Error("sums do not tell blocks apart")
	}
	if d.Blank(blocks(0)[0]) || !d.Blank(make([]byte, k)) {
		t.Error("blank is not what is zeros")
	}
}

var _ world.Digest = Digest{}
