package tracker

import (
	"bytes"
	"testing"
	"time"

	"kouzui/actors/trackerserver"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/view"
)

// Plain lines come when something has changed, and not too often; none before
// the first announce.
func TestPlain(t *testing.T) {
	var out bytes.Buffer
	d := display{out: &output.Output{Stderr: &out, Plain: true}}
	start := time.Unix(1_000_000_000, 0)
	one := trackerserver.Counts{Torrents: 1, Peers: 2, Seeds: 1, Announces: 3}
	two := one
	two.Announces = 4
	for _, step := range []struct {
		after  time.Duration
		counts trackerserver.Counts
		want   string
	}{
		{0, trackerserver.Counts{}, ""},
		{time.Second, one, "1 torrent, 2 peers (1 seed), 3 announces\n"},
		{2 * time.Second, two, ""},
		{time.Second + plainEvery, two, "1 torrent, 2 peers (1 seed), 4 announces\n"},
		{time.Minute, two, ""},
	} {
		out.Reset()
		d.show(step.counts, start.Add(step.after))
		if out.String() != step.want {
			t.Errorf("after %v: %q, want %q", step.after, out.String(), step.want)
		}
	}
}

// The live line never takes two rows.
func TestLiveFits(t *testing.T) {
	var out bytes.Buffer
	d := display{out: &output.Output{Screen: view.NewScreen(&out, func() (int, int) { return 20, 5 })}}
	d.show(trackerserver.Counts{}, time.Unix(1_000_000_000, 0))
	if got, want := out.String(), "0 torrents, 0 peer…\x1b[K\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
