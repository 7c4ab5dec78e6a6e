package extended

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestMetadataMessages(t *testing.T) {
	for wire, m := range map[string]MetadataMessage{
		"d8:msg_typei0e5:piecei0ee":                        {},
		"d8:msg_typei2e5:piecei7ee":                        {Type: MetadataReject, Part: 7},
		"d8:msg_typei1e5:piecei3e10:total_sizei49155eexyz": {Type: MetadataData, Part: 3, Total: 49155, Data: []byte("xyz")},
	} {
		if got := string(m.Append(nil)); got != wire {
			t.Errorf("%+v goes out as %q, want %q", m, got, wire)
		}
		if got, err := ParseMetadata([]byte(wire)); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%q comes as %+v, %v, want %+v", wire, got, err, m)
		}
	}
}

func TestMetadataMessagesOfOthers(t *testing.T) {
	for wire, want := range map[string]MetadataMessage{
		"d8:msg_typei99e5:piecei1ee":                            {Type: 99, Part: 1},
		"d8:msg_typei-1e5:piecei1ee":                            {Type: 255, Part: 1},
		"d8:msg_typei1e5:piecei1ee":                             {Type: MetadataData, Part: 1, Data: []byte{}},
		"d5:piecei1e8:msg_typei1e10:total_sizei-5eeab":          {Type: MetadataData, Part: 1, Data: []byte("ab")},
		"d8:msg_typei1e5:piecei1e10:total_sizei9999999999999ee": {Type: MetadataData, Part: 1, Data: []byte{}},
	} {
		if got, err := ParseMetadata([]byte(wire)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q comes as %+v, %v, want %+v", wire, got, err, want)
		}
	}
	for name, wire := range map[string]string{
		"nothing":         "",
		"no part":         "d8:msg_typei0ee",
		"a negative part": "d8:msg_typei0e5:piecei-1ee",
		"part of 64 bits": "d8:msg_typei0e5:piecei4294967296ee",
		"no type":         "d5:piecei0ee",
		"too much data":   "d8:msg_typei1e5:piecei0ee" + strings.Repeat("x", PartSize+1),
	} {
		if m, err := ParseMetadata([]byte(wire)); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
}

// FuzzParseMetadata: what is read comes back as it was.
func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte("d8:msg_typei1e5:piecei3e10:total_sizei49155eexyz"))
	f.Add([]byte("d8:msg_typei0e5:piecei0ee"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMetadata(payload)
		if err != nil {
			return
		}
		if m.Part < 0 || m.Total < 0 || len(m.Data) > PartSize {
			t.Fatalf("out of bounds: %+v", m)
		}
		again, err := ParseMetadata(m.Append(nil))
		if err != nil || again.Type != m.Type || again.Part != m.Part || !bytes.Equal(again.Data, m.Data) {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}
