package frame

import (
	"bytes"
	"errors"
	"testing"
)

func TestHandshake(t *testing.T) {
	h := Handshake{InfoHash: [20]byte([]byte("aaaaaaaaaaaaaaaaaaaa")), PeerID: [20]byte([]byte("-KZ0001-bbbbbbbbbbbb"))}
	h.Offer(FeatureExtensions)
	h.Offer(FeatureFast)
	const dht Feature = 0
	const wire = "\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x04aaaaaaaaaaaaaaaaaaaa-KZ0001-bbbbbbbbbbbb"
	if got := string(h.Append(nil)); got != wire {
		t.Errorf("encoded as %q, want %q", got, wire)
	}
	got, err := ParseHandshake([]byte(wire))
	if err != nil || got != h {
		t.Errorf("parsed as %+v, error %v", got, err)
	}
	if !got.Has(FeatureExtensions) || !got.Has(FeatureFast) || got.Has(dht) {
		t.Errorf("features lost or found: reserved %x", got.Reserved)
	}
}

func TestParseHandshakeRefuses(t *testing.T) {
	valid := (&Handshake{}).Append(nil)
	http := append([]byte("GET / HTTP/1.1\r\n"), valid[16:]...)
	for name, wire := range map[string][]byte{
		"nothing":  nil,
		"short":    valid[:67],
		"long":     append(valid[:68:68], 0),
		"length":   append([]byte{18}, valid[1:]...),
		"protocol": http,
	} {
		_, err := ParseHandshake(wire)
		var violation *ProtocolError
		if !errors.As(err, &violation) || bytes.ContainsAny([]byte(err.Error()), "\r\n") {
			t.Errorf("%s: got %v, want a ProtocolError of one line", name, err)
		}
	}
}

func FuzzParseHandshake(f *testing.F) {
	f.Add((&Handshake{Reserved: [8]byte{5: 0x10, 7: 0x05}}).Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		h, err := ParseHandshake(wire)
		if err == nil && !bytes.Equal(h.Append(nil), wire) {
			t.Errorf("%q comes back as %q", wire, h.Append(nil))
		}
	})
}
