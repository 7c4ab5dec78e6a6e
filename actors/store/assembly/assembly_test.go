package assembly

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// Blocks of any length come in any order, more than once, from several peers;
// some are spilled on the way, some dropped. The piece that comes out is made
// of exactly the right bytes, and no buffer is lost or released twice.
func TestAssemblyProperty(t *testing.T) {
	s := storetest.New(t, 40_000, 100_000)
	rapid.Check(t, func(t *rapid.T) {
		pool := buffer.NewPool(100)
		disk := make([]byte, len(s.Content))
		a := New(s.Torrent, pool, bitset.New(uint(s.PieceCount())))

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
		whole := func(p *Piece) {
			if p == nil {
				return
			}
			if wholes[p.Index] {
				t.Fatalf("piece %d is whole twice", p.Index)
			}
			wholes[p.Index] = true
			var got []byte
			for _, b := range p.Blocks {
				off := int64(p.Index)*s.PieceLength + int64(b.Begin)
				if b.Data != nil {
					got = append(got, b.Data.Bytes()...)
				} else {
					got = append(got, disk[off:off+int64(b.Length)]...)
				}
			}
			off := int64(p.Index) * s.PieceLength
			if !bytes.Equal(got, s.Content[off:off+s.PieceSize(p.Index)]) {
				t.Fatalf("piece %d is wrong", p.Index)
			}
			a.Drop(p)
		}

		// again appends all blocks of a piece to those that are to come.
		again := func(piece int) {
			for _, b := range all {
				if int(b.Piece) == piece {
					todo = append(todo, b)
				}
			}
		}

		a.Extend = rapid.Int64Range(0, 3*buffer.Size).Draw(t, "extend")
		var spilling *Piece
		var spilled []Block
		// settle does what a hash worker does with a spill.
		settle := func() {
			for _, b := range spilled {
				copy(disk[int64(spilling.Index)*s.PieceLength+int64(b.Begin):], b.Data.Bytes())
			}
			hashed := extend(t, spilling.Hashed, spilled)
			hash := world.SHA1{}.One()
			_ = hash.UnmarshalBinary(hashed.State)
			off := int64(spilling.Index) * s.PieceLength
			if want := sha1.Sum(s.Content[off : off+hashed.Bytes]); hashed.Bytes > 0 && string(hash.Sum(nil)) != string(want[:]) {
				t.Fatalf("the hash of the first %d bytes of piece %d is wrong", hashed.Bytes, spilling.Index)
			}
			whole(a.Spilled(spilling, spilled, hashed))
			if piece := spilling.Index; spilling.Dropped {
				if !a.Forget(piece) {
					t.Fatalf("piece %d is kept", piece)
				}
				again(piece)
			}
			spilling = nil
		}
		add := func(from messages.PeerKey, b messages.Block) {
			data := pool.Fit(int(b.Length))
			copy(data.Bytes(), s.Bytes(b))
			whole(a.Add(from, messages.StoredBlock{Block: b, Data: data}))
		}
		added := 0
		for ; added < len(todo); added++ {
			b := todo[added]
			add(messages.PeerKey(added%3), b)
			switch rapid.IntRange(0, 9).Draw(t, "spill") {
			case 0:
				if spilling == nil {
					spilling, spilled = a.Spill(nil)
				}
			case 1:
				if spilling == nil {
					spilling, spilled = a.SpillRun(nil)
				}
				if spilling != nil && len(spilled) == 0 {
					t.Fatalf("nothing of piece %d is to be spilled", spilling.Index)
				}
			case 2:
				if spilling != nil {
					settle()
				}
			case 3:
				if added > 3*len(all) {
					break // it has to end
				}
				if piece := int(b.Piece); a.Forget(piece) {
					again(piece)
				} else if !wholes[piece] && (spilling == nil || spilling.Index != piece) {
					t.Fatalf("piece %d is kept", piece)
				}
			}
			memory := int64(0)
			for _, p := range a.pieces {
				memory += p.memory
			}
			if memory != a.Memory {
				t.Fatalf("%d bytes in memory, counted as %d", memory, a.Memory)
			}
		}
		if spilling != nil {
			settle()
			for _, b := range todo[added:] {
				add(9, b)
			}
		}
		if len(wholes) != s.PieceCount() || a.Memory != 0 || pool.Stats().Live != 0 {
			t.Fatalf("%d pieces whole, %d bytes in memory, %d blocks live", len(wholes), a.Memory, pool.Stats().Live)
		}
	})
}

// extend hashes those of the blocks that follow what is hashed of a piece.
func extend(t *rapid.T, p Prefix, blocks []Block) Prefix {
	hash := world.SHA1{}.One()
	if p.Bytes > 0 {
		if err := hash.UnmarshalBinary(p.State); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range blocks {
		if int64(b.Begin) == p.Bytes {
			hash.Write(b.Data.Bytes())
			p.Bytes += int64(b.Length)
		}
	}
	state, err := hash.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Prefix{p.Bytes, state}
}

func TestAssemblyReleasesAllAtItsEnd(t *testing.T) {
	s := storetest.New(t, 40_000, 100_000)
	pool := buffer.NewPool(100)
	a := New(s.Torrent, pool, bitset.New(3))
	for _, piece := range []int{0, 1} {
		for _, b := range s.Blocks(piece)[1:] {
			a.Add(1, messages.StoredBlock{Block: b, Data: pool.Fit(int(b.Length))})
		}
	}
	p, blocks := a.Spill(nil)
	a.Close()
	if live := pool.Stats().Live; live != len(blocks) {
		t.Errorf("%d blocks live, %d are a worker's", live, len(blocks))
	}
	if p.Index != 0 {
		t.Errorf("of two equally full pieces %d is spilled", p.Index)
	}
}

func TestBlameIsBounded(t *testing.T) {
	b := NewBlame()
	blocks, sums := make([]Block, maxSuspects/2), make([]metainfo.Hash, maxSuspects/2)
	for piece := range 5 {
		b.Record(piece, blocks, sums)
		b.Record(piece, blocks[:1], sums)
	}
	if b.total > maxSuspects || len(b.order) != len(b.suspects) || b.Suspected(0) || !b.Suspected(4) {
		t.Errorf("%d blocks of pieces %v", b.total, b.order)
	}
	b.Record(9, make([]Block, maxSuspects+1), nil)
	if b.Suspected(9) {
		t.Error("a piece with more blocks than may be remembered is remembered")
	}
	for _, piece := range slices.Clone(b.order) {
		b.Settle(piece, nil, nil)
	}
	if b.total != 0 || len(b.order) != 0 {
		t.Errorf("%d blocks of pieces %v are left", b.total, b.order)
	}
}
