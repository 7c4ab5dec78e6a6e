package extended

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestExchangeMessages(t *testing.T) {
	m := ExchangeMessage{
		Added: []Contact{
			{Addr: netip.MustParseAddrPort("1.2.3.4:5"), Flags: IsSeed | WasDialled},
			{Addr: netip.MustParseAddrPort("[2001:db8::1]:6881"), Flags: SpeaksUTP},
		},
		Dropped: []netip.AddrPort{netip.MustParseAddrPort("5.6.7.8:9"), netip.MustParseAddrPort("[2001:db8::2]:6881")},
	}
	const want = "d5:added6:\x01\x02\x03\x04\x00\x057:added.f1:\x12" +
		"6:added618:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe18:added6.f1:\x04" +
		"7:dropped6:\x05\x06\x07\x08\x00\x09" +
		"8:dropped618:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x1a\xe1e"
	if got := string(m.Append(nil)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, err := ParseExchange([]byte(want)); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v, %v, want %+v", got, err, m)
	}
}

func TestExchangeMessagesOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		wire string
		want ExchangeMessage
	}{
		"nothing":                  {"de", ExchangeMessage{}},
		"no flags":                 {"d5:added6:\x01\x02\x03\x04\x00\x05e", ExchangeMessage{Added: []Contact{{Addr: netip.MustParseAddrPort("1.2.3.4:5")}}}},
		"half an address":          {"d5:added5:\x01\x02\x03\x04\x00e", ExchangeMessage{}},
		"port 0":                   {"d5:added6:\x01\x02\x03\x04\x00\x00e", ExchangeMessage{}},
		"to everybody":             {"d5:added6:\xff\xff\xff\xff\x00\x01e", ExchangeMessage{}},
		"the flags of the second":  {"d5:added12:\x01\x02\x03\x04\x00\x00\x01\x02\x03\x04\x00\x057:added.f2:\x01\x02e", ExchangeMessage{Added: []Contact{{netip.MustParseAddrPort("1.2.3.4:5"), 2}}}},
		"IPv4 in the list of IPv6": {"d6:added618:" + strings.Repeat("\x00", 10) + "\xff\xff\x01\x02\x03\x04\x00\x05e", ExchangeMessage{Added: []Contact{{Addr: netip.MustParseAddrPort("1.2.3.4:5")}}}},
		"a number for the list":    {"d5:addedi7ee", ExchangeMessage{}},
	} {
		if got, err := ParseExchange([]byte(test.wire)); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
	many := strings.Repeat("\x01\x02\x03\x04\x00\x05", 2*MaxContacts)
	got, err := ParseExchange(fmt.Appendf(nil, "d5:added%d:%s7:dropped%d:%se", len(many), many, len(many), many))
	if err != nil || len(got.Added) != MaxContacts || len(got.Dropped) != MaxContacts {
		t.Errorf("%d and %d of many are read, %v", len(got.Added), len(got.Dropped), err)
	}
}

// FuzzParseExchange: what is read is bounded, can be dialled, and comes back as
// it was, if each family is by itself.
func FuzzParseExchange(f *testing.F) {
	f.Add([]byte("d5:added6:\x01\x02\x03\x04\x00\x057:added.f1:\x02e"))
	f.Add([]byte("d7:dropped6:\x01\x02\x03\x04\x00\x05e"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseExchange(payload)
		if err != nil {
			return
		}
		if len(m.Added) > MaxContacts || len(m.Dropped) > MaxContacts {
			t.Fatalf("%d and %d peers", len(m.Added), len(m.Dropped))
		}
		again, err := ParseExchange(m.Append(nil))
		if err != nil || len(again.Added) != len(m.Added) || len(again.Dropped) != len(m.Dropped) {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}
