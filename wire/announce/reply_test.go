package announce

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kouzui/wire/metainfo"
)

var equal = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}), cmpopts.EquateEmpty()}

func peers(addrs ...string) []Peer {
	var l []Peer
	for _, a := range addrs {
		l = append(l, Peer{Addr: netip.MustParseAddrPort(a)})
	}
	return l
}

func TestParseReply(t *testing.T) {
	const id = "-KZ0001-abcdefghijkl"
	known := peers("1.2.3.4:5")
	known[0].HasID = true
	copy(known[0].ID[:], id)
	plain := Reply{Interval: DefaultInterval, Seeders: -1, Leechers: -1}
	for body, set := range map[string]func(r *Reply){
		"de":                                 func(r *Reply) {},
		"d11:external ip4:\xc0\x00\x02\x07e": func(r *Reply) { r.External = netip.MustParseAddr("192.0.2.7") },
		"d11:external ip5:12345e":            func(r *Reply) {},
		"detail":                             func(r *Reply) {},
		"d8:intervali1800e5:peers6:\x01\x02\x03\x04\x1a\xe1e": func(r *Reply) { r.Peers = peers("1.2.3.4:6881") },
		// keys in no order, an unknown one with an unsorted dictionary in it
		"d5:peers0:1:xd1:b0:1:a0:e8:completei3e10:incompletei4e8:intervali60ee": func(r *Reply) { r.Interval, r.Seeders, r.Leechers = time.Minute, 3, 4 },
		"d6:peers618:" + strings.Repeat("\x20", 16) + "\x00\x01e":               func(r *Reply) { r.Peers = peers("[2020:2020:2020:2020:2020:2020:2020:2020]:1") },
		"d5:peersld2:ip7:1.2.3.47:peer id20:" + id + "4:porti5eeee":             func(r *Reply) { r.Peers = known },
		"d5:peersld2:ip3:::14:porti5eed2:ip1:x4:porti5eei7edeee":                func(r *Reply) { r.Peers, r.Dropped = peers("[::1]:5"), 3 },
		"d5:peersld2:ip7:1.2.3.44:porti65536eed2:ip7:1.2.3.44:porti-1eeee":      func(r *Reply) { r.Dropped = 2 },
		"d5:peersld2:ip14:::ffff:1.2.3.44:porti5eeee":                           func(r *Reply) { r.Peers = peers("1.2.3.4:5") },
		"d5:peersld2:ip9:fe80::1%x4:porti5eeee":                                 func(r *Reply) { r.Dropped = 1 },
		"d5:peers6:\xa9\xfe\xa9\xfe\x00\x50e":                                   func(r *Reply) { r.Dropped = 1 },
		// port 0, unspecified, multicast, broadcast, a part of a peer
		"d5:peers26:\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x01\xe0\x00\x00\x01\x00\x01\xff\xff\xff\xff\x00\x01zze": func(r *Reply) { r.Dropped = 5 },
		"d5:peersi5e6:peers6le8:completei-1e10:incomplete1:xe":                                                           func(r *Reply) {},
		"d10:tracker id3:\x00\x01\x0215:warning message6:a\x1b[31me":                                                     func(r *Reply) { r.TrackerID, r.Warning = "\x00\x01\x02", "a\uFFFD[31m" },
		"d10:tracker id2000:" + strings.Repeat("x", 2000) + "e":                                                          func(r *Reply) {},
		"d14:failure reason4:no\r\ne":                                                                                    func(r *Reply) { r.Failure, r.Interval = "no  ", 0 },
		"d14:failure reasoni1e8:intervali5ee":                                                                            func(r *Reply) { r.Failure, r.Interval = "no reason given", 0 },
		"d14:failure reason1:x8:retry in5:nevere":                                                                        func(r *Reply) { r.Failure, r.Interval, r.RetryNever = "x", 0, true },
		"d14:failure reason1:x8:retry ini2ee":                                                                            func(r *Reply) { r.Failure, r.Interval, r.RetryIn = "x", 0, 2*time.Minute },
		"d14:failure reason1:x8:retry ini99999999999eee":                                                                 func(r *Reply) { r.Failure, r.Interval, r.RetryIn = "x", 0, MostInterval },
	} {
		want := plain
		set(&want)
		got, err := ParseReply([]byte(body))
		if d := cmp.Diff(want, got, equal); d != "" || err != nil {
			t.Errorf("%.100q: %s %v", body, d, err)
		}
	}
}

func TestParseReplyRefuses(t *testing.T) {
	for _, body := range []string{"", "<html>", "le", "i1e", "d8:intervali1e", "d1:a" + strings.Repeat("l", 1000), strings.Repeat(" ", MaxReply+1),
		"d5:peersl" + strings.Repeat("de", maxValues) + "ee"} {
		if r, err := ParseReply([]byte(body)); err == nil {
			t.Errorf("%.50q is taken as %+v", body, r)
		}
	}
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		interval, least string
		want, wantLeast time.Duration
	}{
		{"i600e", "i300e", 10 * time.Minute, 5 * time.Minute},
		{"i600e", "i900e", 15 * time.Minute, 15 * time.Minute},
		{"i0e", "i0e", DefaultInterval, 0},
		{"i-5e", "i-5e", DefaultInterval, 0},
		{"i1e", "i1e", LeastInterval, LeastInterval},
		{"i9223372036854775807e", "i1e", MostInterval, LeastInterval},
		{"i9223372036854775808e", "4:soon", DefaultInterval, 0},
		{"i18446744074e", "i9223372036854775807e", MostInterval, MostInterval},
	} {
		r, err := ParseReply([]byte("d8:interval" + c.interval + "12:min interval" + c.least + "e"))
		if err != nil || r.Interval != c.want || r.MinInterval != c.wantLeast {
			t.Errorf("%s and %s become %v and %v, %v", c.interval, c.least, r.Interval, r.MinInterval, err)
		}
	}
}

func TestPeersAreCapped(t *testing.T) {
	compact := strings.Repeat("\x01\x02\x03\x04\x00\x05", MaxPeers+7)
	dicts := strings.Repeat("d2:ip7:1.2.3.44:porti5ee", MaxPeers+7)
	for _, peers := range []string{fmt.Sprintf("%d:%s", len(compact), compact), "l" + dicts + "e"} {
		r, err := ParseReply([]byte("d5:peers" + peers + "6:peers618:" + strings.Repeat("x", 18) + "e"))
		if err != nil || len(r.Peers) != MaxPeers || r.Dropped != 8 {
			t.Errorf("%d peers, %d dropped, %v", len(r.Peers), r.Dropped, err)
		}
	}
}

// reply draws an answer that a sane tracker could give.
func reply(t *rapid.T) Reply {
	seconds := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(5, 86400).Draw(t, "seconds")) * time.Second
	})
	r := Reply{
		Warning:     rapid.StringMatching(`[a-z ]{0,9}`).Draw(t, "warning"),
		MinInterval: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "min interval"),
		TrackerID:   string(rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "tracker ID")),
		Seeders:     rapid.IntRange(-1, 100).Draw(t, "seeders"),
		Leechers:    rapid.IntRange(-1, 100).Draw(t, "leechers"),
	}
	r.Interval = max(seconds.Draw(t, "interval"), r.MinInterval)
	r.External = rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}).Draw(t, "external")
	for range rapid.IntRange(0, 9).Draw(t, "v4") {
		a := [4]byte{127, 0, 0, rapid.Byte().Draw(t, "v4 address")}
		r.Peers = append(r.Peers, Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4(a), rapid.Uint16Min(1).Draw(t, "port"))})
	}
	for range rapid.IntRange(0, 9).Draw(t, "v6") {
		a := [16]byte{0x20, 1, 15: rapid.Byte().Draw(t, "v6 address")}
		r.Peers = append(r.Peers, Peer{Addr: netip.AddrPortFrom(netip.AddrFrom16(a), rapid.Uint16Min(1).Draw(t, "port"))})
	}
	return r
}

// What a tracker sends, a client reads.
func TestReplyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, compact := reply(t), rapid.Bool().Draw(t, "compact")
		for i := range want.Peers {
			if want.Peers[i].HasID = !compact && i%2 == 0; want.Peers[i].HasID {
				copy(want.Peers[i].ID[:], fmt.Sprintf("-KZ0001-%012d", i))
			}
		}
		got, err := ParseReply(AppendReply(nil, want, compact))
		if d := cmp.Diff(want, got, equal); d != "" || err != nil {
			t.Fatal(d, err)
		}
	})
}

func TestAppendReply(t *testing.T) {
	for want, r := range map[string]Reply{
		"d8:completei0e10:incompletei1e8:intervali60e5:peers6:\x7f\x00\x00\x01\x00\x05e": {Interval: time.Minute, Leechers: 1, Peers: append(peers("[::ffff:127.0.0.1]:5"), Peer{})},
		"d14:failure reason2:noe":                     {Failure: "no", Peers: peers("1.2.3.4:5")},
		"d14:failure reason2:no8:retry ini2ee":        {Failure: "no", RetryIn: 61 * time.Second},
		"d14:failure reason2:no8:retry in5:nevere":    {Failure: "no", RetryNever: true},
		"d8:intervali0e5:peers0:10:tracker id1:\x00e": {Seeders: -1, Leechers: -1, TrackerID: "\x00"},
	} {
		if got := AppendReply([]byte("before"), r, true); string(got) != "before"+want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	if got := AppendReply(nil, Reply{Seeders: -1, Leechers: -1, Peers: []Peer{{}}}, false); string(got) != "d8:intervali0e5:peerslee" {
		t.Errorf("no peers are written as %q", got)
	}
}

func TestScrapeRoundTrip(t *testing.T) {
	want := map[metainfo.Hash]Stats{{1}: {1, 2, 3}, {2}: {-1, 0, -1}}
	got, err := ParseScrape(AppendScrape(nil, want))
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if got, err := ParseScrape([]byte("d5:filesd3:abcde20:aaaaaaaaaaaaaaaaaaaai1eee")); err != nil || len(got) != 0 {
		t.Errorf("nonsense is read as %v, %v", got, err)
	}
	for body, say := range map[string]string{"de": "no torrents", "x": "cannot be read", string(AppendFailure(nil, "go away")): "refuses: go away"} {
		if _, err := ParseScrape([]byte(body)); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: want %q, got %v", body, say, err)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add([]byte("d8:completei3e8:intervali60e5:peers6:\x01\x02\x03\x04\x1a\xe16:peers60:e"))
	f.Add([]byte("d5:peersld2:ip3:::14:porti5eed2:ip1:x4:porti5eei7edeee"))
	f.Add([]byte("d14:failure reason1:x8:retry in5:nevere"))
	f.Add([]byte("d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1eeee"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = ParseScrape(body)
		r, err := ParseReply(body)
		if err != nil {
			return
		}
		if r.Failure == "" && (r.Interval < LeastInterval || r.Interval > MostInterval || r.MinInterval > r.Interval) {
			t.Fatalf("intervals %v and %v", r.Interval, r.MinInterval)
		}
		if len(r.Peers) > MaxPeers || len(r.Failure) > MaxText || strings.ContainsAny(r.Failure+r.Warning, "\x1b\n") {
			t.Fatalf("read as %+v", r)
		}
		for _, p := range r.Peers {
			if a := p.Addr.Addr(); !p.Addr.IsValid() || p.Addr.Port() == 0 || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
				t.Fatalf("peer %v", p)
			}
		}
		if again, err := ParseReply(AppendReply(nil, r, false)); err != nil || len(again.Peers) != len(r.Peers) || again.Interval != r.Interval {
			t.Fatalf("%+v\nis sent and read back as\n%+v (%v)", r, again, err)
		}
	})
}
