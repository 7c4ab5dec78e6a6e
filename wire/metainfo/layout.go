package metainfo

import "sort"

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
