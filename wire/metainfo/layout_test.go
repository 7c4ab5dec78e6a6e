package metainfo

import (
	"testing"

	"pgregory.net/rapid"
)

// layout draws a torrent's files, many of them empty, and a piece length of no
// particular kind.
func layout(t *rapid.T) *Torrent {
	tor := &Torrent{PieceLength: rapid.Int64Range(1, 50).Draw(t, "piece length")}
	for _, n := range rapid.SliceOfN(rapid.Int64Range(-20, 100), 1, 30).Draw(t, "lengths") {
		n = max(n, 0)
		tor.Files = append(tor.Files, File{Length: n, Offset: tor.Length})
		tor.Length += n
	}
	tor.pieces = make([]byte, 20*((tor.Length+tor.PieceLength-1)/tor.PieceLength))
	return tor
}

// The spans of any range are what walking the files byte by byte gives.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tor := layout(t)
		off := rapid.Int64Range(-5, tor.Length+5).Draw(t, "offset")
		length := rapid.Int64Range(-5, tor.Length+50).Draw(t, "length")
		at, end := off, min(off+length, tor.Length)
		file := -1
		for _, s := range tor.AppendSpans(nil, off, length) {
			f := tor.Files[s.File]
			if s.File <= file || s.Length <= 0 || s.Offset < 0 || s.Offset+s.Length > f.Length || f.Offset+s.Offset != at {
				t.Fatalf("span %+v of file %+v at %d", s, f, at)
			}
			at += s.Length
			file = s.File
		}
		if off >= 0 && off < end && at != end || (off < 0 || off >= end) && at != off {
			t.Fatalf("spans of [%d,%d) end at %d", off, end, at)
		}
	})
}

// A piece belongs to a file's pieces exactly if one of its spans is in that
// file.
func TestFilePieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tor := layout(t)
		held := make([]map[int]bool, len(tor.Files))
		for i := range held {
			held[i] = make(map[int]bool)
		}
		for p := range tor.PieceCount() {
			for _, s := range tor.AppendPieceSpans(nil, p) {
				held[s.File][p] = true
			}
		}
		for i := range tor.Files {
			first, end := tor.FilePieces(i)
			if end-first != len(held[i]) {
				t.Fatalf("file %d has the pieces [%d,%d), its bytes are in %v", i, first, end, held[i])
			}
			for p := first; p < end; p++ {
				if !held[i][p] {
					t.Fatalf("file %d has no byte in piece %d", i, p)
				}
			}
		}
	})
}

func TestSpansAllocateNothing(t *testing.T) {
	tor := &Torrent{PieceLength: 64, Length: 100, Files: []File{{Length: 40}, {Length: 0, Offset: 40}, {Length: 60, Offset: 40}}}
	buf := make([]Span, 0, 4)
	if n := testing.AllocsPerRun(10, func() { buf = tor.AppendPieceSpans(buf[:0], 0) }); n != 0 || len(buf) != 2 {
		t.Errorf("%v allocations, spans %v", n, buf)
	}
}
