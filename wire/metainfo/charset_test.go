package metainfo

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Names in an old encoding are read if the torrent says which one that is. The
// info hash is that of the bytes as they came.
func TestOldEncodings(t *testing.T) {
	for _, c := range []struct {
		label string
		as    encoding.Encoding
		name  string
	}{
		{"GBK", simplifiedchinese.GBK, "电影"},
		{"gb2312", simplifiedchinese.GBK, "电影"},
		{" CP936 ", simplifiedchinese.GBK, "电影"},
		{"GB18030", simplifiedchinese.GB18030, "电影"},
		{"Shift_JIS", japanese.ShiftJIS, "ソ表十"}, // each has 0x5c as its second byte
		{"EUC-JP", japanese.EUCJP, "映画"},
		{"Big5", traditionalchinese.Big5, "許功蓋"}, // likewise
		{"EUC-KR", korean.EUCKR, "영화"},
		{"cp949", korean.EUCKR, "영화"},
		{"CP1251", charmap.Windows1251, "кино"},
		{"KOI8-R", charmap.KOI8R, "кино"},
		{"ISO-8859-1", charmap.ISO8859_1, "Été"},
	} {
		raw, err := c.as.NewEncoder().String(c.name)
		if err != nil {
			t.Fatal(err)
		}
		for where, edit := range map[string]func(outer, info m){"outside": setOuter("encoding", c.label), "in the info": setInfo("encoding", c.label)} {
			single := mustParse(t, torrent(edit, setInfo("name", raw+".avi"), setOuter("comment", raw)))
			if single.Name != c.name+".avi" || len(single.Warnings) > 0 {
				t.Errorf("%s %s: the name is %q, warnings %q", c.label, where, single.Name, single.Warnings)
			}
			if where == "outside" && single.Comment != c.name {
				t.Errorf("%s: the comment is %q", c.label, single.Comment)
			}
			several := mustParse(t, torrent(edit, files([]string{raw, raw + ".txt"}, []string{"plain"})))
			if got := several.Files[0]; !slices.Equal(got.Path, []string{c.name, c.name + ".txt"}) || got.Original != nil || len(several.Warnings) > 0 {
				t.Errorf("%s %s: the path is %q, warnings %q", c.label, where, got.Path, several.Warnings)
			}
		}
	}
}

// What is UTF-8, what the torrent has in UTF-8 as well, and what is no text of
// the encoding is read as if there were none. The rules for names hold for what
// comes out.
func TestOldEncodingsAreBelievedWithCare(t *testing.T) {
	gbk := setOuter("encoding", "GBK")
	for _, c := range []struct {
		what  string
		edits []func(outer, info m)
		want  string
	}{
		{"UTF-8 after all", []func(outer, info m){gbk, setInfo("name", "电影")}, "电影"},
		{"a twin in UTF-8", []func(outer, info m){gbk, setInfo("name", "\xb5\xe7", "name.utf-8", "é")}, "é"},
		{"no text of the encoding", []func(outer, info m){gbk, setInfo("name", "\xb5\xe7\xff")}, "___"},
		{"an unknown encoding", []func(outer, info m){setOuter("encoding", "klingon"), setInfo("name", "\xb5\xe7")}, "__"},
		{"UTF-8 that it is not", []func(outer, info m){setOuter("encoding", "UTF-8"), setInfo("name", "\xb5\xe7")}, "__"},
		{"no text as encoding", []func(outer, info m){setOuter("encoding", 936), setInfo("name", "\xb5\xe7")}, "__"},
		{"separators", []func(outer, info m){gbk, setInfo("name", "\xb5\xe7/\xd3\xb0")}, "电_影"},
		{"names of our own", []func(outer, info m){gbk, setInfo("name", "\xb5\xe7.part")}, "电.part_"},
		{"too long", []func(outer, info m){gbk, setInfo("name", strings.Repeat("\xb5\xe7", 100)+".avi")}, strings.Repeat("电", 83) + ".avi"},
	} {
		if got := mustParse(t, torrent(c.edits...)); got.Name != c.want {
			t.Errorf("%s: the name is %q, want %q", c.what, got.Name, c.want)
		}
	}
	if _, err := Parse(torrent(gbk, files([]string{"\xb5\xe7", "..", "x"}))); err == nil {
		t.Error("a path that leads out is taken")
	}
	plain := torrent(setInfo("name", "\xb5\xe7"))
	if said, not := mustParse(t, torrent(gbk, setInfo("name", "\xb5\xe7"))), mustParse(t, plain); said.InfoHash != not.InfoHash {
		t.Error("the encoding changes the info hash")
	}
}
