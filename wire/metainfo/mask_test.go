package metainfo

import (
	"strings"
	"testing"
)

func TestMaskURL(t *testing.T) {
	for address, want := range map[string]string{
		"http://t.example:80/announce":                  "http://t.example:80/announce",
		"https://t.example/announce.php?passkey=5ec7e7": "https://t.example/announce.php?***",
		"http://t.example/5ec7e7/announce":              "http://t.example/***/announce",
		"http://t.example/announce/5ec7e7":              "http://t.example/announce/***",
		"http://me:5ec7e7@t.example/announce":           "http://***@t.example/announce",
		"http://5ec7e7@t.example":                       "http://***@t.example",
		"udp://t.example:1/5ec%377e7":                   "udp://t.example:1/***",
		"http://t.example/?5ec7e7":                      "http://t.example/?***",
		"http://t.example/announce#5ec7e7":              "http://t.example/announce",
		"5ec7e7":                                        "***",
		"http://\x1b5ec7e7/":                            "***",
		"http://\u202et.example/announce":               "http://\uFFFDt.example/announce",
	} {
		if got := MaskURL(address); got != want {
			t.Errorf("%q is shown as %q, want %q", address, got, want)
		}
	}
	if got := MaskURL("http://" + strings.Repeat("x", 5000) + "/"); len(got) > shownText {
		t.Errorf("%d bytes are shown", len(got))
	}
}

func TestMaskIn(t *testing.T) {
	const address = "http://user99:5ec7e7@t.example/k3y-in-path/announce?pass=k3yinquery&a=1"
	text := "user99, 5ec7e7, k3y-in-path and k3yinquery cannot announce a 1"
	if got := MaskIn(text, address); got != "***, ***, *** and *** cannot announce a 1" {
		t.Errorf("shown as %q", got)
	}
	if got := MaskIn("5ec7e7 it is", "http://t.example/announce?5ec7e7"); got != "*** it is" {
		t.Errorf("shown as %q", got)
	}
	if got := MaskIn(text, "::"); got != text {
		t.Errorf("shown as %q", got)
	}
}
