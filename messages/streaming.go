package messages

import "kouzui/wire/metainfo"

// What passes while somebody reads the content as it arrives.

// SetUrgent: a command to session, and from session by torrent and engine to
// scheduler: pieces that somebody waits for, in the order in which they are
// needed, in place of those of the last SetUrgent; none: nobody waits. The
// scheduler has the lacking ones among them fetched before all others, by as
// many peers as can take requests. It is said again while somebody waits, so
// nobody remembers it. Pieces must not be changed.
type SetUrgent struct {
	InfoHash metainfo.Hash
	Pieces   []uint32
}

// QueryContent: a question to session, and from session by torrent and engine
// to store: the content from Offset on, at most Length bytes, which the store
// bounds. The store answers through Reply, from any goroutine, with what lies
// in verified pieces from there on, which is nothing if Offset does not, or
// with the error of the disk. Whoever asks owns the bytes.
type QueryContent struct {
	InfoHash metainfo.Hash
	Offset   int64
	Length   int
	Reply    func(content []byte, err error)
}
