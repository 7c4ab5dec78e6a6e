// Package announce is what a client and an HTTP tracker say to each other:
// announces (BEP 3, compact peers of BEP 23 and BEP 7, retry times of BEP 31)
// and scrapes (BEP 48), both sides of both, as values and bytes.
//
// Use: a client requests [Request.URL] and gives the body to [ParseReply]; a
// tracker gives the raw query to [ParseRequest] and answers with [AppendReply].
// Scrapes have functions of the same kind.
//
// Limits: this package does no I/O and keeps no schedule: the caller decides
// when to announce, to which tier (BEP 12), and how often to try again. Peers
// that are named by a host name instead of an address are counted and left out.
// What UDP trackers say is in package udptracker, with the values of this one.
package announce

import (
	"net/netip"
	"time"

	"kouzui/wire/metainfo"
)

const (
	MaxReply = 2 << 20 // bytes of a reply that a client reads and ParseReply takes
	MaxPeers = 1000    // peers kept of one reply; the rest are left out
	MaxText  = 512     // bytes kept of a text that a tracker sent to be shown
	MaxQuery = 8 << 10 // bytes of a raw query that a tracker takes: a scrape of 100 torrents fits
)

// These constants bound all times that a tracker sends. A regular interval that
// is missing, 0 or negative is DefaultInterval, and no time is below
// LeastInterval or above MostInterval, so that a broken or hostile tracker can
// make nobody announce all the time, or never again.
const (
	DefaultInterval = 30 * time.Minute
	LeastInterval   = 5 * time.Second
	MostInterval    = 24 * time.Hour
)

// Event is why a client announces.
type Event uint8

const (
	None      Event = iota // the regular announce
	Started                // the first one
	Completed              // the download has just become whole
	Stopped                // the last one
	Paused                 // a regular one of a partial seed, which wants no more, but lacks pieces (BEP 21)
)

// Request is one announce, from a client or as a tracker got it.
type Request struct {
	InfoHash   metainfo.Hash
	PeerID     [20]byte
	Port       uint16
	Uploaded   int64 // payload bytes since Started
	Downloaded int64 // payload bytes since Started
	Left       int64 // bytes still to download; 0 makes a seeder, math.MaxInt64 stands for unknown
	Event      Event
	NumWant    int        // peers asked for; negative leaves the number to the tracker
	Key        uint32     // tells a client whose address changed; 0 sends none
	TrackerID  string     // the last one that this tracker gave; "" sends none
	Compact    bool       // peers as BEP 23 has them
	IP, IPv6   netip.Addr // addresses to be reached at, if not the one that the request comes from; zero sends none
}

// Peer is one address of a reply.
type Peer struct {
	Addr  netip.AddrPort // valid, unmapped, port not 0, neither unspecified nor multicast nor link-local
	ID    [20]byte
	HasID bool // dictionary replies may give the ID, compact ones never do
}

// Reply is a tracker's answer to an announce.
type Reply struct {
	Failure string        // why the tracker refused, fit to show; then only RetryIn and RetryNever mean anything
	RetryIn time.Duration // BEP 31: how long to leave a tracker that refused; 0 if it did not say

	RetryNever bool // BEP 31: the tracker asks never to be tried again

	Warning     string        // fit to show
	Interval    time.Duration // to the next regular announce
	MinInterval time.Duration // no announce sooner than this; 0 if the tracker did not say
	TrackerID   string        // to be sent back as it is; any bytes
	Seeders     int           // "complete"; -1 if not said
	Leechers    int           // "incomplete"; -1 if not said
	External    netip.Addr    // BEP 24: the address that the announce came from; zero if not said
	Peers       []Peer        // at most MaxPeers
	Dropped     int           // peers left out: invalid addresses, host names, those over MaxPeers
}

// Stats is the answer to a scrape for one torrent: peers now, and downloads
// ever completed. A number that the tracker did not give is -1.
type Stats struct {
	Seeders, Leechers, Completed int
}
