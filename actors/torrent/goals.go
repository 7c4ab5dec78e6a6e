package torrent

import (
	"fmt"
	"time"

	"kouzui/messages"
)

const (
	// maxDiskFailure is how long writing may fail until the torrent gives up,
	// unless the user set a StallTimeout.
	maxDiskFailure = 5 * time.Minute
	// peersDoneFor is how long no connected peer must have needed data before a
	// torrent with UntilPeersDone is done: one that needs data may be connecting.
	peersDoneFor = 3 * time.Second
)

// goals decides, by what the user chose, when a torrent is done, and when it is
// hopeless. Times are zero while what they tell of is not so.
type goals struct {
	options       messages.TorrentOptions
	completeSince time.Time // all wanted pieces are there
	unneededSince time.Time // no connected peer needs data
	movedAt       time.Time // bytes changed
	bytes         int64     // that came, or were found on the disk
	diskError     error     // nil: the disk takes what is written
	diskSince     time.Time // diskError was first reported
}

// completed notes that all wanted pieces are there.
func (g *goals) completed(now time.Time) {
	if g.completeSince.IsZero() {
		g.completeSince = now
	}
}

// incomplete notes that more pieces are wanted than are there. They have all of
// StallTimeout to come.
func (g *goals) incomplete(now time.Time) {
	g.completeSince, g.unneededSince, g.movedAt = time.Time{}, time.Time{}, now
}

// done tells whether a torrent is complete, and has seeded as long as the user
// wants.
func (g *goals) done(p *messages.Progress, now time.Time) bool {
	if g.completeSince.IsZero() {
		return false
	}
	if g.options.UntilPeersDone {
		if p.PeersNeedData {
			g.unneededSince = time.Time{}
		} else if g.unneededSince.IsZero() {
			g.unneededSince = now
		}
		return !p.PeersNeedData && now.Sub(g.unneededSince) >= peersDoneFor
	}
	if !g.options.Seed {
		return true
	}
	if g.options.SeedFor > 0 && now.Sub(g.completeSince) >= g.options.SeedFor {
		return true
	}
	// Where nothing was downloaded, the ratio is that to the data on the disk.
	fetched := p.Downloaded
	if fetched == 0 {
		fetched = p.Have
	}
	return g.options.SeedRatio > 0 && float64(p.Uploaded) >= g.options.SeedRatio*float64(fetched)
}

// due is when a torrent is done by the mere passing of time; zero: never.
func (g *goals) due() time.Time {
	switch {
	case g.completeSince.IsZero():
	case g.options.UntilPeersDone:
		if !g.unneededSince.IsZero() {
			return g.unneededSince.Add(peersDoneFor)
		}
	case g.options.SeedFor > 0:
		return g.completeSince.Add(g.options.SeedFor)
	}
	return time.Time{}
}

func (g *goals) diskFailed(err error, now time.Time) {
	if g.diskError == nil {
		g.diskSince = now
	}
	g.diskError = err
}

func (g *goals) diskRecovered() { g.diskError = nil }

// hopeless is why a torrent should be given up, or nil: the disk refuses what
// is written for too long, or nothing has come for StallTimeout.
func (g *goals) hopeless(p *messages.Progress, now time.Time) error {
	if moved := p.Downloaded + p.Have + int64(p.CheckDone+p.Metadata.Received); moved != g.bytes || g.movedAt.IsZero() {
		g.bytes, g.movedAt = moved, now
	}
	if g.diskError != nil {
		limit := maxDiskFailure
		if g.options.StallTimeout > 0 {
			limit = g.options.StallTimeout
		}
		if now.Sub(g.diskSince) >= limit {
			return fmt.Errorf("gave up after %v: %w", limit, g.diskError)
		}
		return nil
	}
	if g.options.StallTimeout > 0 && g.completeSince.IsZero() && now.Sub(g.movedAt) >= g.options.StallTimeout {
		why := p.Why
		if why == "" {
			why = "nothing was downloaded"
		}
		return fmt.Errorf("%w for %v: %s", messages.ErrStalled, g.options.StallTimeout, why)
	}
	return nil
}
