package torrent

import "kouzui/messages"

// unknownLeft is the `left` that trackers are told while the length of the
// torrent is not known. 0 would make us a seed. libtorrent sends the same
// number.
const unknownLeft = 16 << 10

// runCounts keeps the counts of a run across restarts of the engine, whose
// scheduler begins again at zero, and of the torrent itself, for which the
// session keeps them.
type runCounts struct {
	restored    bool // the session has sent the counts that it kept
	before, now counts
}

type counts struct {
	down, up, wasted int64 // bytes
	corrupt          int   // pieces
}

// restore takes over the counts that the session has kept.
func (r *runCounts) restore(m *messages.RestoreTotals) {
	r.restored = true
	r.before = counts{m.Downloaded, m.Uploaded, m.Wasted, m.Corrupt}
}

// total replaces the counts of p, which are those of one engine, by the counts
// of the run. If the counts are lower than before, they come from a new engine.
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

// needsData tells whether wanted pieces are missing, or it is not known yet
// which pieces there are.
func (s *state) needsData() bool { return s.torrent == nil || s.last.Left > 0 }

// totals are the counts that trackers are told. `completed` is sent when all
// pieces have been downloaded (BEP 3). A torrent that has all wanted pieces but
// lacks others is a partial seed (BEP 21): its `left` counts the missing
// pieces, though they are not wanted.
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
