package natpmp

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var (
	nonce = [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	tcp   = Map{TCP: true, Inner: 7001, Outer: 7002, Lease: time.Hour, Nonce: nonce}
	inner = netip.MustParseAddr("10.99.10.2")
	outer = netip.MustParseAddr("203.0.113.9")
)

func bytesOf(t testing.TB, text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRequests: as the figures of both RFCs have them.
func TestRequests(t *testing.T) {
	udp, over := tcp, tcp
	udp.TCP, over.Lease = false, 0
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"address":          {AppendAddress(nil), "0000"},
		"PMP, TCP":         {AppendPMP(nil, tcp), "0002 0000 1b59 1b5a 00000e10"},
		"PMP, UDP":         {AppendPMP(nil, udp), "0001 0000 1b59 1b5a 00000e10"},
		"PMP, no more":     {AppendPMP(nil, over), "0002 0000 1b59 0000 00000000"},
		"PCP, TCP":         {AppendPCP(nil, tcp, inner), "0201 0000 00000e10 00000000000000000000ffff0a630a02 0102030405060708090a0b0c 06000000 1b59 1b5a 00000000000000000000ffff00000000"},
		"PCP, UDP":         {AppendPCP(nil, udp, inner), "0201 0000 00000e10 00000000000000000000ffff0a630a02 0102030405060708090a0b0c 11000000 1b59 1b5a 00000000000000000000ffff00000000"},
		"PCP, no more, v6": {AppendPCP(nil, over, netip.MustParseAddr("fd00::2")), "0201 0000 00000000 fd000000000000000000000000000002 0102030405060708090a0b0c 06000000 1b59 1b5a 00000000000000000000000000000000"},
	} {
		if want := bytesOf(t, c.want); !cmp.Equal(c.got, want) {
			t.Errorf("%s: %x, want %x", name, c.got, want)
		}
	}
}

const (
	pcpReply = "0281 0000 00000708 00000001 000000000000000000000000 0102030405060708090a0b0c 06000000 1b59 1b5b 00000000000000000000ffffcb007109"
	pcpFull  = "0281 0008 0000001e 00000001 000000000000000000000000 0102030405060708090a0b0c 06000000 1b59 0000 00000000000000000000ffff00000000"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		want    Reply
		answers bool
		refusal string
	}{
		"address":              {"0080 0000 00000001 cb007109", Reply{Address: true, Addr: outer}, false, ""},
		"no address yet":       {"0080 0003 00000001 00000000", Reply{Address: true, Result: 3}, false, "the router refuses: it has no outer address"},
		"an address of nobody": {"0080 0000 00000001 00000000", Reply{Address: true}, false, ""},
		"mapped":               {"0082 0000 00000001 1b59 1b5b 00000708", Reply{TCP: true, Inner: 7001, Outer: 7003, Lease: 30 * time.Minute}, true, ""},
		"mapped, UDP":          {"0081 0000 00000001 1b59 1b5b 00000708", Reply{Inner: 7001, Outer: 7003, Lease: 30 * time.Minute}, false, ""},
		"mapped, another port": {"0082 0000 00000001 1b58 1b5b 00000708", Reply{TCP: true, Inner: 7000, Outer: 7003, Lease: 30 * time.Minute}, false, ""},
		"refused, cut off":     {"0082 0002 00000001", Reply{TCP: true, Result: 2}, true, "the router refuses: mappings are not allowed"},
		"an unknown refusal":   {"0082 00ff 00000001", Reply{TCP: true, Result: 255}, true, "the router refuses with code 255"},
		"PCP":                  {pcpReply, Reply{PCP: true, TCP: true, Inner: 7001, Outer: 7003, Lease: 30 * time.Minute, Addr: outer, Nonce: nonce}, true, ""},
		"PCP, of another": {strings.Replace(pcpReply, "0102", "0202", 1), Reply{PCP: true, TCP: true, Inner: 7001, Outer: 7003, Lease: 30 * time.Minute, Addr: outer,
			Nonce: [12]byte{2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, false, ""},
		"PCP, no room": {pcpFull, Reply{PCP: true, TCP: true, Result: 8, Inner: 7001, Lease: 30 * time.Second, Nonce: nonce}, true, "the router refuses: it has no room"},
	} {
		got, err := Parse(bytesOf(t, c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got.Answers(tcp) != c.answers {
			t.Errorf("%s: it answers the request: %v", name, !c.answers)
		}
		refusal := ""
		if err := got.Err(); err != nil {
			refusal = err.Error()
		}
		if refusal != c.refusal {
			t.Errorf("%s: refused with %q", name, refusal)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "cut off": "0082 00", "a request": "0002 0000 1b59 1b5a 00000e10", "another version": "0182 0000 00000001 1b59 1b5b 00000708",
		"another question": "0083 0000 00000001 1b59 1b5b 00000708", "no ports": "0082 0000 00000001", "an address too long": "0080 0000 00000001 cb00710900",
		"PCP, cut off": pcpReply[:len(pcpReply)-2], "PCP, another question": strings.Replace(pcpReply, "0281", "0282", 1), "PCP, a third protocol": strings.Replace(pcpReply, "0600", "0700", 1),
		"too long": pcpReply + strings.Repeat("00", maxReply),
	} {
		if got, err := Parse(bytesOf(t, text)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// FuzzParse: no datagram breaks the parser, and what it reads has a place where
// a host can be.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"0080 0000 00000001 cb007109", "0082 0000 00000001 1b59 1b5b 00000708", "0082 0002 00000001", pcpReply, pcpFull} {
		f.Add(bytesOf(f, text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			if r != (Reply{}) {
				t.Errorf("%+v with %v", r, err)
			}
			return
		}
		if r.Addr.IsValid() && (r.Result != 0 || r.Addr.IsUnspecified() || r.Addr.IsMulticast() || r.Addr.IsLoopback()) {
			t.Errorf("outer address %v of %+v", r.Addr, r)
		}
		if (r.Err() == nil) != (r.Result == 0) {
			t.Errorf("%+v: %v", r, r.Err())
		}
	})
}
