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
	// peersDoneFor is how long no connected peer may have needed data until a
	// torrent with UntilPeersDone is done: who completes may tell others.
	peersDoneFor = 3 * time.Second
)

// goals is what a user wants of a torrent, and since when things stand as they
// do. It decides when the torrent is done, and when it is hopeless.
type goals struct {
	options  messages.TorrentOptions
	complete time.Time // since when everything is there
	unneeded time.Time // since when nobody connected needs data
	moved    time.Time // when the number of bytes had last changed
	bytes    int64
	disk     error     // what the disk says, while it refuses
	refused  time.Time // since when
}

// completed is told once all is there.
func (g *goals) completed(now time.Time) {
	if g.complete.IsZero() {
		g.complete = now
	}
}

// incomplete is told when more is wanted than is there.
func (g *goals) incomplete() { g.complete, g.unneeded = time.Time{}, time.Time{} }

// done tells, for a complete torrent, whether there is no reason to stay.
func (g *goals) done(p *messages.Progress, now time.Time) bool {
	if g.complete.IsZero() {
		return false
	}
	if g.options.UntilPeersDone {
		if p.PeersNeedData {
			g.unneeded = time.Time{}
		} else if g.unneeded.IsZero() {
			g.unneeded = now
		}
		return !p.PeersNeedData && now.Sub(g.unneeded) >= peersDoneFor
	}
	if !g.options.Seed {
		return true
	}
	if g.options.SeedFor > 0 && now.Sub(g.complete) >= g.options.SeedFor {
		return true
	}
	// Of a torrent that was there from the start what is there counts as fetched.
	fetched := p.Downloaded
	if fetched == 0 {
		fetched = p.Have
	}
	return g.options.SeedRatio > 0 && float64(p.Uploaded) >= g.options.SeedRatio*float64(fetched)
}

// due is when a complete torrent is done though nothing happens; zero: never.
func (g *goals) due() time.Time {
	switch {
	case g.complete.IsZero():
	case g.options.UntilPeersDone:
		if !g.unneeded.IsZero() {
			return g.unneeded.Add(peersDoneFor)
		}
	case g.options.SeedFor > 0:
		return g.complete.Add(g.options.SeedFor)
	}
	return time.Time{}
}

func (g *goals) diskFailed(err error, now time.Time) {
	if g.disk == nil {
		g.refused = now
	}
	g.disk = err
}

func (g *goals) diskRecovered() { g.disk = nil }

// hopeless tells why a torrent that is not complete should be given up, or nil.
func (g *goals) hopeless(p *messages.Progress, now time.Time) error {
	if moved := p.Downloaded + p.Have + int64(p.CheckDone); moved != g.bytes || g.moved.IsZero() {
		g.bytes, g.moved = moved, now
	}
	if g.disk != nil {
		limit := maxDiskFailure
		if g.options.StallTimeout > 0 {
			limit = g.options.StallTimeout
		}
		if now.Sub(g.refused) >= limit {
			return fmt.Errorf("gave up after %v: %w", limit, g.disk)
		}
		return nil
	}
	if g.options.StallTimeout > 0 && g.complete.IsZero() && now.Sub(g.moved) >= g.options.StallTimeout {
		why := p.Why
		if why == "" {
			why = "nothing came"
		}
		return fmt.Errorf("%w for %v: %s", messages.ErrStalled, g.options.StallTimeout, why)
	}
	return nil
}
