package messages

import (
	"errors"
	"net/netip"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/metainfo"
)

// The conversation of the commands, the client and its torrents.

// ErrGivenUp: supervision could not keep a part of the torrent alive.
var ErrGivenUp = errors.New("supervision gave up")

// ErrStalled: nothing has come for as long as the user allows.
var ErrStalled = errors.New("stalled")

// CheckMode says how far data found on disk is trusted.
type CheckMode string

// Check modes.
const (
	CheckAuto CheckMode = "auto" // what the journal vouches for, the rest is hashed
	CheckFull CheckMode = "full" // everything is hashed
	CheckNone CheckMode = "none" // the journal alone; without one nothing is there
)

// TorrentOptions is what a user chooses for one torrent.
type TorrentOptions struct {
	Dir      string
	Picker   string
	Choker   string
	Check    CheckMode
	Peers    []netip.AddrPort
	MaxPeers int
	// UnchokeSlots beside the optimistic one.
	UnchokeSlots int
	// MustExist: do not begin a download; what is not there is an error.
	MustExist bool
	// Seed: go on when complete, until Ratio (0: none) or SeedFor (0: none).
	Seed           bool
	SeedRatio      float64
	SeedFor        time.Duration
	UntilPeersDone bool
	StallTimeout   time.Duration
	// Wanted are the pieces to be downloaded; nil: all. SetWanted changes it.
	Wanted *bitset.BitSet
}

// AddTorrent: a command to client, which spawns the torrent.
type AddTorrent struct {
	InfoHash metainfo.Hash
	Name     string     // shown until Torrent is known
	Announce [][]string // tracker tiers (BEP 12)
	// Torrent is nil where only the info hash is known: SetMetainfo brings it.
	Torrent *metainfo.Torrent
	Options TorrentOptions
}

// SetMetainfo: a command to client, and from client by torrent and engine to peers:
// what is in a torrent that was added by its info hash alone. A torrent refuses
// metainfo of another info hash, and ignores a second one. It tells the engine
// each time that engine or peers have been restarted; the engine spawns store and
// scheduler if there are none, and then tells peers.
type SetMetainfo struct{ Torrent *metainfo.Torrent }

// QueryMetainfo: engine to torrent, each time an engine has started that was built
// without metainfo. The torrent answers SetMetainfo once it can.
type QueryMetainfo struct{}

// TorrentStarted: torrent to client, each time it has started. The client answers
// with SetLimits, SetListenPort, if they were told SetMetainfo and SetWanted, and
// last RestoreTotals: what changed since the torrent was added, and what an
// earlier life of it has counted.
type TorrentStarted struct{ InfoHash metainfo.Hash }

// RestoreTotals: client to torrent, the answer to TorrentStarted, which reports no
// Progress before: what has been counted in this run.
type RestoreTotals struct {
	Downloaded, Uploaded, Wasted int64 // bytes
	Corrupt                      int   // pieces
	Complete                     bool  // all pieces were there: trackers have been told
}

// StopTorrent: client to torrent, or a command to client. The torrent flushes,
// says `stopped` to its trackers, and ends with TorrentDone.
type StopTorrent struct{ InfoHash metainfo.Hash }

// State of a torrent, for display.
type State string

// States of a torrent.
const (
	StateStarting    State = "starting"
	StateMetadata    State = "fetching metadata" // only the info hash is known
	StateChecking    State = "checking"
	StateDownloading State = "downloading"
	StateFinishing   State = "finishing"
	StateSeeding     State = "seeding"
	StateDiskFull    State = "disk full"
	StateRestarting  State = "restarting"
	StateStopping    State = "stopping"
	StateStopped     State = "stopped"
)

// Progress: scheduler to torrent, by torrent to client and on to subscribers:
// once a second, a torrent that seeds with nobody connected every ten seconds, and
// at each change of state. While the metainfo is not known there is no scheduler:
// the torrent itself reports StateMetadata once a second, without pieces.
type Progress struct {
	InfoHash                     metainfo.Hash
	Name                         string
	At                           time.Time
	State                        State
	Why                          string // why nothing moves; empty when something does
	Pieces                       int
	HavePieces                   int
	Length                       int64   // bytes
	Have                         int64   // bytes, verified
	DownNow, UpNow               float64 // bytes a second
	Downloaded, Uploaded, Wasted int64   // bytes, this run
	Corrupt                      int     // pieces that failed their hash
	Peers                        int     // connected
	Unchoked                     int     // of them, who let us download
	Seeds                        int     // of them, who have everything
	Restarts                     int     // of actors of this torrent, counted by the client
	CheckDone, CheckTotal        int
	// Map is the torrent in at most 256 cells of equal length, each from 0
	// (nothing) to 255 (all).
	Map           []uint8
	Top           []PeerInfo // the most useful peers, best first, a few
	Left          int64      // bytes
	PeersNeedData bool       // somebody connected does not have everything
}

// TorrentPiecesVerified: scheduler to torrent, by client and on to subscribers, when
// pieces have become ours.
type TorrentPiecesVerified struct {
	InfoHash metainfo.Hash
	Pieces   []uint32
}

// TorrentDone: torrent to client and on to subscribers, the last of a torrent
// that was ended as intended.
type TorrentDone struct {
	InfoHash metainfo.Hash
	Complete bool
	Last     Progress
}

// TorrentFailed: torrent to client and on to subscribers, the last of a torrent
// that cannot go on.
type TorrentFailed struct {
	InfoHash metainfo.Hash
	Err      error
	Last     Progress
}

// TorrentCompleted: torrent to client and on to subscribers: all is there, under
// its final name. The torrent may go on seeding.
type TorrentCompleted struct {
	InfoHash metainfo.Hash
	Last     Progress
}

// TorrentDataChanged: torrent to client and on to subscribers: its data was changed
// by somebody else, or can no longer be read, and is checked again.
type TorrentDataChanged struct {
	InfoHash metainfo.Hash
	Err      error
}

// TorrentAnnounced: torrent to client and on to subscribers: what came of an
// announce. One of the two is set.
type TorrentAnnounced struct {
	InfoHash metainfo.Hash
	Replied  *TrackerReplied
	Failed   *TrackerFailed
}

// TorrentPeerBanned: torrent to client and on to subscribers: no connection with
// this peer any more.
type TorrentPeerBanned struct {
	InfoHash metainfo.Hash
	Addr     netip.AddrPort
	Reason   string
}
