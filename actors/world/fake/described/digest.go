package described

import (
	"encoding/binary"

	"kouzui/actors/world"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// Digest is a world.Digest. If the blocks that are hashed are those of one
// piece of the torrent, in order, their hash is looked up in the torrent;
// otherwise it is a hash that no piece has.
type Digest struct{ Torrent *metainfo.Torrent }

// One implements world.Digest.
func (d Digest) One() world.Hash { return &piece{torrent: d.Torrent} }

// Many implements world.Digest.
func (d Digest) Many() world.Hashes {
	m := &pieces{}
	for i := range m {
		m[i].torrent = d.Torrent
	}
	return m
}

// Sum implements world.Digest.
func (d Digest) Sum(block []byte) metainfo.Hash { return other(uint64(Get(block))) }

// Blank implements world.Digest.
func (d Digest) Blank(block []byte) bool { return Get(block) == Zeros }

// piece is the state of one hash: what the blocks so far contain.
type piece struct {
	torrent *metainfo.Torrent
	from    What   // the first block
	broken  bool   // a block did not continue the one before
	bytes   int64  // of all
	sum     uint64 // over the descriptions of all blocks
}

func (p *piece) Reset() { *p = piece{torrent: p.torrent} }

func (p *piece) Write(block []byte) (int, error) {
	if len(block) > 0 {
		w := Get(block)
		if p.bytes == 0 {
			p.from = w
		}
		p.broken = p.broken || w&odd != 0 || w != p.from+What(p.bytes)
		p.bytes += int64(len(block))
		p.sum = mix(mix(p.sum, uint64(w)), uint64(len(block)))
	}
	return len(block), nil
}

func (p *piece) Sum(to []byte) []byte {
	h := p.hash()
	return append(to, h[:]...)
}

func (p *piece) hash() metainfo.Hash {
	off, is := p.from.Offset()
	if is && p.bytes > 0 && !p.broken && off%p.torrent.PieceLength == 0 {
		if i := int(off / p.torrent.PieceLength); i < p.torrent.PieceCount() && p.torrent.PieceSize(i) == p.bytes {
			return p.torrent.PieceHash(i)
		}
	}
	return other(p.sum)
}

func other(sum uint64) (h metainfo.Hash) {
	binary.LittleEndian.PutUint64(h[:], sum)
	binary.LittleEndian.PutUint64(h[8:], mix(sum, 1))
	return h
}

func (p *piece) Size() int      { return len(metainfo.Hash{}) }
func (p *piece) BlockSize() int { return 1 }

func (p *piece) AppendBinary(to []byte) ([]byte, error) {
	broken := uint64(0)
	if p.broken {
		broken = 1
	}
	for _, n := range []uint64{uint64(p.from), uint64(p.bytes), p.sum, broken} {
		to = binary.LittleEndian.AppendUint64(to, n)
	}
	return to, nil
}

func (p *piece) UnmarshalBinary(state []byte) error {
	_ = state[31]
	p.from, p.bytes = What(binary.LittleEndian.Uint64(state)), int64(binary.LittleEndian.Uint64(state[8:]))
	p.sum, p.broken = binary.LittleEndian.Uint64(state[16:]), state[24] == 1
	return nil
}

// pieces are several hashes side by side.
type pieces [digest.Lanes]piece

func (m *pieces) Reset() {
	for i := range m {
		m[i].Reset()
	}
}

func (m *pieces) Write(data ...[]byte) {
	for i, b := range data {
		_, _ = m[i].Write(b) // never fails
	}
}

func (m *pieces) Sum(i int) [20]byte { return m[i].hash() }

func (m *pieces) AppendState(i int, to []byte) ([]byte, error) { return m[i].AppendBinary(to) }

func (m *pieces) Resume(i int, _ int64, state []byte) error { return m[i].UnmarshalBinary(state) }
