package announce

import (
	"math"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kouzui/wire/metainfo"
)

var addrs = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestRequestURL(t *testing.T) {
	r := Request{Port: 6881, Uploaded: 1, Downloaded: 2, Left: 3, Event: Started, NumWant: 50, Key: 0xbeef, TrackerID: "a b+c&", Compact: true}
	copy(r.InfoHash[:], "\x00 +&%~aZ9-_.\xff")
	copy(r.PeerID[:], "-KZ0001-abcdefghijkl")
	const params = "info_hash=%00%20%2B%26%25~aZ9-_.%FF%00%00%00%00%00%00%00&peer_id=-KZ0001-abcdefghijkl&port=6881&uploaded=1" +
		"&downloaded=2&left=3&compact=1&event=started&numwant=50&key=0000beef&trackerid=a%20b%2Bc%26"
	for base, want := range map[string]string{
		"http://t/announce":                "http://t/announce?" + params,
		"https://t:1/x?pass=%2B1&y#here":   "https://t:1/x?pass=%2B1&y&" + params,
		"HTTP://[::1]:8080":                "http://[::1]:8080?" + params,
		"http://t/a%2Fb/announce?":         "http://t/a%2Fb/announce?" + params,
		"http://user:secret@t/announce?k=": "http://user:secret@t/announce?k=&" + params,
	} {
		if got, err := r.URL(base); got != want || err != nil {
			t.Errorf("%s becomes\n%s, not\n%s (%v)", base, got, want, err)
		}
	}
	for _, base := range []string{"", "t", "udp://t:1", "http://", "http:///announce", "http://t\n/", "http://[::1"} {
		if got, err := r.URL(base); err == nil {
			t.Errorf("%q is taken as %s", base, got)
		}
	}
}

// What a client sends, a tracker reads.
func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Request{
			Port:       rapid.Uint16Min(1).Draw(t, "port"),
			Uploaded:   rapid.Int64Min(0).Draw(t, "uploaded"),
			Downloaded: rapid.Int64Min(0).Draw(t, "downloaded"),
			Left:       rapid.Int64Min(0).Draw(t, "left"),
			Event:      rapid.SampledFrom([]Event{None, Started, Completed, Stopped}).Draw(t, "event"),
			NumWant:    rapid.IntRange(-1, 1000).Draw(t, "numwant"),
			Key:        rapid.Uint32().Draw(t, "key"),
			TrackerID:  string(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "tracker ID")),
			Compact:    rapid.Bool().Draw(t, "compact"),
			IP:         rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("1.2.3.4")}).Draw(t, "ip"),
			IPv6:       rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("2001:db8::1")}).Draw(t, "ipv6"),
		}
		copy(r.InfoHash[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "info hash"))
		copy(r.PeerID[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "peer ID"))
		s, err := r.URL("http://t/announce?pass=1")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseRequest(u.RawQuery)
		if d := cmp.Diff(r, got, addrs); d != "" || err != nil {
			t.Fatal(d, err)
		}
		if u.Query().Get("info_hash") != string(r.InfoHash[:]) {
			t.Fatal("package url reads another info hash")
		}
	})
}

const ids = "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1"

func TestParseRequest(t *testing.T) {
	silent := Request{Port: 1, NumWant: -1, Left: math.MaxInt64}
	copy(silent.InfoHash[:], strings.Repeat("a", 20))
	copy(silent.PeerID[:], strings.Repeat("b", 20))
	for query, set := range map[string]func(r *Request){
		"":                                   func(r *Request) {},
		"&left=18446744073709551615":         func(r *Request) {},
		"&left=99999999999999999999999":      func(r *Request) {},
		"&left=0&uploaded=5&downloaded=7":    func(r *Request) { r.Left, r.Uploaded, r.Downloaded = 0, 5, 7 },
		"&event=paused&numwant=x&compact=no": func(r *Request) { r.Event = Paused },
		"&event=other":                       func(r *Request) {},
		"&event=stopped&numwant=0&compact=1": func(r *Request) { r.Event, r.NumWant, r.Compact = Stopped, 0, true },
		"&numwant=-7&ip=example.org":         func(r *Request) {},
		"&key=FF":                            func(r *Request) { r.Key = 255 },
		"&port=2&info_hash=x":                func(r *Request) {}, // the first counts
		"&ip=::ffff:1.2.3.4":                 func(r *Request) { r.IP = netip.MustParseAddr("1.2.3.4") },
		"&ipv6=[::1]:6881":                   func(r *Request) { r.IPv6 = netip.IPv6Loopback() },
		"&&=&x":                              func(r *Request) {},
	} {
		want := silent
		set(&want)
		got, err := ParseRequest(ids + query)
		if d := cmp.Diff(want, got, addrs); d != "" || err != nil {
			t.Errorf("%q: %s %v", query, d, err)
		}
	}
	if got, err := ParseRequest(strings.Replace(ids, "aa", "+%2b", 1)); err != nil || got.InfoHash[0] != '+' || got.InfoHash[1] != '+' {
		t.Errorf("a plus is read as %q, %v", got.InfoHash[:2], err)
	}
	if a, _ := ParseRequest(ids + "&key=some%20text"); a.Key == 0 {
		t.Error("a key that is no number is lost")
	}
}

func TestParseRequestRefuses(t *testing.T) {
	for query, say := range map[string]string{
		"":                                              "info_hash",
		strings.Replace(ids, "a&", "&", 1):              "info_hash must be 20 bytes, not 19",
		strings.Replace(ids, "a&", "aa&", 1):            "info_hash must be 20 bytes, not 21",
		strings.Replace(ids, "b&", "&", 1):              "peer_id must be 20",
		strings.Replace(ids, "port=1", "", 1):           "port",
		strings.Replace(ids, "port=1", "port=0", 1):     "port",
		strings.Replace(ids, "port=1", "port=65536", 1): "port",
		ids + "&left=-1":                                "left",
		ids + "&uploaded=x":                             "uploaded",
		ids + "&x=%zz":                                  "percent",
		ids + "&x=" + strings.Repeat("y", MaxQuery):     "longer",
	} {
		if _, err := ParseRequest(query); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%.60q: want %q, got %v", query, say, err)
		}
	}
}

func TestScrapeURL(t *testing.T) {
	h := metainfo.Hash{'a', ' '}
	hash := "info_hash=a%20" + strings.Repeat("%00", 18)
	for base, want := range map[string]string{
		"http://t/announce":            "http://t/scrape?" + hash,
		"http://t/x/announce.php?k=v":  "http://t/x/scrape.php?k=v&" + hash,
		"http://t/a%2Fb/announce?x%2f": "http://t/a%2Fb/scrape?x%2f&" + hash,
	} {
		got, err := ScrapeURL(base, h)
		if got != want || err != nil {
			t.Errorf("%s becomes %s, not %s (%v)", base, got, want, err)
		}
		_, query, _ := strings.Cut(got, "?")
		if hashes, err := ParseScrapeRequest(query); err != nil || len(hashes) != 1 || hashes[0] != h {
			t.Errorf("%s asks for %v, %v", got, hashes, err)
		}
	}
	for _, base := range []string{"http://t/", "http://t/a", "http://t/announce/x", "http://t/x?announce", "http://t/x%064announce", "udp://t/announce"} {
		if got, err := ScrapeURL(base, h); err == nil {
			t.Errorf("%s becomes %s", base, got)
		}
	}
	if hashes, err := ParseScrapeRequest(""); err != nil || len(hashes) != 0 {
		t.Errorf("an empty query asks for %v, %v", hashes, err)
	}
	if _, err := ParseScrapeRequest("info_hash=short"); err == nil {
		t.Error("a short info hash is taken")
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(ids)
	f.Add(ids + "&left=0&event=started&key=ff&ip=1.2.3.4&ipv6=::1&trackerid=%00&numwant=9")
	f.Add("info_hash=%&%=%zz")
	f.Fuzz(func(t *testing.T, query string) {
		_, _ = ParseScrapeRequest(query)
		r, err := ParseRequest(query)
		if err != nil {
			return
		}
		if r.Port == 0 || r.Left < 0 || r.Uploaded < 0 || r.Downloaded < 0 || r.NumWant < -1 {
			t.Fatalf("read as %+v", r)
		}
		s, err := r.URL("http://t/announce")
		if err != nil {
			t.Fatal(err)
		}
		_, again, _ := strings.Cut(s, "?")
		if got, err := ParseRequest(again); len(again) <= MaxQuery && (err != nil || got != r) {
			t.Fatalf("%+v\nis sent and read back as\n%+v (%v)", r, got, err)
		}
	})
}
