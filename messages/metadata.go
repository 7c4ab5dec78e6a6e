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

// MetadataOffered is what a peer tells metadata when the extended handshake of
// the other side says that it can send the info dictionary, and in answer to
// QueryMetadataOffers. A second one replaces the first.
type MetadataOffered struct {
	Key  PeerKey
	Peer *actor.PID
	Size int // in bytes, as the other side says: a stranger's word
}

// RequestMetadata has a peer ask the other side for this part. The peer answers
// MetadataArrived or MetadataRejected, or MetadataPeerGone when it ends;
// metadata has a timer for one that says nothing.
type RequestMetadata struct{ Part int }

// MetadataArrived is what a peer tells metadata of a part that was asked for.
// The receiver owns Data.
type MetadataArrived struct {
	Key   PeerKey
	Part  int
	Total int // bytes of the whole, as this message says; 0: it does not say
	Data  []byte
}

// MetadataRejected is what a peer tells metadata when the other side does not
// send the part.
type MetadataRejected struct {
	Key  PeerKey
	Part int
}

// MetadataPeerGone is what a peer tells metadata when its connection ends.
type MetadataPeerGone struct{ Key PeerKey }

// MetadataLied tells a peer that what the other side alone has sent has another
// hash. The peer ends its connection with GoneBanned.
type MetadataLied struct{}

// QueryMetadataOffers goes from metadata to torrent, and by engine and peers to
// each peer, each time that metadata has started: a peer whose other side has
// offered the info dictionary answers MetadataOffered.
type QueryMetadataOffers struct{}
