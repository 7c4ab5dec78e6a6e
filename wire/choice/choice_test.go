package choice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// album is a torrent of six files, the fourth of which is padding.
func album(t testing.TB) *metainfo.Torrent {
	t.Helper()
	return of(t, 4, "1.mkv", "cd/2.mkv", "cd/art/2.jpg", ".pad/3", "extras/2.mkv", "readme")
}

func of(t testing.TB, length int64, paths ...string) *metainfo.Torrent {
	t.Helper()
	spec := metainfo.Spec{Name: "album", PieceLength: 8}
	for _, path := range paths {
		spec.Files = append(spec.Files, metainfo.FileSpec{Path: strings.Split(path, "/"), Length: length, Padding: strings.HasPrefix(path, ".pad")})
	}
	spec.Pieces = make([]byte, 20*((int(length)*len(paths)+7)/8))
	torrent, err := metainfo.Draft(spec)
	if err != nil {
		t.Fatal(err)
	}
	return torrent
}

// read makes a Choice of words such as select:*.mkv, exclude:3 and high:0-2.
func read(t testing.TB, words string) *Choice {
	t.Helper()
	c := &Choice{}
	for word := range strings.FieldsSeq(words) {
		key, text, _ := strings.Cut(word, ":")
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		switch key {
		case "select":
			c.Select = append(c.Select, s)
		case "exclude":
			c.Exclude = append(c.Exclude, s)
		default:
			p, err := ParsePriority(key)
			if err != nil {
				t.Fatal(err)
			}
			c.Priorities = append(c.Priorities, Rule{s, p})
		}
	}
	return c
}

func TestChoices(t *testing.T) {
	const l, n, h = Low, Normal, High
	for words, want := range map[string][]Priority{
		"":                                      nil,
		"select:0-9":                            nil,
		"select:*.mkv":                          {n, n, 0, 0, n, 0},
		"select:cd":                             {0, n, n, n, 0, 0},
		"select:cd/":                            {0, n, n, n, 0, 0},
		"select:cd/*.mkv":                       {0, n, 0, 0, 0, 0},
		"select:art":                            {0, 0, n, n, 0, 0},
		"select:0,4-5":                          {n, 0, 0, 0, n, n},
		"select:0 select:readme":                {n, 0, 0, 0, 0, n},
		"exclude:*.mkv":                         {0, 0, n, n, 0, n},
		"select:*.mkv exclude:extras":           {n, n, 0, 0, 0, 0},
		"high:readme":                           {n, n, n, n, n, h},
		"high:* low:*.mkv":                      {l, l, h, h, l, h},
		"select:*.mkv high:0 low:1 normal:1":    {h, n, 0, 0, n, 0},
		"exclude:readme high:readme low:extras": {n, n, n, n, l, 0},
	} {
		got, err := read(t, words).Resolve(album(t))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", words, got, err, want)
		}
	}
	for words, why := range map[string]string{
		"select:*.avi":            `"*.avi" names none of the 6 files`,
		"select:6":                `"6" names none of the 6 files`,
		"select:3":                `"3" names none of the 6 files`,
		"exclude:*":               "none of the 6 files is wanted",
		"select:0 high:9":         `"9" names none of the 6 files`,
		"select:cd exclude:cd":    "none of the 6 files is wanted",
		"select:/readme/2 high:0": `"/readme/2" names none of the 6 files`,
	} {
		_, err := read(t, words).Resolve(album(t))
		if is := (*Error)(nil); !errors.As(err, &is) || err.Error() != why {
			t.Errorf("%q: %v, want %s", words, err, why)
		}
	}
}

func TestSelectorsThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "/", "-1", "3-", "5-2", "1,,2", "500000", "99999999999999999999", "[", "a/[b"} {
		if s, err := ParseSelector(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
	if _, err := ParsePriority("skip"); err == nil {
		t.Error("a priority of skip")
	}
}

func TestSelectorOfALink(t *testing.T) {
	link, err := magnet.Parse("magnet:?xt=urn:btih:" + strings.Repeat("a", 40) + "&so=0,4-5")
	if err != nil {
		t.Fatal(err)
	}
	c := Choice{Select: []Selector{InLink(link.Files)}}
	if got, err := c.Resolve(album(t)); err != nil || fmt.Sprint(got) != "[normal skip skip skip normal normal]" {
		t.Errorf("%v, %v", got, err)
	}
}

// A piece is wanted if a wanted file has a part in it, and is as urgent as the
// most urgent of these.
func TestPiecesOfFiles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		torrent := of(t, rapid.Int64Range(1, 20).Draw(r, "length"), "a", "b", "c", "d")
		files := rapid.SliceOfN(rapid.SampledFrom([]Priority{Skip, Low, Normal, High}), 4, 4).Draw(r, "files")
		w := Of(torrent, files)
		for piece := range torrent.PieceCount() {
			most := Skip
			for _, s := range torrent.AppendPieceSpans(nil, piece) {
				most = max(most, files[s.File])
			}
			wanted := w.Pieces == nil || w.Pieces.Test(uint(piece))
			high, low := w.High != nil && w.High.Test(uint(piece)), w.Low != nil && w.Low.Test(uint(piece))
			if wanted != (most != Skip) || high != (most == High) || low != (most == Low) {
				r.Fatalf("files %v: piece %d wanted %t, high %t, low %t", files, piece, wanted, high, low)
			}
		}
		for i, p := range files {
			if (w.Files == nil || w.Files.Test(uint(i))) != (p != Skip) {
				r.Fatalf("files %v: %v", files, w.Files)
			}
		}
	})
}
