package messages

import (
	"net/netip"
	"time"

	"kouzui/wire/announce"
)

// The conversation of a torrent and its trackers. There is one tracker actor
// for each tier (BEP 12); it goes on when the engine is restarted.

// TrackerReady: tracker to torrent, each time it has started. The torrent
// answers with SetListenPort, SetTotals, and then StartAnnouncing if this tier
// is to announce, or StopAnnouncing if the torrent ends.
type TrackerReady struct{ Tier int }

// StartAnnouncing: torrent to tracker. The tracker announces `started`, once it
// has SetTotals, and then keeps its schedule. The torrent sends it to the first
// tier at the start, and to a later one when all before it have failed, or none
// of their peers has connected.
//
// The fields are for a tracker that was restarted: the torrent takes them from
// the TrackerReplied of this tier in this run. A tracker that has had a reply
// since ignores them.
type StartAnnouncing struct {
	NotBefore time.Time // the last Earliest; zero: at once
	Started   bool      // a reply to `started` has come
	Completed bool      // `completed` has been announced, or is not to be
}

// PauseAnnouncing: torrent to tracker, when a tier before it works again. The
// tracker announces nothing until StartAnnouncing.
type PauseAnnouncing struct{}

// SetTotals: torrent to tracker, each time that they may have changed: what the
// next announce says, in bytes. The tracker announces early when that is due.
type SetTotals struct {
	Uploaded, Downloaded, Left int64
	Completed                  bool // all pieces came in this run: `completed` is due, once
	PartialSeed                bool // all wanted pieces are there, but not all pieces
	WantPeers                  bool // too few peers are connected: announce early, ask for more
	Alone                      bool // no peer is connected
}

// SetListenPort: session to torrent, and from torrent to trackers, and by
// engine to peers, when the port that peers can dial has changed: ours, or the
// one that a router passes on to us. Peers tell it to those who connect later.
type SetListenPort struct{ Port uint16 }

// StopAnnouncing: torrent to tracker. The tracker announces `stopped` if it has
// announced `started`, waits no longer than Within for the reply, and answers
// AnnouncingStopped. From then on it announces nothing.
type StopAnnouncing struct{ Within time.Duration }

// AnnouncingStopped: tracker to torrent, the answer to StopAnnouncing.
type AnnouncingStopped struct{ Tier int }

// PeersFound: tracker and dht to torrent: the peers of a reply, from a tracker
// after TrackerReplied. The torrent remembers their addresses, and hands them
// on as AddCandidates.
type PeersFound struct{ Addrs []PeerAddr }

// TrackerReplied: tracker to torrent, after each reply. If another tracker of a
// private torrent has replied before, the torrent parts from all peers.
type TrackerReplied struct {
	Tier     int
	URL      string         // as it may be shown: without keys
	Event    announce.Event // what was replied to
	Warning  string
	Seeders  int // -1: the tracker does not say
	Leechers int // -1: the tracker does not say
	Peers    int
	Next     time.Time  // of the regular announce
	Earliest time.Time  // no announce before, but for events
	External netip.Addr // ours, as the tracker sees it (BEP 24); zero: it does not say
}

// TrackerFailed: tracker to torrent, after each announce that failed.
// Exhausted: every URL of the tier has failed since the last reply, so the
// torrent lets the next tier announce.
type TrackerFailed struct {
	Tier      int
	URL       string // as it may be shown: without keys
	Event     announce.Event
	Phase     string
	Err       error
	Next      time.Time // zero: never, the tracker asked for that
	Exhausted bool
}
