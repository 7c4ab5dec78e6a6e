package messages

import (
	"time"

	"kouzui/wire/announce"
)

// The conversation of a torrent and its trackers. One tracker actor stands for
// one tier (BEP 12) and lives on through a restart of the engine.

// TrackerReady: tracker to torrent, each time it has started. The torrent answers
// with SetListenPort if that has changed, with SetTotals, and then with StartAnnouncing
// if this tier is to announce, or with StopAnnouncing if the torrent stops.
type TrackerReady struct{ Tier int }

// StartAnnouncing: torrent to tracker. The tracker announces `started`, once it
// has SetTotals, and then keeps its schedule. Sent to the first tier at the start,
// to a later one when all before it have failed, or
// brought nobody who can be reached.
//
// The fields are for a tracker that was restarted and knows nothing of its
// predecessor: the torrent fills them in from the TrackerReplied of this tier in
// this run. A tracker that knows better by itself ignores them.
type StartAnnouncing struct {
	NotBefore time.Time // the last Earliest; zero: at once
	Started   bool      // a reply to `started` has come
	Completed bool      // `completed` has been said, or is not to be said here
}

// PauseAnnouncing: torrent to tracker, when a tier before it works again: no announces
// until StartAnnouncing.
type PauseAnnouncing struct{}

// SetTotals: torrent to tracker, whenever they changed; what the next announce
// says. In bytes.
type SetTotals struct {
	Uploaded, Downloaded, Left int64
	Completed                  bool // all pieces came in this run: `completed` is due, once
	PartialSeed                bool // all wanted pieces are there, but not all pieces
	WantPeers                  bool // too few are connected: announce early, ask for more
	Alone                      bool // nobody is connected
}

// SetListenPort: client to torrent and on to tracker, when the port that peers can dial has changed.
type SetListenPort struct{ Port uint16 }

// StopAnnouncing: torrent to tracker. The tracker announces `stopped` if it had
// said `started`, waits for the answer no longer than Within, and answers
// AnnouncingStopped. It announces nothing any more.
type StopAnnouncing struct{ Within time.Duration }

// AnnouncingStopped: tracker to torrent.
type AnnouncingStopped struct{ Tier int }

// PeersFound: tracker to torrent: addresses worth a try. The torrent remembers
// them, and hands them on as AddCandidates.
type PeersFound struct{ Addrs []PeerAddr }

// TrackerReplied: tracker to torrent, after each reply.
type TrackerReplied struct {
	Tier     int
	URL      string         // as it may be shown: without keys
	Event    announce.Event // what was replied to
	Warning  string
	Seeders  int
	Leechers int
	Peers    int
	Next     time.Time // of the regular announce
	Earliest time.Time // no announce before, but for events
}

// TrackerFailed: tracker to torrent, after each failed try. Exhausted: every URL
// of the tier has failed since the last reply, so that the next tier has its
// turn.
type TrackerFailed struct {
	Tier      int
	URL       string // as it may be shown: without keys
	Event     announce.Event
	Phase     string
	Err       error
	Next      time.Time // zero: never, the tracker asked for that
	Exhausted bool
}
