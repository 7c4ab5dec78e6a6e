package store

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Blocks of any length, in any order, more than once, from several peers, some
// of them spilled on the way, some dropped: the piece that comes out is made of exactly the
// right bytes, and no buffer is lost or released twice.
func TestAssemblyProperty(t *testing.T) {
	s := newSample(t, 40_000, 100_000)
	rapid.Check(t, func(t *rapid.T) {
		pool := buffer.NewPool(100)
		disk := make([]byte, len(s.content))
		a := newAssembly(s.Torrent, pool, bitset.New(uint(s.PieceCount())))

		var todo []messages.Block
		for piece := range s.PieceCount() {
			size := uint32(s.PieceSize(piece))
			for begin := uint32(0); begin < size; {
				length := min(size-begin, uint32(rapid.IntRange(1, buffer.Size).Draw(t, "length")))
				todo = append(todo, messages.Block{Piece: uint32(piece), Begin: begin, Length: length})
				begin += length
			}
		}
		all := slices.Clone(todo)
		twice := rapid.SliceOf(rapid.SampledFrom(todo)).Draw(t, "twice")
		todo = rapid.Permutation(append(todo, twice...)).Draw(t, "order")

		wholes := map[int]bool{}
		whole := func(p *partial) {
			if p == nil {
				return
			}
			if wholes[p.piece] {
				t.Fatalf("piece %d is whole twice", p.piece)
			}
			wholes[p.piece] = true
			var got []byte
			for _, b := range p.blocks {
				off := int64(p.piece)*s.PieceLength + int64(b.begin)
				if b.data != nil {
					got = append(got, b.data.Bytes()...)
				} else {
					got = append(got, disk[off:off+int64(b.length)]...)
				}
			}
			off := int64(p.piece) * s.PieceLength
			if !bytes.Equal(got, s.content[off:off+s.PieceSize(p.piece)]) {
				t.Fatalf("piece %d is wrong", p.piece)
			}
			a.drop(p)
		}

		// again has all of a piece come again.
		again := func(piece int) {
			for _, b := range all {
				if int(b.Piece) == piece {
					todo = append(todo, b)
				}
			}
		}

		a.extend = rapid.Int64Range(0, 3*buffer.Size).Draw(t, "extend")
		var spilling *partial
		var spilled []held
		// settle does what a worker does with a spill.
		settle := func() {
			for _, b := range spilled {
				copy(disk[int64(spilling.piece)*s.PieceLength+int64(b.begin):], b.data.Bytes())
			}
			j := &job{blocks: spilled}
			j.startFrom(spilling.hashed)
			w := worker{job: j, blocks: spilled, hash: world.SHA1{}.One()}
			w.extend()
			off := int64(spilling.piece) * s.PieceLength
			if w.sum = sha1.Sum(s.content[off : off+j.prefix.bytes]); string(w.hash.Sum(nil)) != string(w.sum[:]) {
				t.Fatalf("the hash of the first %d bytes of piece %d is wrong", j.prefix.bytes, spilling.piece)
			}
			whole(a.spilled(spilling, spilled, j.prefix))
			if piece := spilling.piece; spilling.dropped {
				if !a.forget(piece) {
					t.Fatalf("piece %d is kept", piece)
				}
				again(piece)
			}
			spilling = nil
		}
		add := func(from messages.PeerKey, b messages.Block) {
			data := pool.Fit(int(b.Length))
			copy(data.Bytes(), s.bytes(b))
			whole(a.add(from, messages.StoredBlock{Block: b, Data: data}))
		}
		added := 0
		for ; added < len(todo); added++ {
			b := todo[added]
			add(messages.PeerKey(added%3), b)
			switch rapid.IntRange(0, 9).Draw(t, "spill") {
			case 0:
				if spilling == nil {
					spilling, spilled = a.spill(nil)
				}
			case 1:
				if spilling == nil {
					spilling, spilled = a.nextLong(nil)
				}
				if spilling != nil && len(spilled) == 0 {
					t.Fatalf("nothing of piece %d is to be spilled", spilling.piece)
				}
			case 2:
				if spilling != nil {
					settle()
				}
			case 3:
				if added > 3*len(all) {
					break // it has to end
				}
				if piece := int(b.Piece); a.forget(piece) {
					again(piece)
				} else if !wholes[piece] && (spilling == nil || spilling.piece != piece) {
					t.Fatalf("piece %d is kept", piece)
				}
			}
			memory := int64(0)
			for _, p := range a.partials {
				memory += p.memory
			}
			if memory != a.memory {
				t.Fatalf("%d bytes in memory, counted as %d", memory, a.memory)
			}
		}
		if spilling != nil {
			settle()
			for _, b := range todo[added:] {
				add(9, b)
			}
		}
		if len(wholes) != s.PieceCount() || a.memory != 0 || pool.Stats().Live != 0 {
			t.Fatalf("%d pieces whole, %d bytes in memory, %d blocks live", len(wholes), a.memory, pool.Stats().Live)
		}
	})
}

func TestAssemblyReleasesAllAtItsEnd(t *testing.T) {
	s := newSample(t, 40_000, 100_000)
	pool := buffer.NewPool(100)
	a := newAssembly(s.Torrent, pool, bitset.New(3))
	for _, piece := range []int{0, 1} {
		for _, b := range s.blocks(piece)[1:] {
			a.add(1, messages.StoredBlock{Block: b, Data: pool.Fit(int(b.Length))})
		}
	}
	p, blocks := a.spill(nil)
	a.close()
	if live := pool.Stats().Live; live != len(blocks) {
		t.Errorf("%d blocks live, %d are a worker's", live, len(blocks))
	}
	if p.piece != 0 {
		t.Errorf("of two equally full pieces %d is spilled", p.piece)
	}
}

func TestBlameIsBounded(t *testing.T) {
	b := newBlame()
	blocks, sums := make([]held, maxSuspects/2), make([]metainfo.Hash, maxSuspects/2)
	for piece := range 5 {
		b.record(piece, blocks, sums)
		b.record(piece, blocks[:1], sums)
	}
	if b.total > maxSuspects || len(b.order) != len(b.suspects) || b.suspected(0) || !b.suspected(4) {
		t.Errorf("%d blocks of pieces %v", b.total, b.order)
	}
	b.record(9, make([]held, maxSuspects+1), nil)
	if b.suspected(9) {
		t.Error("a piece with more blocks than may be remembered is remembered")
	}
	for _, piece := range slices.Clone(b.order) {
		b.settle(piece, nil, nil)
	}
	if b.total != 0 || len(b.order) != 0 {
		t.Errorf("%d blocks of pieces %v are left", b.total, b.order)
	}
}

func exampleJournal(t *metainfo.Torrent) journal {
	j := journal{stamps: make([]messages.Stamp, len(t.Files)), verified: bitset.New(uint(t.PieceCount()))}
	for i := range j.stamps {
		j.stamps[i] = messages.Stamp{Size: t.Files[i].Length, Modified: int64(i) << 40, Changed: int64(i) << 41}
	}
	j.stamps[0] = absent
	for i := uint(0); i < uint(t.PieceCount()); i += 3 {
		j.verified.Set(i)
	}
	return j
}

func TestJournal(t *testing.T) {
	s := newSample(t, 1000, 20_000, 0, 2500)
	want := exampleJournal(s.Torrent)
	raw := want.encode(s.Torrent)
	if len(raw) != journalSize(s.Torrent) {
		t.Errorf("%d bytes, said to be %d", len(raw), journalSize(s.Torrent))
	}
	got, err := decodeJournal(s.Torrent, raw)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.stamps, want.stamps) || !got.verified.Equal(want.verified) {
		t.Error(cmp.Diff(got.verified, want.verified))
	}
	for i := range raw {
		broken := slices.Clone(raw)
		broken[i] ^= 4
		if _, err := decodeJournal(s.Torrent, broken); err == nil {
			t.Errorf("a wrong byte %d goes unnoticed", i)
		}
		if _, err := decodeJournal(s.Torrent, raw[:i]); err == nil {
			t.Errorf("%d bytes are taken for all of it", i)
		}
	}
}

// No bytes, even with a right sum, make decodeJournal panic or take what encode
// would not write.
func FuzzJournal(f *testing.F) {
	s := newSample(f, 1000, 20_000, 0, 2500)
	raw := exampleJournal(s.Torrent).encode(s.Torrent)
	f.Add(raw[:len(raw)-sha1.Size])
	f.Add([]byte(journalMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha1.Sum(body)
		raw := append(slices.Clone(body), sum[:]...)
		j, err := decodeJournal(s.Torrent, raw)
		if err == nil && !bytes.Equal(j.encode(s.Torrent), raw) {
			t.Errorf("%x is taken for %x", raw, j.encode(s.Torrent))
		}
		if _, err := decodeJournal(s.Torrent, body); err == nil && !bytes.HasPrefix(body, []byte(journalMagic)) {
			t.Error("taken without its head")
		}
	})
}

func TestRoomNeeded(t *testing.T) {
	s := newSample(t, 1000, 1500, 0, 2500)
	have := bitset.New(4)
	f := &found{blocks: make([]int64, 3)}
	for _, step := range []struct {
		have   int
		blocks []int64
		want   int64
	}{
		{-1, []int64{0, 0, 0}, 4000},
		{0, []int64{0, 0, 0}, 3000},        // verified, on a file system that compresses
		{-1, []int64{4096, 0, 1000}, 1500}, // occupied more than it needs, and in part
		{1, []int64{4096, 0, 1000}, 1500},
		{2, []int64{0, 0, 0}, 1000},
		{3, []int64{0, 0, 0}, 0},
	} {
		if step.have >= 0 {
			have.Set(uint(step.have))
		}
		f.blocks = step.blocks
		if got := f.missing(s.Torrent, have); got != step.want {
			t.Errorf("%+v: %d bytes", step, got)
		}
	}
}
