package web

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"kouzui/messages"
	"kouzui/wire/buffer"
)

// Blocks are made of what several files bring, and of zeros where there is
// padding.
func TestBlocksOfSeveralFiles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lengths := rapid.SliceOfN(rapid.Int64Range(0, 70*kib), 1, 6).Draw(r, "lengths")
		lengths = append(lengths, -rapid.Int64Range(1, 70*kib).Draw(r, "padding"), rapid.Int64Range(1, 70*kib).Draw(r, "last"))
		torrent := torrentOf(t, rapid.Int64Range(9*kib, 64*kib).Draw(r, "piece length"), lengths...)
		content := make([]byte, torrent.Length)
		for _, f := range torrent.Files {
			for i := f.Offset; i < f.Offset+f.Length && !f.Padding; i++ {
				content[i] = byte(i%251) + 1
			}
		}
		var run []messages.Block
		for piece := range uint32(torrent.PieceCount()) {
			run = append(run, blocksOf(torrent, piece)...)
		}
		first := rapid.IntRange(0, len(run)-1).Draw(r, "first")
		run = run[first:]
		pool := buffer.NewPool(4)
		f := newTransfer(torrent, run)
		for {
			asked, more := f.next(pool)
			if !more {
				break
			}
			file := torrent.Files[f.spans[0].File]
			if file.Padding || asked.Size != file.Length || asked.Offset+asked.Length() > file.Length {
				r.Fatalf("it asks for %+v of %+v", asked, file)
			}
			at := file.Offset + asked.Offset
			for _, n := range asked.Chunks {
				b := pool.Get()
				b.SetLen(n)
				copy(b.Bytes(), content[at:])
				at += int64(n)
				f.take(b)
			}
			f.rangeDone()
		}
		if len(f.stored) != len(run) || f.partial != nil || f.wasted > 0 {
			r.Fatalf("%d blocks of %d", len(f.stored), len(run))
		}
		for i, got := range f.stored {
			at := int64(run[i].Piece)*torrent.PieceLength + int64(run[i].Begin)
			if got.Block != run[i] || !bytes.Equal(got.Data.Bytes(), content[at:at+int64(run[i].Length)]) {
				r.Fatalf("block %v is wrong", got.Block)
			}
			got.Data.Release()
		}
	})
}
