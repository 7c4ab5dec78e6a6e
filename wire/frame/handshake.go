package frame

import (
	"fmt"
	"strings"
)

const (
	// HandshakeLen is the length of a handshake in bytes.
	HandshakeLen = HashKnownLen + 20
	// HashKnownLen is how many bytes of a handshake tell the info hash. Some peers
	// send no more before they have our handshake.
	HashKnownLen = nameLen + 8 + 20

	nameLen  = len(opening)
	opening  = "\x13" + protocol
	protocol = "BitTorrent protocol"
)

// Handshake is what each side of a connection sends first (BEP 3).
type Handshake struct {
	Reserved [8]byte
	InfoHash [20]byte
	PeerID   [20]byte
}

// Feature is an extension that a handshake can offer: the number of its
// reserved bit, counted from the right.
type Feature uint8

// The features that this client offers, the DHT not of every torrent.
const (
	FeatureDHT        Feature = 0  // there is a node of the DHT (BEP 5)
	FeatureFast       Feature = 2  // the fast extension (BEP 6)
	FeatureExtensions Feature = 20 // the extension protocol (BEP 10)
)

// Has tells whether the handshake offers a feature.
func (h *Handshake) Has(f Feature) bool { return h.Reserved[7-f/8]>>(f%8)&1 == 1 }

// Offer sets the reserved bit of a feature.
func (h *Handshake) Offer(f Feature) { h.Reserved[7-f/8] |= 1 << (f % 8) }

// Ours is the handshake that this client sends, with the features that it has.
func Ours(infoHash, peerID [20]byte) Handshake {
	h := Handshake{InfoHash: infoHash, PeerID: peerID}
	h.Offer(FeatureFast)
	h.Offer(FeatureExtensions)
	return h
}

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
	if len(b) != HandshakeLen {
		return Handshake{}, &ProtocolError{Text: fmt.Sprintf("handshake of %d bytes, want %d", len(b), HandshakeLen)}
	}
	h, _, err := ParseHandshakeStart(b)
	copy(h.PeerID[:], b[HashKnownLen:])
	return h, err
}

// ParseHandshakeStart reads what has come of a handshake so far. From
// HashKnownLen bytes on, known is true, and all but the peer id is read. An
// error is a *ProtocolError: no further bytes can make this a handshake.
func ParseHandshakeStart(b []byte) (h Handshake, known bool, err error) {
	name := b[:min(len(b), nameLen)]
	if !strings.HasPrefix(opening, string(name)) {
		return h, false, &ProtocolError{Text: fmt.Sprintf("handshake opens with %q, not with the BitTorrent protocol", name)}
	}
	if len(b) < HashKnownLen {
		return h, false, nil
	}
	copy(h.Reserved[:], b[nameLen:])
	copy(h.InfoHash[:], b[nameLen+8:])
	return h, true, nil
}
