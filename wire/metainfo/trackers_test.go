package metainfo

import (
	"slices"
	"strings"
	"testing"
)

func TestTrackerURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://a/announce":                    "http://a/announce",
		" \thttp://a/announce\n":               "http://a/announce",
		"HTTP://A.Example:80/Announce":         "http://a.example:80/Announce",
		"http://a/announce?key=a b":            "http://a/announce?key=a%20b",
		"http://a/an nounce?k=ü":               "http://a/an%20nounce?k=%C3%BC",
		"http://a/%7ekey/announce?x=%2F+y":     "http://a/%7ekey/announce?x=%2F+y",
		"http://u:p@a/x|y":                     "http://u:p@a/x%7Cy",
		"http://[2001:DB8::1]:80/announce":     "http://[2001:db8::1]:80/announce",
		"http://tr\u0430cker.example/announce": "http://xn--trcker-4nf.example/announce", // a Cyrillic letter
		"udp://b:1":                            "udp://b:1",
		"UDP://B:1/announce?k":                 "udp://b:1/announce?k",
		"WSS://B.example":                      "wss://b.example",
	} {
		got, err := TrackerURL(in)
		if err != nil || got != want {
			t.Errorf("%q became %q, not %q: %v", in, got, want, err)
		}
		if again, err := TrackerURL(got); err != nil || again != got {
			t.Errorf("%q became %q the second time: %v", got, again, err)
		}
	}
	for _, in := range []string{"", "a", "udp://a", "udp://a/announce", "http://", "http://a b/", "http://a,b/", "ftp://a/", "http://a:0/", "http://a:99999/announce", "http://a/" + strings.Repeat("x", maxURL)} {
		if got, err := TrackerURL(in); err == nil {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestSplitTrackers(t *testing.T) {
	for in, want := range map[string][]string{
		"":                                    nil,
		" , ":                                 nil,
		"http://a/":                           {"http://a/"},
		"http://a/?k=1,2":                     {"http://a/?k=1,2"},
		"http://a/,http://b/":                 {"http://a/", "http://b/"},
		" http://a/ , udp://b:1,, http://c/,": {"http://a/", "udp://b:1", "http://c/"},
		"http://a/, b":                        {"http://a/", "b"},
		"http://a/\nhttp://b/":                {"http://a/", "http://b/"},
	} {
		if got := SplitTrackers(in); !slices.Equal(got, want) {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// What a torrent has and the client does not use is told, and never asked.
func TestUnsupported(t *testing.T) {
	got := mustParse(t, torrent(
		setOuter("announce-list", [][]string{{"wss://w.example", "ws://w.example:80"}}),
		setOuter("httpseeds", []string{"http://s/"}),
		setOuter("nodes", [][]any{{"n", 1}}),
		setInfo("file tree", m{}, "meta version", 2)))
	want := []string{"hybrid",
		"WebTorrent trackers are not supported, as their peers are browsers, and are not asked: w.example, w.example:80.",
		"HTTP seeds are not supported (BEP 17) and are not used: s.", "DHT"}
	for i, say := range want {
		if len(got.Unsupported) != len(want) || !strings.Contains(got.Unsupported[i], say) {
			t.Fatalf("%q, not %q", got.Unsupported, want)
		}
	}
	if len(got.Warnings) > 0 {
		t.Errorf("warnings %q", got.Warnings)
	}
	// The list has only what cannot be asked: announce counts as well.
	if s := Supported(got.Announce); len(s) != 1 || s[0][0] != "http://tracker/announce" {
		t.Errorf("%q are asked", s)
	}
}

// Another host by the same letters must not pass for the one that is known.
func TestLookAlikes(t *testing.T) {
	got := mustParse(t, torrent(setOuter("announce", "https://\u0440aypal.example/announce?key=s")))
	if got.Announce[0][0] != "https://xn--aypal-uye.example/announce?key=s" {
		t.Errorf("%q", got.Announce)
	}
}
