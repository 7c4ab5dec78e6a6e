package web

import (
	"testing"

	"kouzui/wire/metainfo"
)

func TestAddressesOfFiles(t *testing.T) {
	single := &metainfo.Torrent{Name: "a b.iso", Single: true, Files: []metainfo.File{{Path: []string{"a b.iso"}}}}
	renamed := &metainfo.Torrent{Name: "a_b", Single: true, Files: []metainfo.File{{Path: []string{"a_b"}, Original: []string{"a/b"}}}}
	several := &metainfo.Torrent{Name: "ä?", Files: []metainfo.File{{Path: []string{"x y", "#1%.bin"}}}}
	for _, c := range []struct {
		base string
		of   *metainfo.Torrent
		want string
	}{
		{"http://h.example/disc.iso?key=1", single, "http://h.example/disc.iso?key=1"},
		{"http://h.example/pub/", single, "http://h.example/pub/a%20b.iso"},
		{"http://h.example/", renamed, "http://h.example/a%2Fb"},
		{"http://h.example/pub/", several, "http://h.example/pub/%C3%A4%3F/x%20y/%231%25.bin"},
		{"http://h.example/pub", several, "http://h.example/pub/%C3%A4%3F/x%20y/%231%25.bin"},
	} {
		if got := address(c.base, c.of, 0); got != c.want {
			t.Errorf("%s leads to %s, want %s", c.base, got, c.want)
		}
	}
	if got := hostOf("http://user:secret@h.example:81/k3y?x"); got != "h.example:81" {
		t.Errorf("%s is shown", got)
	}
}
