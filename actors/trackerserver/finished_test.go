package trackerserver

import (
	"net/netip"
	"testing"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// A peer counts once as having completed, whatever it does in between, and a
// host as a few peers, whatever ids it invents.
func TestCompletedCountsOnce(t *testing.T) {
	table, rnd := NewTable(Limits{}), newRand()
	say := func(id byte, from_ netip.Addr, e announce.Event) {
		r := from(id, 0)
		r.Event = e
		table.Announce(r, from_, start, rnd)
	}
	count := func(want int) {
		t.Helper()
		if got := table.swarms[hash].item.completed; got != want {
			t.Errorf("%d completed, want %d", got, want)
		}
	}
	say(200, host(1), announce.Started) // so that the torrent stays
	for range 50 {
		say(1, public, announce.Completed)
		say(1, public, announce.Stopped)
	}
	count(1)
	for id := range byte(50) {
		say(id, public, announce.Completed)
	}
	count(finishedOfHost)
	say(100, host(2), announce.Completed)
	count(finishedOfHost + 1)
}

// What is remembered of those who completed is bounded.
func TestFinishedIsBounded(t *testing.T) {
	var f finished
	for i := range 5 * remembered {
		if !f.count(metainfo.Hash{}, host(i), [20]byte{}) {
			t.Fatal("a new one does not count")
		}
	}
	if n := len(f.newer) + len(f.older); n > 2*remembered {
		t.Errorf("%d hosts", n)
	}
	if f.count(metainfo.Hash{}, host(5*remembered-1), [20]byte{}) {
		t.Error("the last one counts twice")
	}
}
