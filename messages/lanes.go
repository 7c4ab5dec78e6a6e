package messages

import "errors"

// OfConnection tells whether a message comes from a connection: from a link to
// its peer, or from a peer to other actors. All others are control: commands,
// answers of the store, what timers bring. A mailbox may let control overtake
// what comes from connections: all messages of one sender to one receiver are
// of the same sort, so their order is kept.
func OfConnection(message any) bool {
	switch message.(type) {
	case *FramesReceived, *FramesSent, *SendingMeasured, *LinkClosed,
		*PeerReady, *PeerIntroduced, *PeersHeard, *PeerBitfield, *PeerHave, *PeerDontHave, *PeerAllowed, *PeerChoking,
		*PeerRates, *PeerUseful, *PeerGone,
		*BlocksArrived, *RequestsDropped, *StoreBlocks, *QueryServable, *TokensWanted,
		*MetadataOffered, *MetadataArrived, *MetadataRejected, *MetadataPeerGone:
		return true
	}
	return false
}

// ErrRefused is why a connection was closed that had come in.
var ErrRefused = errors.New("too much waits to take another connection")

// Refuse refuses what a message brings, if there is a way to tell that to who
// has sent it: a connection that came in is closed. False: there is none.
func Refuse(message any) bool {
	m, is := message.(*AdoptLink)
	if is {
		m.Link.Close(ErrRefused)
	}
	return is
}

// MayBeDropped tells whether it does no harm when a message is lost: a later
// one tells all of what it told, and more.
func MayBeDropped(message any) bool {
	_, is := message.(*PeerRates)
	return is
}
