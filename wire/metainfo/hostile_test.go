package metainfo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefused(t *testing.T) {
	big := int64(math.MaxInt64)
	for name, c := range map[string]struct {
		raw  []byte
		code Code
		say  string
	}{
		"nothing":          {nil, NotBencode, "not a torrent"},
		"web page":         {[]byte("<html>"), NotBencode, "not a torrent"},
		"cut short":        {torrent()[:50], NotBencode, "early"},
		"too large":        {make([]byte, MaxTorrent+1), NotBencode, "bytes"},
		"a list":           {[]byte("le"), BadTorrent, "dictionary"},
		"no info":          {[]byte("de"), BadTorrent, "no info"},
		"info is a string": {torrent(setOuter("info", "x")), BadTorrent, "dictionary"},
		"no pieces":        {torrent(func(_, i m) { delete(i, "pieces") }), BadTorrent, "no piece hashes"},
		"version 2 only":   {torrent(func(_, i m) { delete(i, "pieces"); i["file tree"] = m{} }), BadTorrent, "version 2"},
		"version 2 is told before all else": {torrent(func(_, i m) {
			delete(i, "pieces")
			delete(i, "length")
			i["file tree"], i["meta version"], i["name"] = m{}, 2, ".."
		}), BadTorrent, "version 2 only (BEP 52), which is not supported yet"},
		"a version to come":   {torrent(func(_, i m) { delete(i, "pieces"); i["meta version"] = 3 }), BadTorrent, "version 3"},
		"hashes cut":          {torrent(setInfo("pieces", "xyz")), BadTorrent, "multiple of 20"},
		"hashes missing":      {torrent(setInfo("pieces", strings.Repeat("x", 20))), BadTorrent, "needs 2 piece hashes"},
		"hashes to spare":     {torrent(setInfo("pieces", strings.Repeat("x", 60))), BadTorrent, "needs 2 piece hashes"},
		"piece length 0":      {torrent(setInfo("piece length", 0)), BadTorrent, "piece length"},
		"piece length -1":     {torrent(setInfo("piece length", -1)), BadTorrent, "piece length"},
		"piece length huge":   {torrent(setInfo("piece length", MaxPieceLength+1)), BadTorrent, "piece length"},
		"length -1":           {torrent(setInfo("length", -1)), BadTorrent, "below 0"},
		"no length":           {torrent(func(_, i m) { delete(i, "length") }), BadTorrent, "no length"},
		"length is a string":  {torrent(setInfo("length", "5")), BadTorrent, "no length"},
		"no files":            {torrent(files()), BadTorrent, "files"},
		"files of no kind":    {torrent(setInfo("files", []int{1})), BadTorrent, "dictionary"},
		"lengths overflow":    {torrent(setInfo("files", []m{{"length": big, "path": []string{"a"}}, {"length": 1, "path": []string{"b"}}})), BadTorrent, "add up"},
		"name leads out":      {torrent(setInfo("name", "..")), BadTorrent, "leads out"},
		"name leads out deep": {torrent(setInfo("name", "../../x")), BadTorrent, "leads out"},
		"name is a number":    {torrent(setInfo("name", 7)), BadTorrent, "no text"},
		"path part leads out": {torrent(files([]string{"a/../../b"})), BadTorrent, "leads out"},
		"no path":             {torrent(setInfo("files", []m{{"length": 5}})), BadTorrent, "not a list"},
		"empty path":          {torrent(files([]string{})), BadTorrent, "not a list"},
		"empty parts only":    {torrent(files([]string{"", "."})), BadTorrent, "empty"},
		"path is a number":    {torrent(setInfo("files", []m{{"length": 5, "path": []int{1}}})), BadTorrent, "not a list"},
		"path leads out":      {torrent(files([]string{"a", "..", "b"})), BadTorrent, "leads out"},
		"path is deep":        {torrent(files(slices.Repeat([]string{"a"}, MaxPathDepth+1))), BadTorrent, "not a list of 1 to 64"},
		"path is long":        {torrent(files(slices.Repeat([]string{strings.Repeat("a", 200)}, 11))), BadTorrent, "long"},
		"many files":          {torrent(manyFiles), BadTorrent, "files"},
		"utf-8 path leads on": {torrent(setInfo("files", []m{{"length": 5, "path": []string{"a"}, "path.utf-8": []string{".."}}})), BadTorrent, "leads out"},
		"escapes are quoted":  {torrent(files([]string{"\x1b[31m", ".."})), BadTorrent, "\uFFFD[31m"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.raw)
			e, ok := err.(*Error)
			if !ok || e.Code != c.code || !strings.Contains(e.Msg, c.say) || strings.ContainsRune(e.Msg, 0x1b) {
				t.Fatalf("want code %d about %q, got %v", c.code, c.say, err)
			}
		})
	}
	if _, err := ParseInfo(append(mustParse(t, torrent()).Info(), 'x')); err == nil {
		t.Error("bytes after the info dictionary are taken")
	}
}

func TestMadeSafe(t *testing.T) {
	long := strings.Repeat("é", 200)
	for name, c := range map[string]struct {
		paths, want [][]string
	}{
		"untouched":         {[][]string{{"aux"}, {"What?."}, {" a "}, {"Q: A"}, {"A"}, {"a"}}, nil},
		"empty parts":       {[][]string{{"", "a", ".", "b", ""}}, [][]string{{"a", "b"}}},
		"not UTF-8":         {[][]string{{"a\xff\xfe.txt"}}, [][]string{{"a__.txt"}}},
		"separators":        {[][]string{{"a/b"}, {"/etc/passwd"}}, [][]string{{"a_b"}, {"_etc_passwd"}}},
		"letters here":      {[][]string{{`a\b`}, {`..\x`}, {"C:", "x"}}, nil},
		"zero byte":         {[][]string{{"a\x00b"}}, [][]string{{"a_b"}}},
		"Shift JIS":         {[][]string{{"\x83\x5c\x83t"}}, [][]string{{`_\_t`}}},
		"a path twice":      {[][]string{{"a", "b.x"}, {"a", "b.x"}, {"a", "b.x"}}, [][]string{{"a", "b.x"}, {"a", "b (2).x"}, {"a", "b (3).x"}}},
		"file is a folder":  {[][]string{{"a"}, {"a", "b"}, {"a", "c"}}, [][]string{{"a"}, {"a (2)", "b"}, {"a (2)", "c"}}},
		"folder is a file":  {[][]string{{"a", "b"}, {"a"}}, [][]string{{"a", "b"}, {"a (2)"}}},
		"zero width":        {[][]string{{"a\u200bb\u2060\ufeff"}, {"tag\U000e0041"}, {"soft\u00ad"}, {"\u3164"}}, [][]string{{"a_b__"}, {"tag_"}, {"soft_"}, {"_"}}},
		"joiners":           {[][]string{{"می\u200cخواهم"}, {"क्\u200dष"}, {"👩\u200d💻"}, {"❤\ufe0f"}, {"a\u200db"}}, [][]string{{"می\u200cخواهم"}, {"क्\u200dष"}, {"👩\u200d💻"}, {"❤\ufe0f"}, {"a_b"}}},
		"control":           {[][]string{{"a\x1b[2J\n.txt"}}, [][]string{{"a_[2J_.txt"}}},
		"direction":         {[][]string{{"a\u202etxt.exe"}}, [][]string{{"a_txt.exe"}}},
		"too long":          {[][]string{{long + ".tar"}}, [][]string{{strings.Repeat("é", 125) + ".tar"}}},
		"made equal":        {[][]string{{"a\x01.x"}, {"a\x02.x"}, {"a_.x"}}, [][]string{{"a_ (2).x"}, {"a_ (3).x"}, {"a_.x"}}},
		"made a folder":     {[][]string{{"a\x01", "b"}, {"a\x01", "c"}, {"a_"}}, [][]string{{"a_ (2)", "b"}, {"a_ (2)", "c"}, {"a_"}}},
		"made a file":       {[][]string{{"a_", "b"}, {"a\x01"}}, [][]string{{"a_", "b"}, {"a_ (2)"}}},
		"number is taken":   {[][]string{{"a\x01"}, {"a_"}, {"a_ (2)"}}, [][]string{{"a_ (3)"}, {"a_"}, {"a_ (2)"}}},
		"long and numbered": {[][]string{{long + ".a"}, {long + "b.a"}}, [][]string{{strings.Repeat("é", 126) + ".a"}, {strings.Repeat("é", 124) + " (2).a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == nil {
				c.want = c.paths
			}
			got := mustParse(t, torrent(files(c.paths...)))
			renamed := 0
			for i, f := range got.Files {
				if !slices.Equal(f.Path, c.want[i]) {
					t.Errorf("%q became %q, not %q", c.paths[i], f.Path, c.want[i])
				}
				if same := slices.Equal(c.paths[i], c.want[i]); same != (f.Original == nil) || !same && !slices.Equal(f.Original, c.paths[i]) {
					t.Errorf("%q has the original %q", f.Path, f.Original)
				} else if !same {
					renamed++
				}
			}
			if len(got.Warnings) < renamed || renamed == 0 && len(got.Warnings) > 0 {
				t.Errorf("%d renamed, warnings %q", renamed, got.Warnings)
			}
		})
	}
}

func TestNames(t *testing.T) {
	got := mustParse(t, torrent(setInfo("name", "")))
	if got.Name != got.InfoHash.String() || len(got.Warnings) != 1 {
		t.Errorf("no name became %q, warnings %q", got.Name, got.Warnings)
	}
	got = mustParse(t, torrent(files([]string{"x"}), setInfo("name", "\xe9", "name.utf-8", "é")))
	if got.Name != "é" || got.Root() != "é" {
		t.Errorf("name %q, root %q", got.Name, got.Root())
	}
	got = mustParse(t, torrent(setInfo("name", "a\x07b")))
	if got.Name != "a_b" || got.Files[0].Path[0] != "a_b" || got.Files[0].Original[0] != "a\x07b" {
		t.Errorf("name %q, file %+v", got.Name, got.Files[0])
	}
}

// What systems other than the one that runs the test cannot create.
func TestPlatforms(t *testing.T) {
	windows := platform{windows: true, folds: true}
	for part, want := range map[string]string{
		"a": "a", `a\b/c`: "a_b_c", `<>:"|?*`: "_______", "a.": "a_", "a. .": "a_", "..": "_", "CON": "_CON", "con.txt": "_con.txt", "Nul .x": "_Nul .x",
		"com1": "_com1", "lpt¹": "_lpt¹", "com": "com", "com10": "com10", "console": "console",
	} {
		if got := windows.safe(part); got != want {
			t.Errorf("%q became %q, not %q", part, got, want)
		}
		if got := (platform{}).safe(part); got != strings.ReplaceAll(part, "/", "_") {
			t.Errorf("%q became %q where it is valid", part, got)
		}
	}
	if !windows.leadsOut(`a\..\b`) || (platform{}).leadsOut(`a\..\b`) {
		t.Error("a backslash separates on Windows, and there only")
	}
	tor := &Torrent{Files: []File{{Path: []string{"A", "x"}}, {Path: []string{"a", "X"}}, {Path: []string{"é"}}, {Path: []string{"e\u0301"}}, {Path: []string{"a", "y"}}}}
	tor.separate(windows)
	want := []File{{Path: []string{"A", "x"}}, {Path: []string{"a", "X (2)"}, Original: []string{"a", "X"}}, {Path: []string{"é"}},
		{Path: []string{"e\u0301 (2)"}, Original: []string{"e\u0301"}}, {Path: []string{"a", "y"}}}
	if d := cmp.Diff(want, tor.Files); d != "" {
		t.Error(d)
	}
}

// Small elements by the million must be refused before they are decoded, which
// costs a hundred bytes each.
func TestHostileCosts(t *testing.T) {
	const n = 1 << 19
	for name, raw := range map[string]string{
		"files":    "d4:infod5:filesl" + strings.Repeat("de", n) + "eee",
		"trackers": "d13:announce-listl" + strings.Repeat("le", n) + "e4:infod6:lengthi0e4:name1:a12:piece lengthi1e6:pieces0:ee",
		"unknown":  "d1:xl" + strings.Repeat("de", n) + "e4:infodee",
		"digits":   "d4:infod6:lengthi" + strings.Repeat("9", 2*n) + "e4:name1:aee",
	} {
		n := testing.AllocsPerRun(1, func() { _, _ = Parse([]byte(raw)) })
		if n > 1000 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Many names that become one must not cost the square of their number, nor a
// warning each.
func TestManyCollisions(t *testing.T) {
	var paths [][]string
	for i := range 5_000 {
		paths = append(paths, []string{"d\x01", fmt.Sprintf("a%s", strings.Repeat("\x01", i%2+1)), strings.Repeat("b", 300) + fmt.Sprint(i)})
	}
	got := mustParse(t, torrent(files(paths...)))
	if len(got.Warnings) != maxWarnings+1 {
		t.Errorf("%d warnings", len(got.Warnings))
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain é 日本", 50, "plain é 日本"},
		{"a\r\nb\tc", 50, "a  b c"},
		{"\x1b]0;x\x07\x9b", 50, "\uFFFD]0;x\uFFFD\uFFFD"},
		{"\u202eabc\u2028", 50, "\uFFFDabc "},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"aéééé", 6, "aé…"},
		{"abc", 2, ""},
	} {
		if got := Clean(c.in, c.limit); got != c.want {
			t.Errorf("%q in %d became %q, not %q", c.in, c.limit, got, c.want)
		}
	}
}

// manyFiles makes it a torrent of more files than there may be.
func manyFiles(_, info m) {
	paths := make([][]string, MaxFiles+1)
	for i := range paths {
		paths[i] = []string{strconv.Itoa(i)}
	}
	files(paths...)(nil, info)
}
