package files

import (
	"slices"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/metainfo"
)

// Layout says which file of the disk each byte of the content lies in. It is
// the torrent's own, but for files that are diverted: those that the user does
// not want, and that are not made. A piece that reaches into such a file is
// fetched and served whole, so what it has of the file lies in the side file.
//
// Of a diverted file the side file has room for the bytes before the first
// border of pieces in it, and those after the last one; for all of it if there
// is no border. The rest is in pieces that nobody wants. The place of these
// bytes depends on the torrent alone, so what was written once is found
// whichever files are diverted later. Parts that were never written are holes.
//
// A Layout is not changed once it is in use: Divert makes another one.
type Layout struct {
	torrent  *metainfo.Torrent
	diverted *bitset.BitSet // nil: none
	places   []int64        // where the bytes of each file begin in the side file
}

// NewLayout is the layout of a torrent of which no file is diverted.
func NewLayout(t *metainfo.Torrent) *Layout { return &Layout{torrent: t} }

// Divert is the layout with these files diverted, and no others.
func (l *Layout) Divert(files *bitset.BitSet) *Layout {
	if files == nil || files.None() {
		return NewLayout(l.torrent)
	}
	new := &Layout{torrent: l.torrent, diverted: files, places: l.places}
	if new.places == nil {
		new.places = make([]int64, len(l.torrent.Files))
		at := int64(0)
		for i := range l.torrent.Files {
			new.places[i] = at
			head, tail := l.Ends(i)
			at += head + tail
		}
	}
	return new
}

// Side is the index of the side file, behind those of the torrent.
func (l *Layout) Side() int { return len(l.torrent.Files) }

// Diverted tells whether a file is diverted.
func (l *Layout) Diverted(file int) bool { return l.diverted != nil && l.diverted.Test(uint(file)) }

// Divides tells whether any file is diverted.
func (l *Layout) Divides() bool { return l.diverted != nil }

// Padding tells whether a file is zeros that no disk holds.
func (l *Layout) Padding(file int) bool { return file < l.Side() && l.torrent.Files[file].Padding }

// Ends are how many bytes of a file lie before the first border of pieces in it
// and after the last one. If there is no border, all are before.
func (l *Layout) Ends(file int) (head, tail int64) {
	f, size := &l.torrent.Files[file], l.torrent.PieceLength
	end := f.Offset + f.Length
	first := (f.Offset + size - 1) / size * size
	last := end / size * size
	if first > last {
		return f.Length, 0
	}
	return first - f.Offset, end - last
}

// AppendSpans appends the spans that hold length bytes of the content from off,
// see metainfo.Torrent.AppendSpans. File is Side for what lies in the side
// file. The bytes of a diverted file that have no room there keep their own
// file, which does not exist.
func (l *Layout) AppendSpans(dst []metainfo.Span, off, length int64) []metainfo.Span {
	from := len(dst)
	dst = l.torrent.AppendSpans(dst, off, length)
	if l.diverted == nil {
		return dst
	}
	if !slices.ContainsFunc(dst[from:], func(s metainfo.Span) bool { return l.Diverted(s.File) }) {
		return dst
	}
	var room [8]metainfo.Span
	own := append(room[:0], dst[from:]...)
	dst = dst[:from]
	for _, s := range own {
		if l.Diverted(s.File) {
			dst = l.appendDiverted(dst, s)
		} else {
			dst = append(dst, s)
		}
	}
	return dst
}

// appendDiverted appends where the bytes of a span of a diverted file lie.
func (l *Layout) appendDiverted(dst []metainfo.Span, s metainfo.Span) []metainfo.Span {
	head, tail := l.Ends(s.File)
	length, place := l.torrent.Files[s.File].Length, l.places[s.File]
	for s.Length > 0 {
		part := s
		switch {
		case s.Offset < head:
			part = metainfo.Span{File: l.Side(), Offset: place + s.Offset, Length: min(s.Length, head-s.Offset)}
		case s.Offset >= length-tail:
			part = metainfo.Span{File: l.Side(), Offset: place + head + s.Offset - (length - tail), Length: s.Length}
		default:
			part.Length = min(s.Length, length-tail-s.Offset)
		}
		dst = append(dst, part)
		s.Offset += part.Length
		s.Length -= part.Length
	}
	return dst
}

// AppendPieceSpans appends the spans of a piece.
func (l *Layout) AppendPieceSpans(dst []metainfo.Span, piece int) []metainfo.Span {
	return l.AppendSpans(dst, int64(piece)*l.torrent.PieceLength, l.torrent.PieceSize(piece))
}

// SetPieces sets or clears the pieces that a file has a part in: one of the
// torrent, or the side file.
func (l *Layout) SetPieces(pieces *bitset.BitSet, file int, to bool) {
	if file != l.Side() {
		for p, end := l.torrent.FilePieces(file); p < end; p++ {
			pieces.SetTo(uint(p), to)
		}
		return
	}
	for i := range l.torrent.Files {
		if l.Diverted(i) {
			l.setEnds(pieces, i, to)
		}
	}
}

// setEnds sets or clears the pieces of a diverted file that the side file has
// a part of.
func (l *Layout) setEnds(pieces *bitset.BitSet, file int, to bool) {
	first, end := l.torrent.FilePieces(file)
	head, tail := l.Ends(file)
	if head > 0 {
		pieces.SetTo(uint(first), to)
	}
	if tail > 0 {
		pieces.SetTo(uint(end-1), to)
	}
}

// First is the span that begins at off, n bytes or shorter.
func (l *Layout) First(off, n int64) (metainfo.Span, bool) {
	var room [1]metainfo.Span
	own := l.torrent.AppendSpans(room[:0], off, 1)
	if len(own) == 0 {
		return metainfo.Span{}, false
	}
	s := own[0]
	s.Length = min(n, l.torrent.Files[s.File].Length-s.Offset)
	if l.Diverted(s.File) {
		var parts [3]metainfo.Span
		s = l.appendDiverted(parts[:0], s)[0]
	}
	return s, true
}
