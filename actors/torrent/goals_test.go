package torrent

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func TestWhenACompleteTorrentIsDone(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name    string
		options messages.TorrentOptions
		p       messages.Progress
		at      time.Duration
		want    bool
	}{
		{"no seeding asked for", messages.TorrentOptions{}, messages.Progress{}, 0, true},
		{"seeding without an end", messages.TorrentOptions{Seed: true}, messages.Progress{Uploaded: 1 << 40}, 1000 * time.Hour, false},
		{"time not up", messages.TorrentOptions{Seed: true, SeedFor: time.Hour}, messages.Progress{}, time.Hour - 1, false},
		{"time up", messages.TorrentOptions{Seed: true, SeedFor: time.Hour}, messages.Progress{}, time.Hour, true},
		{"ratio not reached", messages.TorrentOptions{Seed: true, SeedRatio: 2}, messages.Progress{Downloaded: mib, Uploaded: 2*mib - 1}, 0, false},
		{"ratio reached", messages.TorrentOptions{Seed: true, SeedRatio: 2}, messages.Progress{Downloaded: mib, Uploaded: 2 * mib}, 0, true},
		{"ratio of what was there", messages.TorrentOptions{Seed: true, SeedRatio: 1}, messages.Progress{Have: mib, Uploaded: mib}, 0, true},
		{"ratio of what was there, not reached", messages.TorrentOptions{Seed: true, SeedRatio: 1}, messages.Progress{Have: mib}, 0, false},
	} {
		g := goals{options: c.options}
		if g.done(&c.p, after(c.at)) {
			t.Errorf("%s: done before it is complete", c.name)
		}
		g.completed(start)
		if got := g.done(&c.p, after(c.at)); got != c.want {
			t.Errorf("%s: done is %v", c.name, got)
		}
	}
}

func TestUntilPeersAreDone(t *testing.T) {
	g := goals{options: messages.TorrentOptions{UntilPeersDone: true}}
	g.completed(start)
	needs, done := &messages.Progress{PeersNeedData: true}, &messages.Progress{}
	for i, step := range []struct {
		p    *messages.Progress
		at   time.Duration
		want bool
	}{
		{needs, 0, false}, {done, time.Second, false}, {needs, 2 * time.Second, false},
		{done, 3 * time.Second, false}, {done, 5 * time.Second, false}, {done, 6 * time.Second, true},
	} {
		if got := g.done(step.p, after(step.at)); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

func TestWhenATorrentIsHopeless(t *testing.T) {
	full := &world.AnnounceError{Phase: "any", Err: world.ErrFull}
	g := goals{}
	still := &messages.Progress{}
	if g.hopeless(still, start) != nil || g.hopeless(still, after(24*time.Hour)) != nil {
		t.Error("it is given up, though no StallTimeout is set")
	}
	g.diskFailed(full, start)
	g.diskFailed(full, after(time.Minute))
	if g.hopeless(still, after(maxDiskFailure-1)) != nil {
		t.Error("a full disk is given up too early")
	}
	if err := g.hopeless(still, after(maxDiskFailure)); !errors.Is(err, world.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	g.diskRecovered()
	if err := g.hopeless(still, after(maxDiskFailure)); err != nil {
		t.Errorf("after the disk recovered: %v", err)
	}

	g = goals{options: messages.TorrentOptions{StallTimeout: time.Minute}}
	for i := range 10 { // a byte within each StallTimeout is enough
		p := &messages.Progress{Downloaded: int64(i)}
		if err := g.hopeless(p, after(time.Duration(i)*50*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	err := g.hopeless(&messages.Progress{Downloaded: 9, Why: "no peers"}, after(510*time.Second))
	if !errors.Is(err, messages.ErrStalled) {
		t.Errorf("a stall: %v", err)
	}
	g.completed(start)
	if g.hopeless(&messages.Progress{Downloaded: 9}, after(time.Hour)) != nil {
		t.Error("a seed that uploads nothing is given up")
	}
	g.incomplete(after(time.Hour)) // more is wanted
	if g.hopeless(&messages.Progress{Downloaded: 9}, after(time.Hour+59*time.Second)) != nil {
		t.Error("what is wanted anew has no time to come")
	}
	if g.hopeless(&messages.Progress{Downloaded: 9}, after(time.Hour+time.Minute)) == nil {
		t.Error("what is wanted anew may stall for ever")
	}
}

func TestTiers(t *testing.T) {
	tiers := newTiers(3)
	check := func(what string, got []int, want ...int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("at the start", tiers.advance(), 0)
	check("again", tiers.advance())
	exhausted := func(tier int) []int {
		pause, activate := tiers.exhausted(tier)
		check("to pause", pause)
		return activate
	}
	check("the first fails", exhausted(0), 1)
	check("it fails once more", exhausted(0))
	check("the second fails", exhausted(1), 2)
	check("the second works", tiers.replied(1), 2)
	check("the first works", tiers.replied(0), 1)
	check("the first fails again", exhausted(0), 1)
	check("nobody comes", tiers.nobodyConnected(), 2)
	check("it turns out to be private", tiers.keepOne(), 1, 2)
	none := newTiers(0)
	check("without trackers", none.advance())
}

// Of a private torrent one tier announces at a time.
func TestTiersOfAPrivateTorrent(t *testing.T) {
	tiers := newTiers(3)
	tiers.keepOne()
	check := func(what string, got []int, want ...int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	fails := func(tier int, pauses, activates []int) {
		t.Helper()
		pause, activate := tiers.exhausted(tier)
		check("to pause", pause, pauses...)
		check("to be activated", activate, activates...)
	}
	check("at the start", tiers.advance(), 0)
	check("nobody comes", tiers.nobodyConnected())
	fails(0, []int{0}, []int{1})
	fails(0, nil, nil) // it was asked before it was paused
	check("the second works", tiers.replied(1))
	fails(1, []int{1}, []int{2})
	fails(2, []int{2}, []int{0})
	alone := newTiers(1)
	alone.keepOne()
	alone.advance()
	if pause, activate := alone.exhausted(0); pause != nil || activate != nil {
		t.Errorf("the only tier fails: %v, %v", pause, activate)
	}
}

func TestCountsOutliveAnEngine(t *testing.T) {
	var s runCounts
	for i, step := range []struct{ down, up, wantDown, wantUp int64 }{
		{0, 0, 0, 0}, {10, 1, 10, 1}, {20, 2, 20, 2}, {0, 0, 20, 2}, {5, 0, 25, 2}, {0, 0, 25, 2}, {1, 1, 26, 3},
	} {
		p := s.total(messages.Progress{Downloaded: step.down, Uploaded: step.up, Wasted: step.down, Corrupt: int(step.up)})
		if p.Downloaded != step.wantDown || p.Uploaded != step.wantUp || p.Wasted != step.wantDown || p.Corrupt != int(step.wantUp) {
			t.Errorf("step %d: %d down, %d up, %d wasted, %d corrupt", i, p.Downloaded, p.Uploaded, p.Wasted, p.Corrupt)
		}
	}
}
