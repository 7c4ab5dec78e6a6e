package metainfo

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEncodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Spec{
			Name:        rapid.StringMatching(`[a-zé ]{1,20}`).Draw(t, "name"),
			Single:      rapid.Bool().Draw(t, "single"),
			PieceLength: rapid.Int64Range(1, 1000).Draw(t, "piece length"),
			Private:     rapid.Bool().Draw(t, "private"),
			Comment:     rapid.StringMatching(`[a-z ]{0,9}`).Draw(t, "comment"),
			CreatedBy:   "test",
			Announce: rapid.SampledFrom([][][]string{nil, {{"http://a/"}}, {{"http://a/", "udp://b:1"}}, {{"http://a/"}, {"http://b/"}}}).
				Draw(t, "announce"),
			CreationDate: time.Unix(rapid.Int64Range(1, 1<<32).Draw(t, "date"), 0).UTC(),
		}
		lengths := rapid.SliceOfN(rapid.Int64Range(0, 5000), 1, 9).Draw(t, "lengths")
		if s.Single {
			lengths = lengths[:1]
		}
		var total int64
		for i, n := range lengths {
			s.Files = append(s.Files, FileSpec{Path: []string{"dir", string(rune('a' + i))}, Length: n})
			total += n
		}
		s.Pieces = []byte(strings.Repeat("01234567890123456789", int((total+s.PieceLength-1)/s.PieceLength)))
		raw, err := Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		tor, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		got := Spec{Name: tor.Name, Single: tor.Single, PieceLength: tor.PieceLength, Private: tor.Private, Comment: tor.Comment,
			CreatedBy: tor.CreatedBy, Announce: tor.Announce, CreationDate: tor.CreationDate, Pieces: tor.pieces}
		for _, f := range tor.Files {
			got.Files = append(got.Files, FileSpec{Path: f.Path, Length: f.Length})
		}
		if s.Single {
			s.Files[0].Path = []string{s.Name}
		}
		if string(got.Pieces) != string(s.Pieces) {
			t.Fatal("the piece hashes differ")
		}
		s.Pieces, got.Pieces = nil, nil
		if d := cmp.Diff(s, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestEncodeSortsKeys(t *testing.T) {
	raw, err := Encode(Spec{Name: "n", Single: true, Files: []FileSpec{{Length: 1}}, PieceLength: 1, Pieces: make([]byte, 20), Private: true,
		Announce: [][]string{{"http://a/"}}, Comment: "c"})
	want := "d8:announce9:http://a/7:comment1:c4:infod6:lengthi1e4:name1:n12:piece lengthi1e6:pieces20:" +
		strings.Repeat("\x00", 20) + "7:privatei1eee"
	if err != nil || string(raw) != want {
		t.Errorf("%q, %v", raw, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	good := func() Spec {
		return Spec{Name: "n", Files: []FileSpec{{Path: []string{"a"}, Length: 1}}, PieceLength: 1, Pieces: make([]byte, 20)}
	}
	if _, err := Encode(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Spec){
		"no name":        func(s *Spec) { s.Name = "" },
		"odd name":       func(s *Spec) { s.Name = "a\n" },
		"no files":       func(s *Spec) { s.Files = nil },
		"single of none": func(s *Spec) { s.Single, s.Files = true, nil },
		"path out":       func(s *Spec) { s.Files[0].Path = []string{".."} },
		"no path":        func(s *Spec) { s.Files[0].Path = nil },
		"pieces":         func(s *Spec) { s.Pieces = nil },
		"tracker":        func(s *Spec) { s.Announce = [][]string{{"ftp://a/"}} },
	} {
		s := good()
		spoil(&s)
		if raw, err := Encode(s); err == nil {
			t.Errorf("%s: written as %q", name, raw)
		}
	}
}

// Files on some file systems are sparse, and longer together than a number can
// say.
func TestDraftOfMoreThanAnyDiskHolds(t *testing.T) {
	const half = math.MaxInt64/2 + 1
	for _, last := range []int64{0, half, math.MaxInt64, -1} {
		s := Spec{Name: "n", PieceLength: 1 << 20, Files: []FileSpec{{Path: []string{"a"}, Length: half}, {Path: []string{"b"}, Length: last}}}
		if _, err := Draft(s); !errors.As(err, new(*Error)) {
			t.Errorf("%d bytes and %d: %v", int64(half), last, err)
		}
	}
}

func TestChoosePieceLength(t *testing.T) {
	for total, want := range map[int64]int64{0: 16 << 10, 1: 16 << 10, 1 << 30: 1 << 20, 1 << 50: 16 << 20} {
		if got := ChoosePieceLength(total); got != want {
			t.Errorf("%d bytes: %d, not %d", total, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(20<<20, 30<<30).Draw(t, "total")
		if n := total / ChoosePieceLength(total); n < 1000 || n > 2000 {
			t.Fatalf("%d pieces", n)
		}
	})
}
