// Package extended encodes and parses the handshake of the extension protocol
// (BEP 10): the message with the number HandshakeID that follows the handshake
// of BEP 3 if both sides have offered the protocol.
package extended

import (
	"math"
	"net/netip"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/metainfo"
	"kouzui/wire/metainfo/dict"
)

const (
	// HandshakeID is the extended message id of the handshake.
	HandshakeID = 0
	// MaxLen is the length of the longest handshake that is accepted, in bytes.
	// Clients send a few hundred bytes.
	MaxLen = 16 << 10

	maxKeys   = 256
	maxValues = 1024
	maxText   = 100 // bytes of a client's name
)

// Handshake is what one side tells about itself. It offers no extended
// messages, because this client has none.
type Handshake struct {
	Client   string     // name and version, fit to show
	Requests int        // how many requests it queues without dropping any; 0: it does not say
	Port     uint16     // where it can be dialled; 0: it does not say
	YourIP   netip.Addr // the address of the other side as it sees it; the zero value: it does not say
}

// Append appends the handshake as it goes on the wire.
func (h Handshake) Append(dst []byte) []byte {
	d := map[string]any{"m": map[string]any{}}
	if h.Client != "" {
		d["v"] = h.Client
	}
	if h.Requests > 0 {
		d["reqq"] = h.Requests
	}
	if h.Port != 0 {
		d["p"] = h.Port
	}
	if h.YourIP.IsValid() {
		d["yourip"] = h.YourIP.Unmap().AsSlice()
	}
	return append(dst, bencode.MustMarshal(d)...)
}

// Parse reads a handshake. A value that makes no sense is treated as missing.
// It is an error if the payload is no dictionary.
func Parse(payload []byte) (Handshake, error) {
	var h Handshake
	d, _, err := dict.Read(payload, dict.Limits{Keys: maxKeys, Values: maxValues})
	if err != nil {
		return h, err
	}
	if name, ok := d.Text("v"); ok {
		h.Client = metainfo.Clean(name, maxText)
	}
	if n, ok := d.Int("reqq"); ok && n > 0 {
		h.Requests = int(min(n, math.MaxInt32))
	}
	if n, ok := d.Int("p"); ok && n > 0 && n <= math.MaxUint16 {
		h.Port = uint16(n)
	}
	if ip, ok := d.Text("yourip"); ok {
		addr, _ := netip.AddrFromSlice([]byte(ip))
		h.YourIP = addr.Unmap()
	}
	return h, nil
}
