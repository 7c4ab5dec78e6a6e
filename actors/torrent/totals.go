package torrent

import "kouzui/messages"

// sums carries the counts of a run over the restarts of an engine, whose
// scheduler counts from nothing, and over those of the torrent itself, whose
// client keeps them.
type sums struct {
	begun       bool // it is known what the client has kept
	before, now counts
}

// goOnFrom takes over what the client has kept.
func (s *sums) goOnFrom(m *messages.RestoreTotals) {
	s.begun = true
	s.before = counts{m.Downloaded, m.Uploaded, m.Wasted, m.Corrupt}
}

type counts struct {
	down, up, wasted int64
	corrupt          int
}

// total replaces what p counts for one life of the engine by the counts of the
// run. A life that counts less than before is a new one.
func (s *sums) total(p messages.Progress) messages.Progress {
	now := counts{p.Downloaded, p.Uploaded, p.Wasted, p.Corrupt}
	if now.down < s.now.down || now.up < s.now.up {
		s.before.down += s.now.down
		s.before.up += s.now.up
		s.before.wasted += s.now.wasted
		s.before.corrupt += s.now.corrupt
	}
	s.now = now
	p.Downloaded += s.before.down
	p.Uploaded += s.before.up
	p.Wasted += s.before.wasted
	p.Corrupt += s.before.corrupt
	return p
}
