package extended

import (
	"errors"
	"math"
	"net/netip"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/metainfo"
	"kouzui/wire/metainfo/dict"
)

const (
	maxHandshake = 16 << 10 // bytes; clients send a few hundred
	maxText      = 100      // bytes of a client's name
)

var errTooLong = errors.New("the extended handshake is too long")

// Handshake is what one side tells about itself. A side may send further ones,
// which change what they mention.
type Handshake struct {
	Offers       Offers
	Client       string     // name and version, fit to show
	Requests     int        // how many requests it queues without dropping any; 0: it does not say
	Port         uint16     // where it can be dialled; 0: it does not say
	YourIP       netip.Addr // the address of the other side as it sees it; the zero value: it does not say
	MetadataSize int        // bytes of the info dictionary (BEP 9); 0: it has none
	UploadOnly   Claim      // it wants no more pieces (BEP 21)
}

// Claim is a yes or a no that a handshake may leave out. What a handshake
// leaves out stays as it was.
type Claim uint8

// What a handshake may say.
const (
	Unsaid Claim = iota
	Denied
	Claimed
)

// Append appends the handshake as it goes on the wire.
func (h Handshake) Append(dst []byte) []byte {
	m := map[string]any{}
	for k, offer := range h.Offers {
		if offer.Said {
			m[names[k]] = int(offer.Number)
		}
	}
	d := map[string]any{"m": m}
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
	if h.MetadataSize > 0 {
		d["metadata_size"] = h.MetadataSize
	}
	if h.UploadOnly != Unsaid {
		d["upload_only"] = int(h.UploadOnly - Denied)
	}
	return append(dst, bencode.MustMarshal(d)...)
}

// ParseHandshake reads a handshake. A value that makes no sense is treated as
// missing. It is an error if the payload is no dictionary.
func ParseHandshake(payload []byte) (Handshake, error) {
	var h Handshake
	if len(payload) > maxHandshake {
		return h, errTooLong
	}
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
	if n, ok := d.Int("metadata_size"); ok && n > 0 && n <= math.MaxInt32 {
		h.MetadataSize = int(n)
	}
	if n, ok := d.Int("upload_only"); ok {
		h.UploadOnly = Claimed
		if n == 0 {
			h.UploadOnly = Denied
		}
	}
	h.Offers = offers(d)
	return h, nil
}

func offers(d dict.Dict) (o Offers) {
	m, ok := d.Dict("m", maxKeys)
	if !ok {
		return o
	}
	for k, name := range names {
		if n, ok := m.Int(name); ok && n >= 0 && n <= math.MaxUint8 {
			o[k] = Offer{Said: true, Number: Number(n)}
		}
	}
	return o
}
