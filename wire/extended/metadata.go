package extended

import (
	"errors"
	"math"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/metainfo/dict"
)

// PartSize is the length in bytes of the parts in which metadata travels; the
// last one may be shorter.
const PartSize = 16 << 10

var (
	errPart = errors.New("no part of the metadata is named")
	errData = errors.New("a part of the metadata is longer than parts are")
)

// MetadataType says what a message about metadata is. There may be types that
// we do not know, which are to be ignored.
type MetadataType uint8

// The types of messages about metadata.
const (
	MetadataRequest MetadataType = iota
	MetadataData
	MetadataReject
)

// MetadataMessage asks for a part of the info dictionary, brings it, or says
// that it will not come (BEP 9).
type MetadataMessage struct {
	Type  MetadataType
	Part  int
	Total int    // bytes of the whole, for data; 0: it does not say
	Data  []byte // for data, PartSize at most
}

// Append appends the message as it goes on the wire.
func (m MetadataMessage) Append(dst []byte) []byte {
	d := map[string]any{"msg_type": int(m.Type), "piece": m.Part}
	if m.Type == MetadataData {
		d["total_size"] = m.Total
	}
	return append(append(dst, bencode.MustMarshal(d)...), m.Data...)
}

// ParseMetadata reads a message about metadata. Its data shares the memory of
// payload.
func ParseMetadata(payload []byte) (MetadataMessage, error) {
	var m MetadataMessage
	d, n, err := dict.Read(payload, dict.Limits{Keys: maxKeys, Values: maxValues})
	if err != nil {
		return m, err
	}
	kind, hasType := d.Int("msg_type")
	part, hasPart := d.Int("piece")
	if !hasType || !hasPart || part < 0 || part > math.MaxInt32 {
		return m, errPart
	}
	m.Type, m.Part = MetadataType(min(uint64(kind), math.MaxUint8)), int(part)
	if m.Type != MetadataData {
		return m, nil
	}
	if total, ok := d.Int("total_size"); ok && total > 0 && total <= math.MaxInt32 {
		m.Total = int(total)
	}
	if m.Data = payload[n:]; len(m.Data) > PartSize {
		return MetadataMessage{}, errData
	}
	return m, nil
}
