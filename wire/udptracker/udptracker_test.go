package udptracker

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

var equal = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}), cmpopts.EquateEmpty()}

// packet reads hexadecimal digits, between which there may be spaces.
func packet(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var request = announce.Request{
	InfoHash: metainfo.Hash([]byte(strings.Repeat("a", 20))), PeerID: [20]byte([]byte(strings.Repeat("b", 20))),
	Downloaded: 1, Left: 2, Uploaded: 3, Event: announce.Started, Key: 0x01020304, NumWant: -1, Port: 6881, Compact: true,
}

const announced = "1122334455667788 00000001 cafebabe" +
	"6161616161616161616161616161616161616161 6262626262626262626262626262626262626262" +
	"0000000000000001 0000000000000002 0000000000000003 00000002 00000000 01020304 ffffffff 1ae1"

// The layouts are those of BEP 15 and BEP 41.
func TestRequests(t *testing.T) {
	two := []metainfo.Hash{request.InfoHash, {}}
	for name, c := range map[string]struct {
		packet string
		want   Request
		build  func() []byte
	}{
		"connect": {
			"0000041727101980 00000000 cafebabe", Request{Action: Connect, Transaction: 0xcafebabe},
			func() []byte { return AppendConnect(nil, 0xcafebabe) },
		},
		"announce": {
			announced, Request{Action: Announce, Connection: 0x1122334455667788, Transaction: 0xcafebabe, Announce: request},
			func() []byte { return AppendAnnounce(nil, 0x1122334455667788, 0xcafebabe, request, "") },
		},
		"announce with a path": {
			announced + "02 05 2f613f623d",
			Request{Action: Announce, Connection: 0x1122334455667788, Transaction: 0xcafebabe, Announce: request, Path: "/a?b="},
			func() []byte { return AppendAnnounce(nil, 0x1122334455667788, 0xcafebabe, request, "/a?b=") },
		},
		"scrape": {
			"1122334455667788 00000002 cafebabe 6161616161616161616161616161616161616161 0000000000000000000000000000000000000000",
			Request{Action: Scrape, Connection: 0x1122334455667788, Transaction: 0xcafebabe, Torrents: two},
			func() []byte { return AppendScrape(nil, 0x1122334455667788, 0xcafebabe, two) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := packet(t, c.packet)
			if got := c.build(); !bytes.Equal(got, want) {
				t.Errorf("built as\n%x, not\n%x", got, want)
			}
			// A longer packet is legal.
			for _, packet := range [][]byte{want, append(bytes.Clone(want), 0, 9, 9)} {
				got, err := ParseRequest(packet)
				if diff := cmp.Diff(c.want, got, equal); diff != "" || err != nil {
					t.Errorf("%x: %v %s", packet, err, diff)
				}
			}
		})
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for name, p := range map[string]string{
		"nothing":             "",
		"too short":           "0000041727101980 00000000 cafeba",
		"another magic":       "0000041727101981 00000000 cafebabe",
		"an action of answer": "1122334455667788 00000003 cafebabe",
		"an unknown action":   "1122334455667788 00000004 cafebabe",
		"KRPC":                hex.EncodeToString([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")),
	} {
		if r, err := ParseRequest(packet(t, p)); !errors.Is(err, ErrNoRequest) {
			t.Errorf("%s is read as %+v, %v", name, r, err)
		}
	}
	for name, p := range map[string]string{
		"announce, cut off": announced[:len(announced)-2],
		"announce, port 0":  announced[:len(announced)-4] + "0000",
		"scrape of nothing": "1122334455667788 00000002 cafebabe",
	} {
		r, err := ParseRequest(packet(t, p))
		if err == nil || errors.Is(err, ErrNoRequest) || r.Transaction != 0xcafebabe || r.Connection != 0x1122334455667788 {
			t.Errorf("%s is read as %+v, %v", name, r, err)
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	long := "/" + strings.Repeat("x", 700)
	r, err := ParseRequest(AppendAnnounce(nil, 1, 2, request, long))
	if err != nil || r.Path != long {
		t.Errorf("%d bytes, %v", len(r.Path), err)
	}
	if r, err = ParseRequest(AppendAnnounce(nil, 1, 2, request, strings.Repeat(long, 9))); err != nil || len(r.Path) != MaxPath {
		t.Errorf("%d bytes, %v", len(r.Path), err)
	}
	for options, want := range map[string]string{"01 01 0201 2f 00 0201 2f": "/", "0202 2f": "", "02": "", "07 0201 2f": "", "0201 2f 0203 2f": "/"} {
		if r, err := ParseRequest(packet(t, announced+options)); err != nil || r.Path != want {
			t.Errorf("%s: %q, %v", options, r.Path, err)
		}
	}
}

func peers(addrs ...string) []announce.Peer {
	var l []announce.Peer
	for _, a := range addrs {
		l = append(l, announce.Peer{Addr: netip.MustParseAddrPort(a)})
	}
	return l
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		packet string
		six    bool
		want   announce.Reply
	}{
		"IPv4": {
			"00000001 cafebabe 00000708 00000004 00000003 01020304 1ae1 05060708 0001", false,
			announce.Reply{Interval: 30 * time.Minute, Leechers: 4, Seeders: 3, Peers: peers("1.2.3.4:6881", "5.6.7.8:1")},
		},
		"IPv6": {
			"00000001 cafebabe 00000708 00000004 00000003 20010db8000000000000000000000001 1ae1", true,
			announce.Reply{Interval: 30 * time.Minute, Leechers: 4, Seeders: 3, Peers: peers("[2001:db8::1]:6881")},
		},
		"nobody": {"00000001 cafebabe 00000708 00000000 00000000", false, announce.Reply{Interval: 30 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			p := packet(t, c.packet)
			if got := AppendReply(nil, 0xcafebabe, c.want, c.six); !bytes.Equal(got, p) {
				t.Errorf("built as\n%x, not\n%x", got, p)
			}
			a, err := ParseAnswer(p)
			if err != nil || a.Action != Announce || a.Transaction != 0xcafebabe {
				t.Fatalf("%+v, %v", a, err)
			}
			got, err := ParseReply(a.Body, c.six)
			if diff := cmp.Diff(c.want, got, equal); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
	if got := AppendConnected(nil, 0xcafebabe, 0x1122334455667788); !bytes.Equal(got, packet(t, "00000000 cafebabe 1122334455667788")) {
		t.Errorf("%x", got)
	}
	if id, err := ParseConnected(packet(t, "1122334455667788 ff")); err != nil || id != 0x1122334455667788 {
		t.Errorf("%x, %v", id, err)
	}
	stats := []announce.Stats{{Seeders: 1, Completed: 2, Leechers: 3}, {}}
	scraped := AppendScraped(nil, 0xcafebabe, stats)
	if !bytes.Equal(scraped, packet(t, "00000002 cafebabe 00000001 00000002 00000003 000000000000000000000000")) {
		t.Errorf("%x", scraped)
	}
	unknown := announce.Stats{Seeders: -1, Leechers: -1, Completed: -1}
	if diff := cmp.Diff(append(stats, unknown), ParseScrape(scraped[8:], 3)); diff != "" {
		t.Error(diff)
	}
	failed := AppendFailed(nil, 0xcafebabe, "no\x1b[31m")
	if !bytes.Equal(failed[:10], packet(t, "00000003 cafebabe 6e6f")) {
		t.Errorf("%x", failed)
	}
	if reason := ParseFailed(failed[8:]); !strings.HasPrefix(reason, "no") || strings.Contains(reason, "\x1b") {
		t.Errorf("%q", reason)
	}
	if ParseFailed(nil) == "" {
		t.Error("no reason")
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, p := range []string{"", "00000001 cafeba", "00000004 cafebabe", "64313a61 6432326964"} {
		if a, err := ParseAnswer(packet(t, p)); err == nil {
			t.Errorf("%s is read as %+v", p, a)
		}
	}
	if _, err := ParseConnected(make([]byte, 7)); err == nil {
		t.Error("a connection ID of 7 bytes is taken")
	}
	if _, err := ParseReply(nil, false); !errors.Is(err, ErrNotServed) {
		t.Errorf("an announce that is answered with 8 bytes: %v", err)
	}
	if _, err := ParseReply(make([]byte, 11), false); err == nil {
		t.Error("a reply of 11 bytes is taken")
	}
}

// A reply keeps to the limits of package announce.
func TestRepliesAreLimited(t *testing.T) {
	for interval, want := range map[string]time.Duration{
		"00000000": announce.DefaultInterval, "ffffffff": announce.DefaultInterval,
		"00000001": announce.LeastInterval, "7fffffff": announce.MostInterval,
	} {
		r, err := ParseReply(packet(t, interval+"ffffffff ffffffff 01020304 0000 7f000001 0001"), false)
		if err != nil || r.Interval != want || r.Seeders != -1 || r.Leechers != -1 || len(r.Peers) != 1 || r.Dropped != 1 {
			t.Errorf("%s: %+v, %v", interval, r, err)
		}
	}
	if got := AppendReply(nil, 1, announce.Reply{Peers: slicesOf(peers("[2001:db8::1]:1"), 1000)}, true); len(got) > MaxAnswer || len(got) < MaxAnswer-compact6 {
		t.Errorf("an answer of %d bytes", len(got))
	}
	if got := AppendScraped(nil, 1, make([]announce.Stats, MaxScrape)); len(got) > MaxAnswer {
		t.Errorf("an answer of %d bytes", len(got))
	}
}

func slicesOf(p []announce.Peer, n int) (all []announce.Peer) {
	for range n {
		all = append(all, p...)
	}
	return all
}

// What a client sends, a tracker reads.
func TestAnnounceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := announce.Request{
			InfoHash: metainfo.Hash(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hash")), PeerID: request.PeerID, Compact: true,
			Uploaded: rapid.Int64Min(0).Draw(t, "up"), Downloaded: rapid.Int64Min(0).Draw(t, "down"), Left: rapid.Int64Min(0).Draw(t, "left"),
			Event: announce.Event(rapid.IntRange(0, int(announce.Paused)).Draw(t, "event")), Key: rapid.Uint32().Draw(t, "key"),
			NumWant: rapid.IntRange(-1, math.MaxInt32).Draw(t, "want"), Port: rapid.Uint16Min(1).Draw(t, "port"),
		}
		path := rapid.StringN(0, -1, MaxPath).Draw(t, "path")
		id, transaction := rapid.Uint64().Draw(t, "id"), rapid.Uint32().Draw(t, "transaction")
		got, err := ParseRequest(AppendAnnounce(nil, id, transaction, want, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Request{Action: Announce, Connection: id, Transaction: transaction, Announce: want, Path: path}, got, equal); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	f.Add(AppendConnect(nil, 1))
	f.Add(AppendAnnounce(nil, 1, 2, request, "/announce?key"))
	f.Add(AppendScrape(nil, 1, 2, []metainfo.Hash{{1}, {2}}))
	f.Fuzz(func(t *testing.T, packet []byte) {
		r, err := ParseRequest(packet)
		if err != nil {
			return
		}
		a := r.Announce
		if r.Action >= Failed || len(r.Torrents) > MaxScrape || len(r.Path) > MaxPath || a.Left < 0 || a.Uploaded < 0 || a.Downloaded < 0 || a.NumWant < -1 {
			t.Fatalf("read as %+v", r)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(AppendConnected(nil, 1, 2))
	f.Add(AppendReply(nil, 1, announce.Reply{Peers: peers("1.2.3.4:5")}, false))
	f.Add(AppendReply(nil, 1, announce.Reply{Peers: peers("[::1]:5")}, true))
	f.Add(AppendFailed(nil, 1, "\x00\xff"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		a, err := ParseAnswer(packet)
		if err != nil {
			return
		}
		_, _ = ParseConnected(a.Body)
		for _, six := range []bool{false, true} {
			r, err := ParseReply(a.Body, six)
			if err == nil && (len(r.Peers) > announce.MaxPeers || r.Interval < announce.LeastInterval || r.Interval > announce.MostInterval || r.Failure != "") {
				t.Fatalf("read as %+v", r)
			}
		}
		for _, s := range ParseScrape(a.Body, MaxScrape) {
			if s.Seeders < -1 || s.Leechers < -1 || s.Completed < -1 {
				t.Fatalf("read as %+v", s)
			}
		}
		if reason := ParseFailed(a.Body); reason == "" || len(reason) > announce.MaxText {
			t.Fatalf("the reason %q", reason)
		}
	})
}
