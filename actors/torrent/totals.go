package torrent

import "kouzui/messages"

// unknownLeft is how many bytes trackers hear that we lack while it is not
// known how long the torrent is: more than 0, which would make us a seed.
// libtorrent says the same.
const unknownLeft = 16 << 10

// runCounts carries the counts of a run over the restarts of an engine, whose
// scheduler counts from zero, and over those of the torrent itself, for which
// the session keeps them.
type runCounts struct {
	restored    bool // the session has told what it kept
	before, now counts
}

type counts struct {
	down, up, wasted int64 // bytes
	corrupt          int   // pieces
}

// restore takes over what the session has kept.
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

// needsData tells whether wanted pieces lack, or it is not known which there
// are.
func (s *state) needsData() bool { return s.torrent == nil || s.last.Left > 0 }

// totals is what trackers hear. A seed has all pieces, and `completed` says
// that all have come (BEP 3). A torrent that has all wanted pieces, but lacks
// others, is a partial seed (BEP 21): what it lacks counts as left, though it
// is not wanted.
func (s *state) totals() *messages.SetTotals {
	p := &s.last
	left := p.Length - p.Have
	if s.torrent == nil {
		left = unknownLeft
	}
	return &messages.SetTotals{
		Uploaded: p.Uploaded, Downloaded: p.Downloaded, Left: left,
		Completed:   s.complete && left == 0 && p.Downloaded > 0,
		PartialSeed: s.complete && left > 0,
		WantPeers:   s.needsData() && p.Peers < enoughPeers,
		Alone:       s.needsData() && p.Peers == 0,
	}
}
