package metainfo

import (
	"iter"
	"sort"
)

// Span is a stretch of one file: Length > 0 bytes at Offset within Files[File].
type Span struct {
	File   int
	Offset int64
	Length int64
}

// AppendSpans appends to dst the spans that hold length bytes of the content
// from offset off, in order and without gaps; files of no length have none.
// What lies outside the content is left out. It allocates nothing if dst has
// room.
func (t *Torrent) AppendSpans(dst []Span, off, length int64) []Span {
	if off < 0 || off >= t.Length || length <= 0 {
		return dst
	}
	end := off + min(length, t.Length-off)
	first := sort.Search(len(t.Files), func(i int) bool { return t.Files[i].Offset+t.Files[i].Length > off })
	for i := first; off < end; i++ {
		f := &t.Files[i]
		n := min(end, f.Offset+f.Length) - off
		if n > 0 {
			dst = append(dst, Span{File: i, Offset: off - f.Offset, Length: n})
			off += n
		}
	}
	return dst
}

// AppendPieceSpans appends the spans of piece i.
func (t *Torrent) AppendPieceSpans(dst []Span, i int) []Span {
	return t.AppendSpans(dst, int64(i)*t.PieceLength, t.PieceSize(i))
}

// PaddingBlocks yields the runs of blocks of a piece, from first up to but not
// including end, that lie wholly in padding. They are zeros, which nobody need
// be asked for. A piece that is nothing but padding yields none.
func (t *Torrent) PaddingBlocks(piece int, blockSize int64) iter.Seq2[int, int] {
	return func(yield func(first, end int) bool) {
		if !t.padded {
			return
		}
		var room [8]Span
		at, next := int64(0), 0 // bytes of the piece; blocks up to here are content, or were yielded
		content := false
		for _, s := range t.AppendPieceSpans(room[:0], piece) {
			if !t.Files[s.File].Padding {
				content = true
				if first := int(at / blockSize); first > next && !yield(next, first) {
					return
				}
				next = int((at + s.Length + blockSize - 1) / blockSize)
			}
			at += s.Length
		}
		if end := int((at + blockSize - 1) / blockSize); content && next < end {
			yield(next, end)
		}
	}
}

// OnlyPadding tells whether a piece is nothing but padding.
func (t *Torrent) OnlyPadding(piece int) bool {
	if !t.padded {
		return false
	}
	var room [8]Span
	for _, s := range t.AppendPieceSpans(room[:0], piece) {
		if !t.Files[s.File].Padding {
			return false
		}
	}
	return true
}

// FilePieces returns the pieces that hold bytes of Files[i]: from first up to
// but not including end. A file of no length has none (first == end).
func (t *Torrent) FilePieces(i int) (first, end int) {
	f := &t.Files[i]
	first = int(f.Offset / t.PieceLength)
	if f.Length == 0 {
		return first, first
	}
	return first, int((f.Offset+f.Length-1)/t.PieceLength) + 1
}
