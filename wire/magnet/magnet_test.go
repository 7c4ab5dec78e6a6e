package magnet

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kouzui/wire/metainfo"
)

const (
	digits = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	based  = "MFRGCYTBMJQWEYLCMFRGCYTBMJQWEYLC" // of "abababababababababab"
	named  = "magnet:?xt=urn:btih:" + digits
	v2     = "xt=urn:btmh:1220caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e"
)

func TestLinksThatAreRead(t *testing.T) {
	ab := metainfo.Hash([]byte("abababababababababab"))
	cd, err := metainfo.ParseHash(digits)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Link{
		named:                               {InfoHash: cd},
		" " + named + "\n":                  {InfoHash: cd},
		"magnet:?xt=urn%3Abtih%3A" + digits: {InfoHash: cd},
		"MAGNET:?XT=URN:BTIH:" + strings.ToUpper(digits):      {InfoHash: cd},
		"magnet:?xt.1=urn:btih:" + digits:                     {InfoHash: cd},
		"magnet:?xt=urn:btih:" + based:                        {InfoHash: ab},
		"magnet:?xt=urn:btih:" + strings.ToLower(based):       {InfoHash: ab},
		named + "&" + v2:                                      {InfoHash: cd},
		"magnet:?" + v2 + "&xt=urn:btih:" + digits:            {InfoHash: cd},
		named + "&xt=urn:sha1:ABC&xt=" + "urn:btih:" + digits: {InfoHash: cd},
		named + "&dN=a+b%20c&Ws=http://a.example/&xl=5":       {InfoHash: cd, Name: "a b c", WebSeeds: []string{"http://a.example/"}},
		named + "&dn=%1b%5b2Ja":                               {InfoHash: cd, Name: "\ufffd[2Ja"},
		named + "&tr=http%3A%2F%2Fa.example%2Fannounce&tr.7=udp://B.example:1&amp;tr=http://a.example/announce": {
			InfoHash: cd, Trackers: [][]string{{"http://a.example/announce"}, {"udp://b.example:1"}},
		},
		named + "&x.pe=192.0.2.1:6881&X.PE=[2001:db8::1]:2&x.pe=Peer-1.example:3&x.pe=192.0.2.1:6881": {
			InfoHash: cd, Peers: []Peer{{"192.0.2.1", 6881}, {"2001:db8::1", 2}, {"peer-1.example", 3}},
		},
	} {
		got, err := Parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestLinksThatAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                                     "begins with magnet:?",
		"magnet:xt=urn:btih:":                  "begins with magnet:?",
		"magnet:?":                             "has no xt=urn:btih",
		"magnet:?dn=a":                         "has no xt=urn:btih",
		"magnet:?xt=urn:sha1:A":                `but "urn:sha1:A"`,
		"magnet:?xt=urn:btih:":                 "has 0 digits",
		"magnet:?xt=urn%%3Abtih":               "not escaped",
		named[:len(named)-32]:                  "has 8 digits",
		named[:len(named)-18]:                  "has 22 digits",
		"magnet:?xt=urn:btih:%20" + digits[1:]: "is not a hash",
		"magnet:?xt=urn:btih:+" + digits[1:]:   "is not a hash",
		"magnet:?xt=urn:btih:" + digits[:2] + "+" + digits[2:]: "is not a hash",
		"magnet:?xt=urn:btih:" + digits + "\x1b":               "is not a hash",
		"magnet:?xt=urn:btih:" + digits[1:] + "%0a":            "is not a hash",
		"magnet:?xt=urn:btih:" + based[1:] + "%0a":             "is not a hash",
		"magnet:?xt=urn:btih:" + strings.Repeat("z", 40):       "is not a hash",
		"magnet:?xt=urn:btih:" + strings.Repeat("1", 32):       "is not a hash",
		"magnet:?" + v2: "not supported yet",
		"magnet:?" + strings.Replace(v2, "1220", "1221", 1): "not a hash of version 2",
		"magnet:?" + v2[:len(v2)-1]:                         "not a hash of version 2",
		"magnet:?" + v2[:len(v2)-1] + "g":                   "not a hash of version 2",
		"magnet:?xt=urn:btpk:" + digits:                     "BEP 46",
		named + "&xt=urn:btih:" + based:                     "two torrents",
		named + strings.Repeat("&a=b", MaxLink/4):           "the most that are taken",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("of %.200q it says %v, want %q", text, err, why)
		}
	}
}

func TestChosenFiles(t *testing.T) {
	for so, want := range map[string]string{
		"0,2,4,6-8":            "0 2 4 6-8",
		"0,2-4,3-5":            "0 2-5",
		"1,2,3":                "1-3",
		"6-8&so=1&so=7-9":      "1 6-9",
		"7-4,1":                "1",
		"-4,1":                 "1",
		"3-,1":                 "1",
		"a,1":                  "1",
		",1,":                  "1",
		"'2',1":                "1",
		"%222%22,1":            "1",
		"100000000,1":          "1",
		"18446744073709551617": "",
		"":                     "",
		"0-" + "499999":        "0-499999",
		"0-" + "500000":        "",
	} {
		l, err := Parse(named + "&so=" + so)
		var got []string
		for _, r := range l.Files {
			got = append(got, r.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("of %q it chooses %q, %v, want %q", so, got, err, want)
		}
	}
}

func TestWhatIsLeftOutIsTold(t *testing.T) {
	for with, why := range map[string]string{
		"tr=gopher://a.example":    "protocol is not supported",
		"tr=%zz":                   "not escaped",
		"x.pe=192.0.2.1":           "not HOST:PORT",
		"x.pe=192.0.2.1:0":         "not HOST:PORT",
		"x.pe=1.2.3:80":            "not HOST:PORT",
		"x.pe=[fe80::1%25eth0]:80": "not HOST:PORT",
		"x.pe=a%20b:80":            "not HOST:PORT",
		"x.pe=:80":                 "not HOST:PORT",
		"so=7-4":                   "no files",
	} {
		l, err := Parse(named + "&" + with)
		if err != nil || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], why) || len(l.Trackers)+len(l.Peers)+len(l.Files) > 0 {
			t.Errorf("of %s there is %+v, %v, want a warning of %q", with, l, err, why)
		}
	}
	var many strings.Builder
	for i := range MaxPeers + 5 {
		many.WriteString("&x.pe=" + Peer{"192.0.2.1", uint16(i + 1)}.String())
	}
	if l, err := Parse(named + many.String()); err != nil || len(l.Peers) != MaxPeers || len(l.Warnings) != 1 {
		t.Errorf("of too many peers there are %d, %q, %v", len(l.Peers), l.Warnings, err)
	}
}

// What is written is read as it was.
func TestLinksAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Link{
			InfoHash: metainfo.Hash(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash")),
			Name:     strings.TrimSpace(metainfo.Clean(rapid.String().Draw(t, "name"), MaxName)),
		}
		for _, path := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z?&=+]{0,9}`), 0, 3, rapid.ID).Draw(t, "trackers") {
			l.Trackers = append(l.Trackers, []string{"http://a.example/" + path})
		}
		for i, host := range rapid.SliceOfN(rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1", "a.example"}), 0, 3).Draw(t, "peers") {
			l.Peers = append(l.Peers, Peer{host, uint16(i + 1)})
		}
		got, err := Parse(l.String())
		if err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("%s is read as %+v, %v, want %+v", l, got, err, l)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		named + "&dn=a&tr=http://a.example/&x.pe=[::1]:1&so=0,2-4&xt.1=urn:btih:" + digits, "magnet:?xt=urn:btih:" + based + "&" + v2,
		"magnet:?xt=urn%%3A", named + "&x.pe=a.:1&amp;so=3-1,,%00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			if metainfo.Clean(err.Error(), 1<<20) != err.Error() {
				t.Errorf("the error has control characters: %q", err)
			}
			return
		}
		again, err := Parse(l.String())
		l.Warnings, again.Warnings = nil, nil
		if err != nil || !reflect.DeepEqual(l, again) {
			t.Errorf("%q is read as %+v, and what is written of that as %+v, %v", text, l, again, err)
		}
	})
}
