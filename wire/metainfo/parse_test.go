package metainfo

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	"github.com/google/go-cmp/cmp"
)

type m = map[string]any

// torrent is a torrent of one file of 5 bytes in pieces of 3, changed by edits
// of the outer and the info dictionary.
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
			if part == "" || part == "." || part == ".." || len(part) > MaxPathPart || strings.ContainsAny(part, "/\x00\x1b") {
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

// The hash covers the bytes as they came, and no order of keys keeps a torrent
// from being read.
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
		"announce alone": {"http://a/x", nil, [][]string{{"http://a/x"}}, 0},
		"list wins":      {"http://a/", [][]string{{"udp://b:1", "https://c/"}, {"http://d/"}}, [][]string{{"udp://b:1", "https://c/"}, {"http://d/"}}, 0},
		"empty list":     {"http://a/", [][]string{{}, {""}}, [][]string{{"http://a/"}}, 0},
		"twice":          {nil, [][]string{{"http://a/", "http://a/"}, {"http://a/"}, {" http://b/ "}}, [][]string{{"http://a/"}, {"http://b/"}}, 0},
		"flat list":      {nil, []string{"http://a/", "http://b/"}, [][]string{{"http://a/"}, {"http://b/"}}, 0},
		"not supported":  {nil, [][]string{{"ftp://a/", "http://b/"}}, [][]string{{"http://b/"}}, 1},
		"not URLs":       {nil, [][]string{{"http://", "::", "http://a\n/", "http://[::1/"}}, nil, 4},
		"too long":       {"http://a/" + strings.Repeat("x", maxURL), nil, nil, 1},
		"many at one host": {
			nil, [][]string{{"http://a/1", "http://A:81/2", "https://a./3"}, {"http://a/4", "ws://a"}, {"http://a/5"}, {"http://b/"}},
			[][]string{{"http://a/1", "http://a:81/2", "https://a./3"}, {"http://a/4", "ws://a"}, {"http://b/"}}, 1,
		},
		"list of none is ok": {"http://a/", [][]string{{"wss://b"}}, [][]string{{"wss://b"}, {"http://a/"}}, 0},
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

func FuzzParseTorrent(f *testing.F) {
	f.Add(torrent())
	f.Add(torrent(files([]string{"a", "b"}, []string{"a", "c\x01"}, []string{"a", "c\x02"})))
	f.Add(torrent(setOuter("announce-list", [][]string{{"udp://a:1"}, {"http://b/"}})))
	f.Add(torrent(setInfo("length", 0, "pieces", "")))
	f.Add(torrent(setOuter("encoding", "GBK"), files([]string{"\xb5\xe7\xd3\xb0", "\x8f\x5c\xff"})))
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
