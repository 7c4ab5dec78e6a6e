package files

import (
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/store/storetest"
	"kouzui/wire/metainfo"
)

// Whatever is diverted, each byte of a piece that a wanted file has a part in
// has one place, no two bytes share a place, and none lies in a file that is
// not wanted. The place in the side file does not depend on what is diverted.
func TestEachByteHasItsPlace(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lengths := rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 8).Draw(r, "lengths")
		s := storetest.New(t, rapid.Int64Range(1, 12).Draw(r, "piece"), append(lengths, 1)...)
		places := map[int64]metainfo.Span{}
		for range 3 {
			diverted := bitset.New(0)
			for i := range s.Files {
				diverted.SetTo(uint(i), rapid.Bool().Draw(r, "diverted"))
			}
			l := NewLayout(s.Torrent).Divert(diverted)
			wanted := bitset.New(uint(s.PieceCount()))
			for i := range s.Files {
				if !l.Diverted(i) {
					NewLayout(s.Torrent).SetPieces(wanted, i, true)
				}
			}
			taken := map[metainfo.Span]bool{}
			for p := range s.PieceCount() {
				at := int64(p) * s.PieceLength
				for _, span := range l.AppendPieceSpans(nil, p) {
					first, ok := l.First(at, span.Length)
					if !ok || first.File != span.File || first.Offset != span.Offset {
						r.Fatalf("the first span at %d is %v, not %v", at, first, span)
					}
					for i := range span.Length {
						place := metainfo.Span{File: span.File, Offset: span.Offset + i}
						if taken[place] {
							r.Fatalf("two bytes lie at %v", place)
						}
						taken[place] = true
						if wanted.Test(uint(p)) && l.Diverted(span.File) {
							r.Fatalf("byte %d of a wanted piece lies in file %d, which is not made", at, span.File)
						}
						if before, known := places[at]; span.File == l.Side() {
							if known && before != place {
								r.Fatalf("byte %d lies at %v, and lay at %v", at, place, before)
							}
							places[at] = place
						}
						at++
					}
				}
			}
			if at := int64(len(taken)); at != s.Length {
				r.Fatalf("%d of %d bytes have a place", at, s.Length)
			}
			sided := bitset.New(uint(s.PieceCount()))
			l.SetPieces(sided, l.Side(), true)
			for p := range s.PieceCount() {
				in := false
				for _, span := range l.AppendPieceSpans(nil, p) {
					in = in || span.File == l.Side()
				}
				if in != sided.Test(uint(p)) {
					r.Fatalf("piece %d in the side file: %t, by SetPieces %t", p, in, !in)
				}
			}
		}
	})
}
