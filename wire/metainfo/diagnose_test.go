package metainfo

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// What is given in place of a torrent is named, and what to do about it.
func TestDiagnosis(t *testing.T) {
	whole := string(torrent())
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(whole))
	_ = z.Close()
	tree := m{"a": m{"": m{"length": 5}}}
	v2 := func(edits ...any) string {
		return string(torrent(setInfo("meta version", 2, "file tree", tree), setInfo(edits...), func(_, info m) { delete(info, "pieces") }))
	}
	for name, c := range map[string]struct {
		raw, say string
		code     Code
	}{
		"empty":                      {"", "the file is empty", NotBencode},
		"blank":                      {"\r\n", "the file is empty", NotBencode},
		"zeros of a download":        {strings.Repeat("\x00", 1000), "nothing but zeros", NotBencode},
		"web page":                   {"<!DOCTYPE html>", "it is a web page", NotBencode},
		"web page after a mark":      {"\ufeff\n<HTML>", "it is a web page", NotBencode},
		"gzip":                       {packed.String(), "it is compressed by gzip; unpack", NotBencode},
		"ZIP":                        {"PK\x03\x04\x14", "it is a ZIP archive; unpack", NotBencode},
		"7z":                         {"7z\xbc\xaf\x27\x1c\x00", "it is a 7z archive; unpack", NotBencode},
		"RAR":                        {"Rar!\x1a\x07", "it is a RAR archive; unpack", NotBencode},
		"xz":                         {"\xfd7zXZ\x00", "it is compressed by xz; unpack", NotBencode},
		"bzip2":                      {"BZh91AY", "it is compressed by bzip2; unpack", NotBencode},
		"zstd":                       {"\x28\xb5\x2f\xfd", "it is compressed by zstd; unpack", NotBencode},
		"magnet link":                {"Magnet:?xt=urn:btih:0\n", "magnet link; give the link itself", NotBencode},
		"URL":                        {"https://a.example/b.torrent\n", "give the URL itself", NotBencode},
		"JSON":                       {"{\"error\": 404}", "it is JSON", NotBencode},
		"UTF-16":                     {"\xff\xfed\x008\x00", "it is text in UTF-16", NotBencode},
		"base64":                     {base64.StdEncoding.EncodeToString([]byte(whole)), "it is encoded by base64; decode", NotBencode},
		"cut short":                  {whole[:50], "it is cut short, so download it again", NotBencode},
		"text":                       {"Not found", "'N' is not the start of a bencoded value", NotBencode},
		"tracker's failure":          {"d14:failure reason12:unregisterede", "the answer of a tracker: \"unregistered\"", BadTorrent},
		"tracker's reply":            {"d8:intervali60e5:peers0:e", "the answer of a tracker", BadTorrent},
		"scrape":                     {"d5:filesdee", "the answer of a tracker", BadTorrent},
		"info alone":                 {"d4:name1:x12:piece lengthi16384e6:pieces0:e", "only the info dictionary", BadTorrent},
		"nothing":                    {"de", "no info dictionary", BadTorrent},
		"version 2":                  {v2(), "version 2 only (BEP 52), which is not supported yet. Look for", BadTorrent},
		"version 2, no name":         {v2("name", 1), "version 2 only", BadTorrent},
		"version 2, no piece length": {v2("piece length", 0), "version 2 only", BadTorrent},
		"version 2, leads out":       {v2("name", ".."), "version 2 only", BadTorrent},
		"hybrid, pieces cut": {
			string(torrent(setInfo("meta version", 2, "file tree", tree, "pieces", "x"))), "piece hashes have 1 byte", BadTorrent,
		},
		"hybrid, no piece length": {
			string(torrent(setInfo("meta version", 2, "file tree", tree, "piece length", 0))), "piece length must be", BadTorrent,
		},
	} {
		_, err := Parse([]byte(c.raw))
		wrong := new(Error)
		if !errors.As(err, &wrong) || wrong.Code != c.code || !strings.Contains(wrong.Msg, c.say) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an editor has put before a torrent is left out, and private may be a
// string.
func TestSmallDefectsAreForgiven(t *testing.T) {
	plain := mustParse(t, torrent())
	for _, before := range []string{"\ufeff", "\r\n", "\ufeff \n"} {
		got := mustParse(t, append([]byte(before), torrent()...))
		if got.InfoHash != plain.InfoHash || len(got.Warnings) != 1 {
			t.Errorf("%q: %q", before, got.Warnings)
		}
	}
	for value, want := range map[any]bool{1: true, 0: false, "1": true, "0": false, "": false, "yes": true, 7: true} {
		if got := mustParse(t, torrent(setInfo("private", value))); got.Private != want {
			t.Errorf("private %v: %v", value, got.Private)
		}
	}
}
