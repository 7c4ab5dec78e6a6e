package store

import (
	"fmt"
	"slices"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// block is the length of a block in bytes.
const block = buffer.Size

// padded is a torrent of three files and padding: of the end of a piece, of
// three whole pieces, and of a part of a block.
func padded(t *testing.T) *storetest.Sample {
	return storetest.Padded(t, 4*block, block+1, -(3*block - 1), 5*block, -(15 * block), 4*block-3, -3)
}

// content is the blocks of a piece but those that are wholly padding.
func content(s *storetest.Sample, piece int) (blocks []messages.Block) {
	for _, b := range s.Blocks(piece) {
		if slices.ContainsFunc(s.Bytes(b), func(b byte) bool { return b != 0 }) {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// The store needs no block that is wholly padding, and writes none. A piece of
// nothing else is there from the start. Both are served, and are right in a
// check, also without a journal.
func TestPadding(t *testing.T) {
	for _, memory := range []int64{32 << 20, 2 * block} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			w := newWorld()
			s := padded(t)
			r := newRig(t, w.World(), s, "/d", func(c *Config) { c.Memory = memory })
			if ready := await[*messages.StoreReady](r); ready.Have.Count() != 3 || ready.Complete {
				t.Errorf("at the start there is %v", ready.Have)
			}
			r.wantContent(s.Blocks(4)...)
			for i := range s.PieceCount() {
				r.send(1, nil, content(s, i)...)
			}
			await[*messages.StoreFinished](r)
			r.want(w.Disk, "/d", "data")
			folder, _ := w.Disk.OpenFolder("/d")
			if names, err := folder.ReadDir("data"); len(names) != 3 {
				t.Errorf("there are %q, %v", names, err)
			}
			for i := range s.PieceCount() {
				r.wantContent(s.Blocks(i)...)
			}
			r.stop()
			r.wantNoBlocks()
			again := newRig(t, w.World(), s, "/d", func(c *Config) { c.Check = messages.CheckFull })
			if ready := await[*messages.StoreReady](again); !ready.Complete || ready.Checked != s.PieceCount() {
				t.Errorf("%+v", ready)
			}
		})
	}
}

// Partial data goes on from its journal, with the pieces of padding; and these
// do not prove that a stranger's data is the torrent's.
func TestPaddingAfterAnInterruption(t *testing.T) {
	w := newWorld()
	s := padded(t)
	r := begun(t, w.World(), s)
	r.send(1, nil, content(s, 0)...)
	await[*messages.PieceVerified](r)
	if err := r.flush(); err != nil {
		t.Error(err)
	}
	r.stop()
	again := newRig(t, w.World(), s, "/d")
	if ready := await[*messages.StoreReady](again); ready.Have.Count() != 4 || ready.Checked != 0 {
		t.Errorf("there is %v, %d checked", ready.Have, ready.Checked)
	}
	again.stop()

	// A journal of the same torrent, beside what is not the torrent's.
	from, err := w.Disk.OpenFolder("/d")
	ok(t, err)
	journal, err := from.ReadFile(s.JournalName(), 1<<20)
	ok(t, err)
	place(t, s, w.Disk, "/e", "data.part", func(content []byte) {
		for i := range content {
			content[i] = 'x'
		}
	})
	to, err := w.Disk.OpenFolder("/e")
	ok(t, err)
	ok(t, to.WriteFile(s.JournalName(), journal))
	stranger := newRig(t, w.World(), s, "/e")
	for m := range stranger.heard {
		if failed, is := m.(*messages.StoreFailed); is && failed.Fatal {
			break
		}
		if _, is := m.(*messages.StoreReady); is {
			t.Fatal("a stranger's data is taken over")
		}
	}
}

// A torrent of nothing but padding is complete at once.
func TestNothingButPadding(t *testing.T) {
	w := newWorld()
	s := storetest.Padded(t, 4*block, -9*block)
	r := newRig(t, w.World(), s, "/d")
	await[*messages.StoreFinished](r)
}

// Padding that is not zeros (the torrent's maker made a mistake) is asked for
// in the end, and no peer is to blame.
func TestPaddingThatIsNotZeros(t *testing.T) {
	s := padded(t)
	for i := 2 * block; i < 3*block; i++ {
		s.Content[i] = 'x'
	}
	for i := 16 * block; i < 20*block; i++ { // a whole piece of it
		s.Content[i] = 'x'
	}
	spec := metainfo.Spec{Name: "data", PieceLength: s.PieceLength}
	for _, f := range s.Files {
		spec.Files = append(spec.Files, metainfo.FileSpec{Path: f.Path, Length: f.Length, Padding: f.Padding})
	}
	s.Name(t, spec)
	r := begun(t, newWorld().World(), s)
	r.send(1, nil, s.Blocks(0)[:2]...)
	if m := await[*messages.PieceCorrupt](r); !slices.Equal(m.Contributors, []messages.PeerKey{messages.Nobody, 1}) {
		t.Errorf("contributors are %d", m.Contributors)
	}
	r.send(1, nil, s.Blocks(0)...)
	if m := await[*messages.PieceVerified](r); m.Piece != 0 {
		t.Errorf("piece %d is right", m.Piece)
	}
	r.send(1, nil, s.Blocks(4)...)
	if m := await[*messages.PieceVerified](r); m.Piece != 4 {
		t.Errorf("piece %d is right", m.Piece)
	}
}
