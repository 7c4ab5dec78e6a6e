package messages

import (
	"errors"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// The conversation of the program that started the client, the session and the
// torrents.

// ErrGivenUp: supervision could not keep a part of the torrent alive.
var ErrGivenUp = errors.New("supervision gave up")

// ErrStalled: nothing has come for as long as the user allows.
var ErrStalled = errors.New("stalled")

// ErrInTheWay: a name that a download needs is taken by what is not overwritten
// even if the user forces that: a folder, a link, a pipe, a longer file, or a
// file in place of a folder.
var ErrInTheWay = errors.New("in the way")

// SuperSeeding says when a seed tells each peer of other pieces only (BEP 16).
type SuperSeeding string

// When to super-seed.
const (
	SuperSeedAuto   SuperSeeding = "auto"   // while there is no other seed, unless we can upload all within seconds
	SuperSeedAlways SuperSeeding = "always" // if we are fast, too
	SuperSeedNever  SuperSeeding = "never"
)

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
	Dir string // the folder in which the data lies
	// Patterns are those that were chosen, by kind: see package pattern. A kind
	// that is missing has its default.
	Patterns     map[string]string
	Check        CheckMode
	Peers        []netip.AddrPort // addresses to be tried, beside those of trackers
	LinkPeers    []netip.AddrPort // of the peers that the magnet link names (x.pe), those to be tried
	LinkHosts    []string         // hosts of all peers that the link names, addresses or names
	LinkWebSeeds []string         // URLs of web seeds that the link names (ws)
	Trackers     []string         // URLs among AddTorrent.Announce that the user gave
	MetadataOnly bool             // end when the metainfo is known
	MaxPeers     int              // connections; 0: the default
	UnchokeSlots int              // peers that may download, beside the optimistic one
	// MustExist: do not begin a download; data that is not there is an error.
	MustExist bool
	// Force: overwrite and move what cannot be shown to be the torrent's.
	Force bool
	// Seed: go on when complete, until SeedRatio (0: none) or SeedFor (0: none) is
	// reached.
	Seed      bool
	SuperSeed SuperSeeding // empty: SuperSeedAuto
	SeedRatio float64
	SeedFor   time.Duration
	// UntilPeersDone: go on when complete, until no connected peer needs data.
	UntilPeersDone bool
	// StallTimeout: give up when nothing has come for so long; 0: never.
	StallTimeout time.Duration
	DHT          DHTMode // empty: DHTAuto
	// NoPEX: peers are not told of each other (BEP 11).
	NoPEX bool
	// Wanted are the pieces to be downloaded; nil: all. SetWanted changes it.
	Wanted *bitset.BitSet
	// Choice is of files, and takes the place of Wanted; nil: none.
	Choice *choice.Choice
}

// AddTorrent: a command to session, which has the torrent started once it is
// known where we listen.
type AddTorrent struct {
	// Run numbers what is added in this process, from 1. A torrent that is added
	// once more after it has ended is another run.
	Run      uint64
	InfoHash metainfo.Hash
	Name     string     // shown until Torrent is known
	Announce [][]string // tracker tiers (BEP 12)
	// Torrent is nil where only the info hash is known: SetMetainfo brings it.
	Torrent *metainfo.Torrent
	Options TorrentOptions
	// Abroad: its trackers, its peers or the DHT may tell other machines of us.
	Abroad bool
}

// SetMetainfo: a command to session, and from session by torrent and engine to
// peers: what is in a torrent that was added by its info hash alone. A torrent
// refuses metainfo of another info hash, and ignores a second one. It tells the
// engine each time that engine or peers have been restarted; the engine spawns
// store and scheduler if there are none, and then tells peers.
type SetMetainfo struct{ Torrent *metainfo.Torrent }

// QueryMetainfo: engine to torrent, each time an engine has started that was
// built without metainfo. The torrent answers SetMetainfo once it can.
type QueryMetainfo struct{}

// StopTorrent: a command to session, and from session to torrent. The torrent
// flushes, says `stopped` to its trackers, and ends with TorrentDone.
type StopTorrent struct{ InfoHash metainfo.Hash }

// Share is what a torrent is given of the process at its start.
type Share struct {
	Memory int64 // bytes of payload
	Limits SetLimits
	Port   uint16 // at which we can be dialled; 0: nowhere
}

// StartTorrent: session to torrents, which spawns the torrent, unless it has
// this run already. If an earlier run of the same torrent has not quite
// stopped, the new one begins when it has.
type StartTorrent struct {
	Add   *AddTorrent
	Share Share
}

// TorrentStarted: torrent to session, each time it has started. The session
// answers with SetLimits, SetListenPort, DHTStarted for each DHT that there is,
// DHTNodesKnown if there are some, if they were told SetMetainfo and SetWanted,
// and last RestoreTotals: what changed since the torrent was added, and what an
// earlier life of it has counted.
type TorrentStarted struct {
	InfoHash metainfo.Hash
	Torrent  *actor.PID
}

// RestoreTotals: session to torrent, which reports no Progress before: what has
// been counted in this run. A torrent that has been told counts on from there,
// and ignores the counts: another session has begun. If the torrent is complete
// it answers TorrentCompleted, which the session before may not have passed on.
type RestoreTotals struct {
	Downloaded, Uploaded, Wasted int64 // bytes
	Corrupt                      int   // pieces
	Complete                     bool  // all pieces were there: trackers have been told
}

// QueryTorrents: session to torrents, when a session begins after another has
// died. The answer is TorrentsListed.
type QueryTorrents struct{}

// TorrentsListed: torrents to session, each time torrents has started, when it
// has none, and in answer to QueryTorrents. The session has those started that
// are missing, takes the others over, and has torrents forget what it does not
// know.
type TorrentsListed struct{ Torrents []ListedTorrent }

// ListedTorrent is a torrent that runs, or one that has ended whose Outcome the
// session has not had forgotten.
type ListedTorrent struct {
	Run      uint64
	InfoHash metainfo.Hash
	Torrent  *actor.PID
	Outcome  any // TorrentDone or TorrentFailed; nil: it runs
}

// TorrentEnded: torrents to session, once a run is over: the torrent has said
// so itself, or supervision has given it up. Torrents keeps the outcome until
// ForgetTorrent, for a session may fail before it has told the user.
type TorrentEnded struct {
	Run      uint64
	InfoHash metainfo.Hash
	Outcome  any // TorrentDone or TorrentFailed
}

// ForgetTorrent: session to torrents, when the outcome of a run has been passed
// on.
type ForgetTorrent struct {
	Run      uint64
	InfoHash metainfo.Hash
}

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

// Progress: scheduler to torrent, by torrent to session and on to subscribers:
// once a second, a torrent that seeds with no peer connected every ten seconds,
// and at each change of state. While the metainfo is not known there is no
// scheduler: the torrent itself reports StateMetadata once a second, without
// pieces.
type Progress struct {
	InfoHash                     metainfo.Hash
	Name                         string
	At                           time.Time
	State                        State
	Why                          string // why nothing moves; empty when something does
	Pieces                       int
	HavePieces                   int           // verified, wanted or not
	Wanted                       int           // pieces that the user wants, those that are there included
	Length                       int64         // bytes
	Have                         int64         // bytes, verified
	DownNow, UpNow               float64       // bytes a second
	Downloaded, Uploaded, Wasted int64         // bytes, this run
	Corrupt                      int           // pieces that failed their hash
	Peers                        int           // connected
	Unchoked                     int           // of them, that do not choke us
	Seeds                        int           // of them, that have all pieces
	Encrypted                    int           // of them, with which at least the handshake was encrypted
	Sources                      []SourceCount // by kind, without kinds that have brought nobody
	DHTNodes                     int           // in the tables of the DHT, of both families, as the session knows
	Restarts                     int           // of actors of this torrent, counted by the session
	CheckDone, CheckTotal        int
	// Map is the torrent in at most 256 cells of equal length, each from 0
	// (nothing) to 255 (all).
	Map           []uint8
	Top           []PeerInfo       // the most useful peers, best first, a few
	Left          int64            // bytes of wanted pieces that are not verified
	Chosen        int64            // bytes of wanted pieces; 0: of all, or not known yet
	PeersNeedData bool             // a connected peer lacks pieces, and may want ours
	SuperSeeding  bool             // peers are told of a few pieces each
	Metadata      MetadataProgress // while State is StateMetadata
}

// Goal is how many bytes the user wants, and how many of them are there.
func (p *Progress) Goal() (have, all int64) {
	if p.Chosen == 0 {
		return p.Have, p.Length
	}
	return p.Chosen - p.Left, p.Chosen
}

// TorrentPiecesVerified: scheduler to torrent, by session and on to
// subscribers, when pieces have become ours.
type TorrentPiecesVerified struct {
	InfoHash metainfo.Hash
	Pieces   []uint32
}

// TorrentMetainfoFound: torrent to session and on to subscribers: peers have
// told what is in a torrent that was added by its info hash alone. The session
// tells another life of the torrent the same as SetMetainfo.
type TorrentMetainfoFound struct{ Torrent *metainfo.Torrent }

// TorrentDone: torrent to torrents, which stops it, by TorrentEnded to session
// and on to subscribers, the last of a torrent that was ended as intended.
type TorrentDone struct {
	InfoHash metainfo.Hash
	Complete bool // all wanted pieces are there
	Last     Progress
}

// TorrentFailed: torrent to torrents, which stops it, by TorrentEnded to
// session and on to subscribers, the last of a torrent that cannot go on. Of
// one that supervision has given up it comes from torrents.
type TorrentFailed struct {
	InfoHash metainfo.Hash
	Err      error
	Last     Progress
}

// TorrentCompleted: torrent to session and on to subscribers: all wanted pieces
// are there. If these are all, the data has its final name. The torrent may go
// on seeding. It comes again when more was wanted and is there, and to each
// session that begins; the session tells subscribers only what is news.
type TorrentCompleted struct {
	InfoHash metainfo.Hash
	Last     Progress
}

// TorrentDataChanged: torrent to session and on to subscribers: its data was
// changed by another program, or can no longer be read, and is checked again.
type TorrentDataChanged struct {
	InfoHash metainfo.Hash
	Err      error
}

// TorrentAnnounced: torrent to session and on to subscribers: what came of an
// announce. One of the two is set.
type TorrentAnnounced struct {
	InfoHash metainfo.Hash
	Replied  *TrackerReplied
	Failed   *TrackerFailed
}

// TorrentPeerBanned: torrent to session and on to subscribers: no connection
// with this peer any more.
type TorrentPeerBanned struct {
	InfoHash metainfo.Hash
	Addr     netip.AddrPort
	Reason   string
}

// TorrentWebSeedDropped: torrent to session and on to subscribers: this web
// seed is not asked any more.
type TorrentWebSeedDropped struct {
	InfoHash metainfo.Hash
	Host     string // of its URL, which may hold a key
	Reason   string
}
