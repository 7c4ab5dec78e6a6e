package messages

import (
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// Questions of the program that started the client about a torrent. The actor
// that answers calls Reply, at most once; Reply must not block. A question that
// is lost with its receiver is not answered, and has to be asked again.

// QueryStatus: a question to session, which answers with its last Progress
// through Reply.
type QueryStatus struct {
	InfoHash metainfo.Hash
	Reply    func(Progress)
}

// QueryFiles: a question to session, and from session to torrent, which answers
// through Reply. Without metainfo there are no files.
type QueryFiles struct {
	InfoHash metainfo.Hash
	Reply    func([]FileStatus)
}

// FileStatus is a file of a torrent.
type FileStatus struct {
	Index    int    // in the torrent
	Path     string // below the folder of the torrent, with '/' between parts
	Length   int64  // bytes
	Have     int64  // bytes in verified pieces
	Priority choice.Priority
}

// QueryTrackers: a question to session, and from session to torrent, which
// answers through Reply.
type QueryTrackers struct {
	InfoHash metainfo.Hash
	Reply    func([]TrackerStatus)
}

// TrackerStatus is a tier of trackers (BEP 12).
type TrackerStatus struct {
	Tier   int
	Active bool // the tier announces; later tiers do when earlier ones fail
	// Replied and Failed are the last reply and the last failure; nil: none yet.
	Replied *TrackerReplied
	Failed  *TrackerFailed
}

// QueryPeers: a question to session, and from session by torrent and engine to
// scheduler, which answers through Reply. Without metainfo there is no
// scheduler: the torrent answers that there are none.
type QueryPeers struct {
	InfoHash metainfo.Hash
	Reply    func([]PeerInfo)
}

// QueryStopped: a question to session, and from session to torrents, which
// answers through Reply once no actor of the torrent runs, so that none holds
// its files open.
type QueryStopped struct {
	InfoHash metainfo.Hash
	Reply    func(struct{})
}
