package torrent

import "kouzui/messages"

// runCounts carries the counts of a run over the restarts of an engine, whose
// scheduler counts from zero, and over those of the torrent itself, for which the
// client keeps them.
type runCounts struct {
	restored    bool // the client has told what it kept
	before, now counts
}

type counts struct {
	down, up, wasted int64 // bytes
	corrupt          int   // pieces
}

// restore takes over what the client has kept.
func (r *runCounts) restore(m *messages.RestoreTotals) {
	r.restored = true
	r.before = counts{m.Downloaded, m.Uploaded, m.Wasted, m.Corrupt}
}

// total replaces what p counts for one life of the engine by the counts of the
// run. An engine that counts less than before is a new one.
func (r *runCounts) total(p messages.Progress) messages.Progress {
	now := counts{p.Downloaded, p.Uploaded, p.Wasted, p.Corrupt}
	if now.down < r.now.down || now.up < r.now.up {
		r.before.down += r.now.down
		r.before.up += r.now.up
		r.before.wasted += r.now.wasted
		r.before.corrupt += r.now.corrupt
	}
	r.now = now
	p.Downloaded += r.before.down
	p.Uploaded += r.before.up
	p.Wasted += r.before.wasted
	p.Corrupt += r.before.corrupt
	return p
}
