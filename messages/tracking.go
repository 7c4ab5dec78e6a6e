package messages

import (
	"time"

	"kouzui/wire/announce"
)

// The conversation of a torrent and its trackers. One tracker actor stands for
// one tier (BEP 12) and lives on through a restart of the engine.

// StartAnnouncing: torrent to tracker. The tracker announces `started` and then
// keeps its schedule. Sent to the first tier at the start, to a later one when
// all before it have failed.
type StartAnnouncing struct{}

// StandBy: torrent to tracker, when a tier before it works again: no announces
// until StartAnnouncing.
type StandBy struct{}

// Totals: torrent to tracker, whenever they changed; what the next announce
// says. In bytes.
type Totals struct {
	Uploaded, Downloaded, Left int64
	Completed                  bool // all came in this run: `completed` is due, once
	WantPeers                  bool
}

// StopAnnouncing: torrent to tracker. The tracker announces `stopped` if it had
// said `started`, waits for the answer no longer than Within, and answers
// AnnouncingStopped.
type StopAnnouncing struct{ Within time.Duration }

// AnnouncingStopped: tracker to torrent.
type AnnouncingStopped struct{ Tier int }

// PeersFound: tracker to torrent, and on to peers: addresses worth a try. The
// user's own (--peer) come the same way.
type PeersFound struct{ Addrs []PeerAddr }

// TrackerReplied: tracker to torrent, after each reply.
type TrackerReplied struct {
	Tier     int
	URL      string
	Warning  string
	Seeders  int
	Leechers int
	Peers    int
	Next     time.Time
}

// TrackerFailed: tracker to torrent, after each failed try. Exhausted: every URL
// of the tier has failed since the last reply, so that the next tier has its
// turn.
type TrackerFailed struct {
	Tier      int
	URL       string
	Event     announce.Event
	Phase     string
	Err       error
	Next      time.Time
	Exhausted bool
}
