package torrent

import (
	"strings"

	"kouzui/messages"
	"kouzui/wire/choice"
)

// What the user asks about the torrent.

// files is the files of the torrent, but for those that only pad it (BEP 47).
func (s *state) files() (files []messages.FileStatus) {
	if s.torrent == nil {
		return nil
	}
	for i, f := range s.torrent.Files {
		if f.Padding {
			continue
		}
		priority := choice.Normal
		if s.priorities != nil {
			priority = s.priorities[i]
		}
		path := strings.Join(f.Path, "/")
		if root := s.torrent.Root(); root != "" {
			path = root + "/" + path
		}
		files = append(files, messages.FileStatus{Index: i, Path: path, Length: f.Length, Have: s.haveOf(i), Priority: priority})
	}
	return files
}

// haveOf is how many bytes of a file lie in verified pieces.
func (s *state) haveOf(file int) (bytes int64) {
	known := s.renewal.pieces
	if known == nil || known.Have == nil {
		return 0
	}
	f := s.torrent.Files[file]
	first, end := s.torrent.FilePieces(file)
	for piece := first; piece < end; piece++ {
		if known.Have.Test(uint(piece)) {
			from := int64(piece) * s.torrent.PieceLength
			bytes += min(from+s.torrent.PieceSize(piece), f.Offset+f.Length) - max(from, f.Offset)
		}
	}
	return bytes
}

func (s *state) trackers() (tiers []messages.TrackerStatus) {
	for tier, status := range s.announcing.status {
		status.Tier, status.Active = tier, s.announcing.active[tier]
		tiers = append(tiers, status)
	}
	return tiers
}

// queryPeers passes the question on to the scheduler, if there is one.
func (s *state) queryPeers(m *messages.QueryPeers) {
	if s.torrent == nil {
		m.Reply(nil)
	} else {
		s.tellEngine(m)
	}
}
