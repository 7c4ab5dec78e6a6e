package metainfo

import (
	"fmt"
	"testing"
)

// BenchmarkParse takes a torrent of 100 GiB in 10,000 files.
func BenchmarkParse(b *testing.B) {
	spec := Spec{Name: "large", PieceLength: 1 << 20, Pieces: make([]byte, 20*100<<10)}
	for i := range 10_000 {
		spec.Files = append(spec.Files, FileSpec{Path: []string{fmt.Sprintf("folder %d", i%100), fmt.Sprintf("file %d", i)}, Length: (100 << 30) / 10_000})
	}
	spec.Pieces = spec.Pieces[:(spec.Files[0].Length*10_000+1<<20-1)>>20*20]
	raw, err := Encode(spec)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
