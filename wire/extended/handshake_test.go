package extended

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

func TestHandshakesComeBackAsTheyWere(t *testing.T) {
	for _, h := range []Handshake{
		{},
		{Client: "Kouzui 1.0", Requests: 2000, Port: 6881, YourIP: netip.MustParseAddr("192.0.2.7")},
		{Requests: 1, YourIP: netip.MustParseAddr("2001:db8::1")},
		{Offers: Ours(Exchange, DontHave), MetadataSize: 12345, UploadOnly: Claimed},
		{Offers: withdrawn(Ours(Metadata), Exchange), UploadOnly: Denied},
	} {
		got, err := ParseHandshake(h.Append(nil))
		if err != nil || got != h {
			t.Errorf("%+v comes back as %+v, %v", h, got, err)
		}
	}
}

func withdrawn(o Offers, of ...Kind) Offers {
	o.Withdraw(of...)
	return o
}

func TestAppendWritesWhatBEP10Says(t *testing.T) {
	h := Handshake{
		Client: "K", Requests: 7, Port: 80, YourIP: netip.MustParseAddr("1.2.3.4"), MetadataSize: 9, UploadOnly: Claimed,
		Offers: withdrawn(Ours(Metadata), Exchange),
	}
	const want = "d1:md11:ut_metadatai2e6:ut_pexi0ee13:metadata_sizei9e1:pi80e4:reqqi7e11:upload_onlyi1e1:v1:K6:yourip4:\x01\x02\x03\x04e"
	if got := string(h.Append(nil)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatOthersSendIsTaken(t *testing.T) {
	for name, test := range map[string]struct {
		payload string
		want    Handshake
	}{
		"keys out of order":       {"d1:v1:x4:reqqi9e1:mdee", Handshake{Client: "x", Requests: 9}},
		"what we do not know":     {"d12:complete_agoi3e1:md12:ut_holepunchi4e4:what1:xe4:reqqi9ee", Handshake{Requests: 9}},
		"messages":                {"d1:md11:ut_metadatai200e6:ut_pexi0eee", Handshake{Offers: withdrawn(Offers{Metadata: {true, 200}}, Exchange)}},
		"numbers of no message":   {"d1:md11:lt_donthavei-1e11:ut_metadatai256e6:ut_pex1:xee", Handshake{}},
		"messages in a list":      {"d1:ml6:ut_pexee", Handshake{}},
		"no metadata":             {"d13:metadata_sizei0ee", Handshake{}},
		"less than no metadata":   {"d13:metadata_sizei-1ee", Handshake{}},
		"too much metadata":       {"d13:metadata_sizei2147483648ee", Handshake{}},
		"a seed":                  {"d11:upload_onlyi1ee", Handshake{UploadOnly: Claimed}},
		"no seed":                 {"d11:upload_onlyi0ee", Handshake{UploadOnly: Denied}},
		"bytes behind it":         {"d4:reqqi9eegarbage", Handshake{Requests: 9}},
		"nothing":                 {"de", Handshake{}},
		"no requests at all":      {"d4:reqqi0ee", Handshake{}},
		"fewer than none":         {"d4:reqqi-5ee", Handshake{}},
		"more than there can be":  {"d4:reqqi9223372036854775807ee", Handshake{Requests: 1<<31 - 1}},
		"beyond 64 bits":          {"d4:reqqi99999999999999999999ee", Handshake{}},
		"of another type":         {"d1:pd1:ali1eee4:reqq2:10e", Handshake{}},
		"no port":                 {"d1:pi65536ee", Handshake{}},
		"an address of 5 bytes":   {"d6:yourip5:12345e", Handshake{}},
		"an IPv4 address as IPv6": {"d6:yourip16:" + strings.Repeat("\x00", 10) + "\xff\xff\x01\x02\x03\x04e", Handshake{YourIP: netip.MustParseAddr("1.2.3.4")}},
		"a long name":             {"d1:v300:" + strings.Repeat("n", 300) + "e", Handshake{Client: strings.Repeat("n", maxText-3) + "…"}},
		"a name that steers":      {"d1:v9:a\x1b[2J\xff\u202ee", Handshake{Client: "a\uFFFD[2J\uFFFD\uFFFD"}},
	} {
		if got, err := ParseHandshake([]byte(test.payload)); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

func TestWhatIsNoHandshakeIsRefused(t *testing.T) {
	for name, payload := range map[string]string{
		"nothing":         "",
		"a list":          "le",
		"cut short":       "d4:reqqi9e",
		"nested too deep": "d1:m" + strings.Repeat("l", maxHandshake-5),
		"too long":        "d1:v" + strconv.Itoa(maxHandshake) + ":" + strings.Repeat("v", maxHandshake) + "e",
		"many keys":       "d" + strings.Repeat("0:0:", maxKeys+1) + "e",
		"many values":     "d1:ml" + strings.Repeat("0:", maxValues) + "ee",
	} {
		if h, err := ParseHandshake([]byte(payload)); err == nil {
			t.Errorf("%s: read as %+v", name, h)
		}
	}
}

// Whatever is read is within bounds, and says the same once more.
func FuzzParseHandshake(f *testing.F) {
	f.Add([]byte("d1:md6:ut_pexi1ee1:pi6881e4:reqqi250e1:v4:test6:yourip4:abcde"))
	f.Add([]byte("d1:mlllllllleeeeeeeee"))
	f.Add(Handshake{Offers: Ours(Exchange, Metadata), MetadataSize: 1, UploadOnly: Claimed}.Append(nil))
	f.Add(Handshake{Client: "x", Requests: 1, Port: 1}.Append(nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := ParseHandshake(payload)
		if err != nil {
			return
		}
		if h.Requests < 0 || h.MetadataSize < 0 || len(h.Client) > maxText {
			t.Fatalf("out of bounds: %+v", h)
		}
		if again, err := ParseHandshake(h.Append(nil)); err != nil || again != h {
			t.Fatalf("%+v comes back as %+v, %v", h, again, err)
		}
	})
}
