package trackerserver

import (
	"net/netip"
	"slices"

	"kouzui/wire/metainfo"
)

const (
	// finishedOfHost is how many peers of a host count as having completed a
	// torrent: some behind a common address, but not as many as one can invent.
	finishedOfHost = 4
	// remembered is how many hosts are remembered as having completed a torrent,
	// before the older half of them may be forgotten: 10 MB.
	remembered = 50_000
)

// finished remembers who completed which torrent, also of peers that have left,
// so that each peer counts once. It keeps two generations, and forgets the
// older one when the newer one is full.
type finished struct {
	newer, older map[finisher][][20]byte
}

type finisher struct {
	torrent metainfo.Hash
	host    netip.Addr // of messages.HostOf
}

// count tells whether a peer that says that it completed a torrent counts.
func (f *finished) count(torrent metainfo.Hash, host netip.Addr, id [20]byte) bool {
	who := finisher{torrent, host}
	ids, known := f.newer[who]
	if !known {
		ids = f.older[who]
	}
	if len(ids) >= finishedOfHost || slices.Contains(ids, id) {
		return false
	}
	if len(f.newer) >= remembered {
		f.older, f.newer = f.newer, nil
	}
	if f.newer == nil {
		f.newer = map[finisher][][20]byte{}
	}
	f.newer[who] = append(slices.Clip(ids), id)
	return true
}
