package krpc_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kouzui/wire/krpc"
)

var (
	querying   = krpc.ID([]byte("abcdefghij0123456789"))
	queried    = krpc.ID([]byte("mnopqrstuvwxyz123456"))
	responding = krpc.ID([]byte("0123456789abcdefghij"))
	aa         = []byte("aa")
	token      = []byte("aoeusnth")
)

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// TestExamples: those of BEP 5, to the byte but for the text of the error, and
// what other clients add.
func TestExamples(t *testing.T) {
	for raw, want := range map[string]krpc.Message{
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe":                                                                                                          {Kind: krpc.Query, Transaction: aa, Method: krpc.Ping, ID: querying},
		"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re":                                                                                                                   {Kind: krpc.Reply, Transaction: aa, ID: queried},
		"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe":                                                                      {Kind: krpc.Query, Transaction: aa, Method: krpc.FindNode, ID: querying, Target: queried},
		"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe":                                                                   {Kind: krpc.Query, Transaction: aa, Method: krpc.GetPeers, ID: querying, Target: queried},
		"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re":                                                                        {Kind: krpc.Reply, Transaction: aa, ID: querying, Token: token, Values: []netip.AddrPort{addr("97.120.106.101:11893"), addr("105.100.104.116:28269")}},
		"d1:eli201e15:A Generic Errore1:t2:aa1:y1:ee":                                                                                                                       {Kind: krpc.Error, Transaction: aa, Code: krpc.GenericError, Text: "A Generic Error"},
		"d1:rd2:id20:0123456789abcdefghij5:nodes26:mnopqrstuvwxyz123456axje.ue1:t2:aa1:v4:KZ011:y1:re":                                                                      {Kind: krpc.Reply, Transaction: aa, Version: []byte("KZ01"), ID: responding, Nodes: []krpc.Node{{ID: queried, Addr: addr("97.120.106.101:11893")}}},
		"d2:ip6:axje.u1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re":                                                                                                       {Kind: krpc.Reply, Transaction: aa, ID: queried, External: addr("97.120.106.101:11893")},
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:y1:qe":                                                                                                   {Kind: krpc.Query, Transaction: aa, Method: krpc.Ping, ID: querying, ReadOnly: true},
		"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe":                                                      {Kind: krpc.Query, Transaction: aa, Method: krpc.FindNode, ID: querying, Target: queried, Want: krpc.N4 | krpc.N6},
		"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe":               {Kind: krpc.Query, Transaction: aa, Method: krpc.AnnouncePeer, ID: querying, Target: queried, Port: 6881, Implied: true, Token: token},
		"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881e4:seedi1e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe":                        {Kind: krpc.Query, Transaction: aa, Method: krpc.AnnouncePeer, ID: querying, Target: queried, Port: 6881, Seed: true, Token: token},
		"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe":                                             {Kind: krpc.Query, Transaction: aa, Method: krpc.GetPeers, ID: querying, Target: queried, NoSeeds: true, Scrape: true},
		"d1:rd2:id20:0123456789abcdefghij8:intervali60e5:nodes26:mnopqrstuvwxyz123456axje.u3:numi7e7:samples40:abcdefghij0123456789mnopqrstuvwxyz123456e1:t2:aa1:y1:re":     {Kind: krpc.Reply, Transaction: aa, ID: responding, Nodes: []krpc.Node{{ID: queried, Addr: addr("97.120.106.101:11893")}}, Sampled: true, Samples: []krpc.ID{querying, queried}, Stored: 7, Interval: 60},
		"d1:rd2:id20:0123456789abcdefghij6:nodes638:mnopqrstuvwxyz123456\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01.u5:token8:aoeusnthe1:t2:aa1:y1:re": {Kind: krpc.Reply, Transaction: aa, ID: responding, Token: token, Nodes6: []krpc.Node{{ID: queried, Addr: addr("[2001:db8::1]:11893")}}},
		"d1:rd2:id20:0123456789abcdefghij6:valuesl18:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01.uee1:t2:aa1:y1:re":                                    {Kind: krpc.Reply, Transaction: aa, ID: responding, Values: []netip.AddrPort{addr("[2001:db8::1]:11893")}},
	} {
		got, err := krpc.Parse([]byte(raw))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as\n%+v, want\n%+v (%v)", raw, got, want, err)
		}
		if out := want.Append(nil); string(out) != raw {
			t.Errorf("%+v goes out as\n%q, want\n%q", want, out, raw)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                    "",
		"no dictionary":              "le",
		"no kind":                    "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aae",
		"unknown kind":               "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:xe",
		"no transaction":             "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe",
		"long transaction":           "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t33:" + strings.Repeat("a", 33) + "1:y1:qe",
		"no arguments":               "d1:q4:ping1:t2:aa1:y1:qe",
		"arguments that are no dict": "d1:ai1e1:q4:ping1:t2:aa1:y1:qe",
		"no id":                      "d1:ade1:q4:ping1:t2:aa1:y1:qe",
		"short id":                   "d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe",
		"no target":                  "d1:ad2:id20:abcdefghij0123456789e1:q9:find_node1:t2:aa1:y1:qe",
		"target for a hash":          "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
		"announce without token":     "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881ee1:q13:announce_peer1:t2:aa1:y1:qe",
		"announce of no port":        "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti65536e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
		"reply without id":           "d1:rde1:t2:aa1:y1:re",
		"too long":                   "d1:rd2:id20:mnopqrstuvwxyz1234561:x16384:" + strings.Repeat("x", 16384) + "e1:t2:aa1:y1:re",
		"many values":                "d1:rd2:id20:mnopqrstuvwxyz1234561:xl" + strings.Repeat("0:", 600) + "ee1:t2:aa1:y1:re",
		"deep":                       "d1:r" + strings.Repeat("l", 700) + strings.Repeat("e", 700) + "1:t2:aa1:y1:re",
	} {
		if m, err := krpc.Parse([]byte(raw)); err == nil {
			t.Errorf("%s: taken as %+v", name, m)
		}
	}
}

// What makes no sense in a message of use is left out, not the message.
func TestParseLeavesOut(t *testing.T) {
	for name, raw := range map[string]string{
		"nodes of another length": "5:nodes25:mnopqrstuvwxyz123456axje.",
		"a node at port 0":        "5:nodes26:mnopqrstuvwxyz123456axje\x00\x00",
		"values of other lengths": "6:valuesl5:axje.7:axje.uu0:e",
		"a value at port 0":       "6:valuesl6:axje\x00\x00e",
		"an IPv4 address as IPv6": "6:valuesl18:\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xffaxje.ue",
		"values that are a dict":  "6:valuesi5e",
		"a long token":            "5:token65:" + strings.Repeat("t", 65),
		"a filter too short":      "4:BFsd4:aaaa",
		"samples of odd length":   "7:samples19:aaaaaaaaaaaaaaaaaaa",
	} {
		m, err := krpc.Parse([]byte("d1:rd2:id20:mnopqrstuvwxyz123456" + raw + "e1:t2:aa1:y1:re"))
		if err != nil || len(m.Nodes) > 0 || len(m.Values) > 0 || m.Token != nil || m.Seeds != nil || m.Samples != nil {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestErrorsAreFitToShow(t *testing.T) {
	m, err := krpc.Parse([]byte("d1:eli203e4:\x1b[2Je1:t2:aa1:y1:ee"))
	if err != nil || m.Code != 203 || strings.Contains(m.Text, "\x1b") {
		t.Errorf("%d %q, %v", m.Code, m.Text, err)
	}
}

// A query that cannot be read is answered all the same if it has a transaction
// id.
func TestWhatIsWrongCanBeAnswered(t *testing.T) {
	m, err := krpc.Parse([]byte("d1:ade1:q4:ping1:t2:aa1:y1:qe"))
	if err == nil || m.Kind != krpc.Query || string(m.Transaction) != "aa" {
		t.Errorf("%+v, %v", m, err)
	}
}

func genID(t *rapid.T) krpc.ID { return krpc.ID(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "id")) }

func genAddr(t *rapid.T, size int) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "ip"))
	if ip.Is4In6() {
		ip = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(ip, rapid.Uint16Min(1).Draw(t, "port"))
}

func genNodes(t *rapid.T, size int) (list []krpc.Node) {
	for range rapid.IntRange(0, 8).Draw(t, "nodes") {
		list = append(list, krpc.Node{ID: genID(t), Addr: genAddr(t, size)})
	}
	return list
}

// Whatever a reply has, it fits, and what fits comes back in its order.
func TestRepliesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := krpc.Message{
			Kind: krpc.Reply, ID: genID(t), Nodes: genNodes(t, 4), Nodes6: genNodes(t, 16),
			Transaction: rapid.SliceOfN(rapid.Byte(), 1, krpc.MaxTransaction).Draw(t, "transaction"),
			External:    genAddr(t, 16),
		}
		if n := rapid.IntRange(0, krpc.MaxToken).Draw(t, "token"); n > 0 {
			m.Token = bytes.Repeat([]byte("t"), n)
		}
		if rapid.Bool().Draw(t, "scrape") {
			m.Seeds, m.Peers = new(krpc.Filter), new(krpc.Filter)
			m.Seeds.Add(netip.IPv6Loopback())
		}
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "family")
		for range rapid.IntRange(0, 100).Draw(t, "values") {
			m.Values = append(m.Values, netip.AddrPortFrom(genAddr(t, size).Addr(), 1))
		}
		if m.Sampled = rapid.Bool().Draw(t, "sampled"); m.Sampled {
			m.Samples = make([]krpc.ID, rapid.IntRange(0, 60).Draw(t, "samples"))
			m.Stored, m.Interval = 1<<31-1, 21600
		}
		raw := m.Append(nil)
		if len(raw) > krpc.MaxSize {
			t.Fatalf("%d bytes", len(raw))
		}
		got, err := krpc.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) < krpc.MaxSize/2 && (len(got.Values) < len(m.Values) || len(got.Samples) < len(m.Samples) || len(got.Nodes6) < len(m.Nodes6)) {
			t.Fatalf("left out of %d bytes", len(raw))
		}
		m.Values, m.Nodes6, m.Samples = m.Values[:len(got.Values)], m.Nodes6[:len(got.Nodes6)], m.Samples[:len(got.Samples)]
		if fmt.Sprintf("%+v", plain(got)) != fmt.Sprintf("%+v", plain(m)) {
			t.Fatalf("%+v comes back as %+v", m, got)
		}
	})
}

// plain has the filters as values.
func plain(m krpc.Message) any {
	var f [2]krpc.Filter
	if m.Seeds != nil {
		f[0] = *m.Seeds
	}
	m.Seeds, m.Peers = nil, nil
	return []any{m, f}
}

// FuzzParse: what is read goes out again and is read the same.
func FuzzParse(f *testing.F) {
	for _, raw := range []string{
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
		"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
		"d1:rd2:id20:0123456789abcdefghij5:nodes26:mnopqrstuvwxyz123456axje.ue1:t2:aa1:v4:KZ011:y1:re",
		"d1:eli201e15:A Generic Errore1:t2:aa1:y1:ee",
		"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := krpc.Parse(raw)
		if err != nil || len(m.Nodes) > 8 || len(m.Nodes6) > 8 {
			return
		}
		if m.Kind == krpc.Query && m.Method == "" {
			return // of an unknown query only the transaction id goes out
		}
		out := m.Append(nil)
		if len(out) > krpc.MaxReceived {
			t.Fatalf("%d bytes of %d", len(out), len(raw))
		}
		again, err := krpc.Parse(out)
		if err != nil || again.ID != m.ID || again.Target != m.Target || !bytes.Equal(again.Token, m.Token) || len(again.Nodes) != len(m.Nodes) {
			t.Fatalf("%q is read as %+v, and that as %+v (%v)", raw, m, again, err)
		}
	})
}

// TestFilter: the vector of BEP 33.
func TestFilter(t *testing.T) {
	var f krpc.Filter
	for i := range 256 {
		f.Add(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
	}
	ip := netip.MustParseAddr("2001:db8::").As16()
	for i := range 0x3e8 {
		ip[14], ip[15] = byte(i>>8), byte(i)
		f.Add(netip.AddrFrom16(ip))
	}
	if got := fmt.Sprintf("%x", f[:4]); got != "f6c3f5ea" {
		t.Errorf("begins %s", got)
	}
	if got := fmt.Sprintf("%.4f", f.Count()); got != "1224.9309" {
		t.Errorf("estimate %s", got)
	}
	var other, full krpc.Filter
	other.Union(&f)
	for i := range full {
		full[i] = 0xff
	}
	if other != f || new(krpc.Filter).Count() > 0.6 || full.Count() < 6000 {
		t.Errorf("union, empty %v or full %v is wrong", new(krpc.Filter).Count(), full.Count())
	}
}

func BenchmarkParse(b *testing.B) {
	m := reply(8, 0)
	raw := m.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := krpc.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m := reply(8, 50)
	buf := make([]byte, 0, krpc.MaxSize)
	b.ReportAllocs()
	for b.Loop() {
		m.Append(buf)
	}
}

func reply(nodes, values int) krpc.Message {
	m := krpc.Message{Kind: krpc.Reply, Transaction: aa, ID: querying, Token: token, External: addr("192.0.2.1:1")}
	for i := range nodes {
		m.Nodes = append(m.Nodes, krpc.Node{ID: queried, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1)})
	}
	for i := range values {
		m.Values = append(m.Values, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1))
	}
	return m
}
