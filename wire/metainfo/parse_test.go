package metainfo

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/google/go-cmp/cmp"
)

type m = map[string]any

// torrent is a torrent of one file of 5 bytes in pieces of 3, changed by edits of the outer and the info dictionary.
func torrent(edits ...func(outer, info m)) []byte {
	info := m{"name": "a.txt", "length": 5, "piece length": 3, "pieces": strings.Repeat("x", 40)}
	outer := m{"announce": "http://tracker/announce", "info": info}
	for _, edit := range edits {
		edit(outer, info)
	}
	return bencode.MustMarshal(outer)
}

func setInfo(kv ...any) func(outer, info m) {
	return func(_, info m) {
		for i := 0; i < len(kv); i += 2 {
			info[kv[i].(string)] = kv[i+1]
		}
	}
}

func setOuter(key string, value any) func(outer, info m) {
	return func(outer, _ m) { outer[key] = value }
}

// files makes it a torrent of files of one byte each in one piece, a path each.
func files(paths ...[]string) func(outer, info m) {
	return func(_, info m) {
		list := []m{}
		for _, p := range paths {
			list = append(list, m{"length": 1, "path": p})
		}
		delete(info, "length")
		info["files"], info["piece length"], info["pieces"] = list, len(paths)+1, strings.Repeat("x", 20)
	}
}

func mustParse(t *testing.T, raw []byte) *Torrent {
	t.Helper()
	got, err := Parse(raw)
	if err != nil {
		t.Fatalf("%v: %.300q", err, raw)
	}
	if err := invariants(got); err != nil {
		t.Fatalf("%v: %.300q", err, raw)
	}
	return got
}

// invariants is what every torrent that Parse takes can be relied on for.
func invariants(t *Torrent) error {
	if t.InfoHash != sha1.Sum(t.Info()) {
		return errors.New("the info hash is not that of the info")
	}
	if t.PieceLength <= 0 || t.Length < 0 || len(t.Files) == 0 || (t.Single && len(t.Files) != 1) {
		return fmt.Errorf("piece length %d, length %d, %d files", t.PieceLength, t.Length, len(t.Files))
	}
	var sum int64
	for i := range t.PieceCount() {
		if n := t.PieceSize(i); n <= 0 || n > t.PieceLength || n < t.PieceLength && i < t.PieceCount()-1 {
			return fmt.Errorf("piece %d has %d bytes", i, n)
		}
		sum += t.PieceSize(i)
	}
	if sum != t.Length {
		return fmt.Errorf("pieces of %d bytes for %d", sum, t.Length)
	}
	sum = 0
	seen := map[string]bool{}
	for _, f := range t.Files {
		if f.Offset != sum || f.Length < 0 {
			return fmt.Errorf("file %q at %d, not %d", f.Path, f.Offset, sum)
		}
		sum += f.Length
		if f.Padding {
			continue
		}
		joined := path.Join(f.Path...)
		if len(f.Path) == 0 || joined != strings.Join(f.Path, "/") || path.IsAbs(joined) || seen[joined] {
			return fmt.Errorf("path %q", f.Path)
		}
		seen[joined] = true
		for _, part := range append(f.Path, t.Name) {
			if part == "" || part == "." || part == ".." || len(part) > MaxPathPart || strings.ContainsAny(part, "/\\\x00\x1b") {
				return fmt.Errorf("part %q", part)
			}
		}
	}
	for _, f := range t.Files {
		for dir := path.Dir(path.Join(f.Path...)); dir != "." && !f.Padding; dir = path.Dir(dir) {
			if seen[dir] {
				return fmt.Errorf("%q is a file and a folder", dir)
			}
		}
	}
	if sum != t.Length {
		return fmt.Errorf("files of %d bytes for %d", sum, t.Length)
	}
	for _, tier := range t.Announce {
		if len(tier) == 0 {
			return errors.New("an empty tier")
		}
	}
	return nil
}

func TestParse(t *testing.T) {
	raw := torrent(setOuter("comment", "one\ntwo\x1b[31m"), setOuter("created by", "maker"), setOuter("creation date", 86400),
		setOuter("unknown", m{"x": []int{1}}), setInfo("private", 1))
	got := mustParse(t, raw)
	if got.Name != "a.txt" || !got.Single || got.Root() != "" || got.Length != 5 || !got.Private || got.CreatedBy != "maker" {
		t.Errorf("read as %+v", got)
	}
	if got.Comment != "one two\uFFFD[31m" {
		t.Errorf("comment %q", got.Comment)
	}
	if !got.CreationDate.Equal(time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("date %v", got.CreationDate)
	}
	if got.PieceCount() != 2 || got.PieceSize(0) != 3 || got.PieceSize(1) != 2 || got.PieceHash(1) != Hash([]byte(strings.Repeat("x", 20))) {
		t.Errorf("%d pieces", got.PieceCount())
	}
	if len(got.Warnings) != 0 {
		t.Errorf("warnings %q", got.Warnings)
	}
	alone, err := ParseInfo(got.Info())
	if err != nil || alone.InfoHash != got.InfoHash || !cmp.Equal(alone.Files, got.Files) {
		t.Errorf("the info alone is read as %+v, %v", alone, err)
	}
}

// The hash covers the bytes as they came, and no order of keys keeps a torrent from being read.
func TestInfoHashOverRawBytes(t *testing.T) {
	info := "d6:pieces20:" + strings.Repeat("x", 20) + "12:piece lengthi8e4:name1:a5:extrad1:z0:1:a0:e6:lengthi1ee"
	got := mustParse(t, []byte("d4:info"+info+"8:announce16:http://t/announce4:junkd1:b0:1:a0:eetail"))
	if got.InfoHash != sha1.Sum([]byte(info)) {
		t.Error("the info hash is not over the raw bytes")
	}
	if len(got.Announce) != 1 || len(got.Warnings) != 1 {
		t.Errorf("announce %q, warnings %q", got.Announce, got.Warnings)
	}
}

func TestHarmless(t *testing.T) {
	for name, edit := range map[string]func(outer, info m){
		"wrong types outside": func(o, _ m) {
			o["comment"], o["creation date"], o["announce-list"], o["created by"] = 1, "x", 7, []int{}
		},
		"wrong types inside":    setInfo("private", "x", "md5sum", 5, "name.utf-8", 3),
		"date out of range":     setOuter("creation date", int64(math.MaxInt64)),
		"negative date":         setOuter("creation date", -5),
		"piece length is prime": setInfo("piece length", 5, "pieces", strings.Repeat("x", 20)),
		"empty file":            setInfo("length", 0, "pieces", ""),
		"no announce":           func(o, _ m) { delete(o, "announce") },
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustParse(t, torrent(edit)); !got.CreationDate.IsZero() || got.Comment != "" {
				t.Errorf("read as %+v", got)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	big := int64(math.MaxInt64)
	for name, c := range map[string]struct {
		raw  []byte
		code Code
		say  string
	}{
		"nothing":             {nil, NotBencode, "not a torrent"},
		"web page":            {[]byte("<html>"), NotBencode, "not a torrent"},
		"cut short":           {torrent()[:50], NotBencode, "early"},
		"too large":           {make([]byte, MaxTorrent+1), NotBencode, "bytes"},
		"a list":              {[]byte("le"), BadTorrent, "dictionary"},
		"no info":             {[]byte("de"), BadTorrent, "no info"},
		"info is a string":    {torrent(setOuter("info", "x")), BadTorrent, "dictionary"},
		"no pieces":           {torrent(func(_, i m) { delete(i, "pieces") }), BadTorrent, "no piece hashes"},
		"version 2 only":      {torrent(func(_, i m) { delete(i, "pieces"); i["file tree"] = m{} }), BadTorrent, "version 2"},
		"hashes cut":          {torrent(setInfo("pieces", "xyz")), BadTorrent, "multiple of 20"},
		"hashes missing":      {torrent(setInfo("pieces", strings.Repeat("x", 20))), BadTorrent, "need 2"},
		"hashes to spare":     {torrent(setInfo("pieces", strings.Repeat("x", 60))), BadTorrent, "need 2"},
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
		"name has a slash":    {torrent(setInfo("name", "a/b")), BadTorrent, "separator"},
		"no path":             {torrent(setInfo("files", []m{{"length": 5}})), BadTorrent, "not a list"},
		"empty path":          {torrent(files([]string{})), BadTorrent, "not a list"},
		"empty parts only":    {torrent(files([]string{"", "."})), BadTorrent, "empty"},
		"path is a number":    {torrent(setInfo("files", []m{{"length": 5, "path": []int{1}}})), BadTorrent, "not a list"},
		"path leads out":      {torrent(files([]string{"a", "..", "b"})), BadTorrent, "leads out"},
		"path has a slash":    {torrent(files([]string{"/etc/passwd"})), BadTorrent, "separator"},
		"path has backslash":  {torrent(files([]string{`a\b`})), BadTorrent, "separator"},
		"path has zero byte":  {torrent(files([]string{"a\x00"})), BadTorrent, "zero byte"},
		"path names a drive":  {torrent(files([]string{"C:", "x"})), BadTorrent, "drive"},
		"path is deep":        {torrent(files(slices.Repeat([]string{"a"}, MaxPathDepth+1))), BadTorrent, "not a list of 1 to 64"},
		"path is long":        {torrent(files(slices.Repeat([]string{strings.Repeat("a", 200)}, 11))), BadTorrent, "long"},
		"one path twice":      {torrent(files([]string{"a", "b"}, []string{"a", "b"})), BadTorrent, "more than one"},
		"file is a folder":    {torrent(files([]string{"a"}, []string{"a", "b"})), BadTorrent, "more than one"},
		"folder is a file":    {torrent(files([]string{"a", "b"}, []string{"a"})), BadTorrent, "more than one"},
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

func TestPadding(t *testing.T) {
	pad := m{"length": 2, "path": []string{".pad", "2"}, "attr": "p"}
	got := mustParse(t, torrent(setInfo("files", []m{{"length": 1, "path": []string{"a"}}, pad, pad})))
	if got.Length != 5 || got.Files[0].Padding || !got.Files[1].Padding || got.Files[2].Offset != 3 {
		t.Errorf("files %+v", got.Files)
	}
}

func TestTiers(t *testing.T) {
	for name, c := range map[string]struct {
		announce, list any
		want           [][]string
		warnings       int
	}{
		"announce alone":     {"http://a/x", nil, [][]string{{"http://a/x"}}, 0},
		"list wins":          {"http://a/", [][]string{{"udp://b:1", "https://c/"}, {"http://d/"}}, [][]string{{"udp://b:1", "https://c/"}, {"http://d/"}}, 0},
		"empty list":         {"http://a/", [][]string{{}, {""}}, [][]string{{"http://a/"}}, 0},
		"twice":              {nil, [][]string{{"http://a/", "http://a/"}, {"http://a/"}, {" http://b/ "}}, [][]string{{"http://a/"}, {"http://b/"}}, 0},
		"flat list":          {nil, []string{"http://a/", "http://b/"}, [][]string{{"http://a/"}, {"http://b/"}}, 0},
		"not supported":      {nil, [][]string{{"wss://a/", "http://b/"}}, [][]string{{"http://b/"}}, 1},
		"not URLs":           {nil, [][]string{{"http://", "::", "http://a\n/", "http://[::1/"}}, nil, 4},
		"too long":           {"http://a/" + strings.Repeat("x", maxURL), nil, nil, 1},
		"list of none is ok": {"http://a/", [][]string{{"wss://b"}}, [][]string{{"http://a/"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, torrent(func(outer, _ m) {
				delete(outer, "announce")
				if c.announce != nil {
					outer["announce"] = c.announce
				}
				if c.list != nil {
					outer["announce-list"] = c.list
				}
			}))
			if d := cmp.Diff(c.want, got.Announce); d != "" || len(got.Warnings) != c.warnings {
				t.Errorf("%s, warnings %q", d, got.Warnings)
			}
		})
	}
	var many []string
	for i := range 2 * MaxTrackers {
		many = append(many, fmt.Sprintf("http://t%d/", i))
	}
	if got := mustParse(t, torrent(setOuter("announce-list", [][]string{many}))); len(got.Announce[0]) != MaxTrackers || len(got.Warnings) != 1 {
		t.Errorf("%d trackers, warnings %q", len(got.Announce[0]), got.Warnings)
	}
}

// What systems other than the one that runs the test cannot create.
func TestPlatforms(t *testing.T) {
	windows := platform{windows: true, folds: true}
	for part, want := range map[string]string{
		"a": "a", `<>:"|?*`: "_______", "a.": "a_", "a. .": "a_", "..": "_", "CON": "_CON", "con.txt": "_con.txt", "Nul .x": "_Nul .x",
		"com1": "_com1", "lpt¹": "_lpt¹", "com": "com", "com10": "com10", "console": "console",
	} {
		if got := windows.safe(part); got != want {
			t.Errorf("%q became %q, not %q", part, got, want)
		}
		if got := (platform{}).safe(part); got != part {
			t.Errorf("%q became %q where it is valid", part, got)
		}
	}
	tor := &Torrent{Files: []File{{Path: []string{"A", "x"}}, {Path: []string{"a", "X"}}, {Path: []string{"é"}}, {Path: []string{"e\u0301"}}, {Path: []string{"a", "y"}}}}
	if err := tor.separate(windows); err != nil {
		t.Fatal(err)
	}
	want := []File{{Path: []string{"A", "x"}}, {Path: []string{"a", "X (2)"}, Original: []string{"a", "X"}}, {Path: []string{"é"}},
		{Path: []string{"e\u0301 (2)"}, Original: []string{"e\u0301"}}, {Path: []string{"a", "y"}}}
	if d := cmp.Diff(want, tor.Files); d != "" {
		t.Error(d)
	}
}

// Small elements by the million must be refused before they are decoded, which costs a hundred bytes each.
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

// Many names that become one must not cost the square of their number, nor a warning each.
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

func TestHash(t *testing.T) {
	const s = "0123456789abcdef0123456789abcdef01234567"
	h, err := ParseHash(strings.ToUpper(s))
	if err != nil || h.String() != s {
		t.Errorf("%s, %v", h, err)
	}
	for _, bad := range []string{"", s[1:], s + "0", "x" + s[1:]} {
		if _, err := ParseHash(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
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

func FuzzParseTorrent(f *testing.F) {
	f.Add(torrent())
	f.Add(torrent(files([]string{"a", "b"}, []string{"a", "c\x01"}, []string{"a", "c\x02"})))
	f.Add(torrent(setOuter("announce-list", [][]string{{"udp://a:1"}, {"http://b/"}})))
	f.Add(torrent(setInfo("length", 0, "pieces", "")))
	f.Add([]byte("d4:infod5:filesl" + strings.Repeat("de", 100) + "eee"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Parse(bytes.Clone(raw))
		if err != nil {
			if _, ok := err.(*Error); !ok || got != nil {
				t.Fatalf("%T with %v", err, got)
			}
			return
		}
		if err := invariants(got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(raw, got.Info()) {
			t.Fatal("the info is not the raw bytes")
		}
	})
}
