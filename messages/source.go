package messages

import (
	"fmt"
	"net/netip"
)

// PeerAddr is an address at which a peer may listen.
type PeerAddr struct {
	Addr   netip.AddrPort
	Source Source
	// Encrypts: it is told of the peer that it likes connections to be encrypted.
	Encrypts bool
}

// Source says from whom we have the address of a peer. Sources are compared
// with ==: each tracker tier is a source of its own, so that one which lies or
// floods harms only what comes from itself.
type Source struct {
	Kind SourceKind
	Tier int // of the tracker; 0 for all other kinds
}

// SourceKind is a way in which addresses of peers come to us.
type SourceKind uint8

// Kinds of sources. Nothing produces LSD and resume data yet.
const (
	SourceTracker  SourceKind = iota
	SourceManual              // the user gave the address
	SourceIncoming            // the peer connected to us
	SourcePEX                 // another peer told it (BEP 11)
	SourceDHT                 // BEP 5
	SourceLSD                 // local service discovery (BEP 14)
	SourceResume              // an earlier run of this program knew it
	SourceMagnet              // a magnet link names it (x.pe, BEP 9)
	SourceWebSeed             // the torrent or the link names a server (BEP 19)
	sourceKinds               // how many there are
)

// SourceKinds are all kinds, in order.
func SourceKinds() (kinds []SourceKind) {
	for kind := range sourceKinds {
		kinds = append(kinds, kind)
	}
	return kinds
}

func (k SourceKind) String() string {
	return [...]string{"tracker", "manual", "incoming", "PEX", "DHT", "LSD", "resume data", "magnet", "web seed"}[k]
}

// SourceCount is how many peers of a torrent come from sources of one kind.
type SourceCount struct {
	Kind      SourceKind
	Connected int // peers
	Known     int // addresses that may be dialled, or are connected
	Silent    int // of Known, where nobody answered when they were last dialled
}

// Magnet is the source of addresses that a magnet link names.
var Magnet = Source{Kind: SourceMagnet}

// WebSeed is the source of web seeds, each of which is a peer to the scheduler.
var WebSeed = Source{Kind: SourceWebSeed}

// Incoming is the source of peers that connect to us.
var Incoming = Source{Kind: SourceIncoming}

// Manual is the source of addresses that the user gave.
var Manual = Source{Kind: SourceManual}

// TrackerTier is the source of addresses that a tracker of this tier told.
func TrackerTier(tier int) Source { return Source{Kind: SourceTracker, Tier: tier} }

// Allowed tells whether a torrent may connect to peers from this source. A
// private torrent takes only those of its trackers, those that the user chose,
// those that connect to us, which have our address from a tracker (BEP 27), and
// its web seeds.
func (s Source) Allowed(private bool) bool {
	return !private || s.Kind <= SourceIncoming || s.Kind == SourceWebSeed
}

func (s Source) String() string {
	if s.Kind == SourceTracker {
		return fmt.Sprintf("tracker %d", s.Tier)
	}
	return s.Kind.String()
}
