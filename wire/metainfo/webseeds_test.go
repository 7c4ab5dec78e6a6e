package metainfo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWebSeedsThatAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		list any
		want []string
		warn string
	}{
		"a string":        {"http://a.example/x.iso", []string{"http://a.example/x.iso"}, ""},
		"an empty string": {"", nil, ""},
		"a list":          {[]string{"https://B.example/pub/", "", "http://a.example/x y"}, []string{"https://b.example/pub/", "http://a.example/x%20y"}, ""},
		"twice":           {[]string{"http://a.example/", "http://A.example/"}, []string{"http://a.example/"}, ""},
		"no list":         {7, nil, ""},
		"of other types":  {[]any{7, "http://a.example/"}, []string{"http://a.example/"}, ""},
		"FTP":             {[]string{"ftp://a.example/x"}, nil, "its protocol is not supported"},
		"a file":          {"file:///etc/passwd", nil, "its protocol is not supported"},
		"no host":         {"http:///x", nil, "names no host"},
		"one host too often": {
			[]string{"http://a.example/1", "http://a.example/2", "http://a.example/3", "http://a.example/4", "http://a.example/5"},
			[]string{"http://a.example/1", "http://a.example/2", "http://a.example/3", "http://a.example/4"}, "its host has 4 already",
		},
	} {
		got := mustParse(t, torrent(setOuter("url-list", c.list)))
		if !slices.Equal(got.WebSeeds, c.want) {
			t.Errorf("%s: %q, want %q", name, got.WebSeeds, c.want)
		}
		if all := strings.Join(got.Warnings, " "); (all == "") != (c.warn == "") || !strings.Contains(all, c.warn) {
			t.Errorf("%s: warnings %q, want %q", name, got.Warnings, c.warn)
		}
	}
}

func TestWebSeedsAreBounded(t *testing.T) {
	var list []string
	for i := range MaxWebSeeds + 2 {
		list = append(list, fmt.Sprintf("http://h%d.example/", i))
	}
	got := mustParse(t, torrent(setOuter("url-list", list)))
	if !slices.Equal(got.WebSeeds, list[:MaxWebSeeds]) || len(got.Warnings) != 1 {
		t.Errorf("%d web seeds, warnings %q", len(got.WebSeeds), got.Warnings)
	}
}

// What is written is read again.
func TestWebSeedsAreWritten(t *testing.T) {
	seeds := []string{"http://a.example/x", "https://b.example/pub/"}
	of := mustParse(t, torrent(setOuter("url-list", seeds)))
	raw, err := EncodeInfo(of.Info(), nil, of.WebSeeds)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustParse(t, raw); !slices.Equal(got.WebSeeds, seeds) || got.InfoHash != of.InfoHash {
		t.Errorf("%q, want %q", got.WebSeeds, seeds)
	}
}
