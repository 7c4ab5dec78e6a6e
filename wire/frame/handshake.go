package frame

import "fmt"

// HandshakeLen is the length of a handshake in bytes.
const HandshakeLen = 1 + len(protocol) + 8 + 20 + 20

const protocol = "BitTorrent protocol"

// Handshake is what each side of a connection sends first (BEP 3).
type Handshake struct {
	Reserved [8]byte
	InfoHash [20]byte
	PeerID   [20]byte
}

// Feature is an extension that a handshake can offer: the number of its
// reserved bit, counted from the right.
type Feature uint8

// FeatureExtensions is the extension protocol (BEP 10).
const FeatureExtensions Feature = 20

// Has tells whether the handshake offers a feature.
func (h *Handshake) Has(f Feature) bool { return h.Reserved[7-f/8]>>(f%8)&1 == 1 }

// Offer sets the reserved bit of a feature.
func (h *Handshake) Offer(f Feature) { h.Reserved[7-f/8] |= 1 << (f % 8) }

// Append appends the handshake in its wire format: HandshakeLen bytes.
func (h *Handshake) Append(dst []byte) []byte {
	dst = append(dst, byte(len(protocol)))
	dst = append(dst, protocol...)
	dst = append(dst, h.Reserved[:]...)
	dst = append(dst, h.InfoHash[:]...)
	return append(dst, h.PeerID[:]...)
}

// ParseHandshake reads a handshake from exactly HandshakeLen bytes. An error is
// a *ProtocolError.
func ParseHandshake(b []byte) (Handshake, error) {
	var h Handshake
	if len(b) != HandshakeLen {
		return h, &ProtocolError{Text: fmt.Sprintf("handshake of %d bytes, want %d", len(b), HandshakeLen)}
	}
	name := 1 + len(protocol)
	if int(b[0]) != len(protocol) || string(b[1:name]) != protocol {
		return h, &ProtocolError{Text: fmt.Sprintf("handshake opens with %q, not with the BitTorrent protocol", b[:name])}
	}
	b = b[name:]
	copy(h.Reserved[:], b)
	copy(h.InfoHash[:], b[8:])
	copy(h.PeerID[:], b[28:])
	return h, nil
}
