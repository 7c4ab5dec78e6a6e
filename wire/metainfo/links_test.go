package metainfo

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// entries makes it a torrent of these files, of which those without attributes
// have one byte.
func entries(list ...m) func(outer, info m) {
	return func(_, info m) {
		n := 0
		for _, f := range list {
			if f["attr"] == nil || f["attr"] == "x" {
				f["length"] = 1
				n++
			}
		}
		delete(info, "length")
		info["files"], info["piece length"], info["pieces"] = list, n+1, strings.Repeat("x", min(n, 1)*20)
	}
}

func file(path ...string) m { return m{"path": path} }

func linked(target []string, path ...string) m {
	return m{"path": path, "attr": "l", "symlink path": target}
}

func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		files    []m
		want     []string // Link of each file; "-": left out
		warnings int
	}{
		"beside":               {[]m{file("a"), linked([]string{"a"}, "l")}, []string{"", "a"}, 0},
		"from the torrent":     {[]m{file("lib", "a"), linked([]string{"lib", "a"}, "bin", "l")}, []string{"", "../lib/a"}, 0},
		"from its folder":      {[]m{file("lib", "a"), linked([]string{"..", "lib", "a"}, "bin", "l")}, []string{"", "../lib/a"}, 0},
		"as one text":          {[]m{file("lib", "a"), linked([]string{"../lib/a"}, "bin", "l")}, []string{"", "../lib/a"}, 0},
		"to a folder":          {[]m{file("lib", "1", "a"), linked([]string{"lib", "1"}, "lib", "current")}, []string{"", "1"}, 0},
		"to the torrent":       {[]m{file("a"), linked([]string{"."}, "l")}, []string{"", "."}, 0},
		"to a link":            {[]m{file("a"), linked([]string{"a"}, "l"), linked([]string{"l"}, "k")}, []string{"", "a", "l"}, 0},
		"to a name made safe":  {[]m{file("a\x01"), linked([]string{"a\x01"}, "l")}, []string{"", "a_"}, 1},
		"to a name numbered":   {[]m{file("a\x01"), file("a_"), linked([]string{"a\x01"}, "l")}, []string{"", "", "a_ (2)"}, 2},
		"out":                  {[]m{file("a"), linked([]string{"..", "..", "etc", "passwd"}, "l")}, []string{"", "-"}, 1},
		"out and in again":     {[]m{file("a"), linked([]string{"..", "a.txt", "a"}, "l")}, []string{"", "-"}, 1},
		"absolute":             {[]m{file("a"), linked([]string{"/etc/passwd"}, "l")}, []string{"", "-"}, 1},
		"absolute in parts":    {[]m{file("a"), linked([]string{"", "a"}, "l")}, []string{"", "-"}, 1},
		"nothing there":        {[]m{file("a"), linked([]string{"b"}, "l")}, []string{"", "-"}, 1},
		"no target":            {[]m{file("a"), {"path": []string{"l"}, "attr": "l"}}, []string{"", "-"}, 1},
		"itself":               {[]m{file("a"), linked([]string{"l"}, "l")}, []string{"", "-"}, 1},
		"round":                {[]m{file("a"), linked([]string{"k"}, "l"), linked([]string{"l"}, "k"), linked([]string{"k"}, "j")}, []string{"", "-", "-", "-"}, 3},
		"to one left out":      {[]m{linked([]string{"b"}, "l"), linked([]string{"l"}, "k"), file("a")}, []string{"-", "-", ""}, 2},
		"through another link": {[]m{file("d", "a"), linked([]string{"d"}, "l"), linked([]string{"l", "a"}, "k")}, []string{"", "d", "-"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, torrent(entries(c.files...)))
			var links []string
			for _, f := range got.Files {
				if f.Padding {
					f.Link = "-"
				}
				links = append(links, f.Link)
			}
			if d := cmp.Diff(c.want, links); d != "" || len(got.Warnings) != c.warnings {
				t.Errorf("%s, warnings %q", d, got.Warnings)
			}
		})
	}
}

// Whatever names and targets are drawn: every link is made of names of files
// and folders of the torrent, from which no way leads out.
func TestLinksStayInside(t *testing.T) {
	part := rapid.SampledFrom([]string{"a", "b", "c", "..", ".", "", "a/b", "/"})
	name := rapid.SampledFrom([]string{"a", "b", "c"})
	rapid.Check(t, func(t *rapid.T) {
		list := []m{file("a", "a", "a")}
		for range rapid.IntRange(1, 6).Draw(t, "files") {
			path := rapid.SliceOfN(name, 1, 3).Draw(t, "path")
			if rapid.Bool().Draw(t, "link") {
				list = append(list, linked(rapid.SliceOfN(part, 1, 4).Draw(t, "target"), path...))
			} else {
				list = append(list, file(path...))
			}
		}
		tor, err := Parse(torrent(entries(list...)))
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{"": true}
		for _, f := range tor.Files {
			for n := range f.Path {
				folder := n < len(f.Path)-1 // even if all links in it are left out
				path := strings.Join(f.Path[:n+1], "/")
				there[path] = there[path] || folder || !f.Padding
			}
		}
		for _, f := range tor.Files {
			if f.Link == "" || f.Padding {
				continue
			}
			at := slices.Clone(f.Path[:len(f.Path)-1])
			for p := range strings.SplitSeq(f.Link, "/") {
				switch {
				case p == "..":
					if len(at) == 0 {
						t.Fatalf("%q of %q leads out", f.Link, f.Path)
					}
					at = at[:len(at)-1]
				case p != ".":
					at = append(at, p)
				}
				if !there[strings.Join(at, "/")] {
					t.Fatalf("%q of %q leads to nothing: %v", f.Link, f.Path, there)
				}
			}
		}
	})
}

func TestFoldedLinks(t *testing.T) {
	got := mustParse(t, torrent(entries(file("A"), file("a"), linked([]string{"a"}, "l"), linked([]string{"A"}, "k"))))
	folded := got.Folded()
	if got.Files[2].Link != "a" || folded.Files[2].Link != "a (2)" || folded.Files[3].Link != "A" {
		t.Errorf("%+v became %+v", got.Files, folded.Files)
	}
}

func TestManyLinksAreCheap(t *testing.T) {
	var list []m
	for i := range 20_000 {
		list = append(list, linked([]string{fmt.Sprint("l", i+1)}, fmt.Sprint("l", i)))
	}
	if got := mustParse(t, torrent(entries(append(list, file("l20000"))...))); got.Files[0].Link != "l1" || len(got.Warnings) > 0 {
		t.Errorf("%+v, warnings %q", got.Files[0], got.Warnings)
	}
}

func TestExecutable(t *testing.T) {
	got := mustParse(t, torrent(entries(file("a"), m{"path": []string{"b"}, "attr": "x"})))
	if got.Files[0].Executable || !got.Files[1].Executable {
		t.Errorf("%+v", got.Files)
	}
	if got := mustParse(t, torrent(setInfo("attr", "x"))); !got.Files[0].Executable {
		t.Errorf("%+v", got.Files)
	}
}

// BitComet's padding is recognised where it aligns the next file, and a file of
// its name elsewhere is content.
func TestBitCometPadding(t *testing.T) {
	const name = "_____padding_file_0_BitComet____"
	list := []m{{"path": []string{"a"}, "length": 2}, {"path": []string{name}, "length": 1}, {"path": []string{"b"}, "length": 1}, {"path": []string{name + "1"}, "length": 1}}
	got := mustParse(t, torrent(func(_, info m) {
		delete(info, "length")
		info["files"] = list
	}))
	if !got.Files[1].Padding || got.Files[3].Padding {
		t.Errorf("%+v", got.Files)
	}
}

func TestEncodeAttributes(t *testing.T) {
	s := Spec{Name: "n", PieceLength: 16, Pieces: make([]byte, 20), Source: "S",
		Files: []FileSpec{{Path: []string{"d", "a"}, Length: 1, Executable: true}, {Path: []string{"l"}, Link: []string{"d", "a"}}}}
	raw, err := Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	got := mustParse(t, raw)
	if !got.Files[0].Executable || got.Files[1].Link != "d/a" || !strings.Contains(string(raw), "6:source1:S") {
		t.Errorf("%+v of %q", got.Files, raw)
	}
	s.Files[1].Link = []string{"b"}
	if _, err := Encode(s); err == nil {
		t.Error("a link to nothing is taken")
	}
}
