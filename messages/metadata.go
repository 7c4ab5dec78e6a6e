package messages

import "github.com/asynkron/protoactor-go/actor"

// How a torrent that was added by its info hash alone learns what is in it (BEP
// 9): metadata under torrent asks peers. A peer without metainfo runs a session
// without pieces, in which it speaks with metadata.

// MetadataPart is how many bytes of the info dictionary each part has but the
// last (BEP 9).
const MetadataPart = 16 << 10

// MaxMetadata is how many bytes of an info dictionary are taken from peers.
// Honest ones of 23 MB have been met; announced sizes of 2 GB were lies.
const MaxMetadata = 32 << 20

// MetadataOffered: a peer to metadata, when the extended handshake of the other
// side says that it can send the info dictionary, and in answer to
// QueryMetadataOffers. A second one replaces the first.
type MetadataOffered struct {
	Key  PeerKey
	Peer *actor.PID
	Size int // in bytes, as the other side says: a stranger's word
}

// RequestMetadata: metadata to a peer: ask the other side for this part. The
// peer answers MetadataArrived or MetadataRejected, or MetadataPeerGone when it
// ends; metadata has a timer for one that says nothing.
type RequestMetadata struct{ Part int }

// MetadataArrived: a peer to metadata: a part that was asked for. The receiver
// owns Data.
type MetadataArrived struct {
	Key   PeerKey
	Part  int
	Total int // bytes of the whole, as this message says; 0: it does not say
	Data  []byte
}

// MetadataRejected: a peer to metadata: the other side does not send the part.
type MetadataRejected struct {
	Key  PeerKey
	Part int
}

// MetadataPeerGone: a peer to metadata, when its connection ends.
type MetadataPeerGone struct{ Key PeerKey }

// MetadataLied: metadata to a peer: what the other side alone has sent has
// another hash. The peer ends its connection with GoneBanned.
type MetadataLied struct{}

// QueryMetadataOffers: metadata to torrent, and by engine and peers to each
// peer, each time that metadata has started. A peer whose other side has
// offered the info dictionary answers MetadataOffered.
type QueryMetadataOffers struct{}

// MetadataProgress: metadata to torrent, when it has changed. The torrent tells
// it with its Progress.
type MetadataProgress struct {
	Peers    int // that are connected and have offered the info dictionary
	Size     int // bytes, of the copy of which most has come; 0: none is under way
	Received int // bytes of it
	Failed   int // copies whose hash was wrong
}

// Parts is of how many parts the copy is.
func (p *MetadataProgress) Parts() int { return (p.Size + MetadataPart - 1) / MetadataPart }

// ReceivedParts is how many of them have come: all but the last are of the same
// length.
func (p *MetadataProgress) ReceivedParts() int {
	return (p.Received + MetadataPart - 1) / MetadataPart
}

// MetadataFound: metadata to torrent: bytes whose hash is the info hash, which
// nobody changes any more. The torrent does what SetMetainfo has it do, and
// tells TorrentMetainfoFound. If the bytes are no info dictionary that can be
// used, the torrent ends with that error.
type MetadataFound struct{ Info []byte }
