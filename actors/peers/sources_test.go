package peers

import (
	"slices"
	"testing"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// The torrent is told how many addresses each kind of source has brought, how
// many of them never answered and how many peers are connected, only if that
// has changed.
func TestSourcesAreCounted(t *testing.T) {
	pex := messages.Source{Kind: messages.SourcePEX}
	k := crowd(0)
	k.max, k.now = 10, start
	told := func() (counts []messages.SourceCount) {
		k.setDialing(true)
		for _, e := range k.out.take() {
			if e, is := e.(tellTorrent); is {
				counts = e.message.(*messages.SourcesCounted).Sources
			}
		}
		return counts
	}
	check := func(when string, want ...messages.SourceCount) {
		t.Helper()
		if got := told(); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
		if got := told(); got != nil {
			t.Errorf("%s: told again %+v", when, got)
		}
	}
	if got := told(); got != nil {
		t.Errorf("of nobody is told %+v", got)
	}
	k.addCandidates([]messages.PeerAddr{
		{Addr: addrOf(1), Source: messages.TrackerTier(0)}, {Addr: addrOf(2), Source: messages.TrackerTier(1)},
		{Addr: addrOf(3), Source: pex}, {Addr: addrOf(4), Source: pex}, {Addr: addrOf(5), Source: pex},
	})
	check("found", messages.SourceCount{Kind: messages.SourceTracker, Known: 2}, messages.SourceCount{Kind: messages.SourcePEX, Known: 3})

	of := map[int]*slot{}
	for _, s := range k.slots.all {
		for n := range 6 {
			if s.Addr == addrOf(n) {
				of[n] = s
			}
		}
	}
	over := func(n int, reason messages.GoneReason) {
		k.gone(&messages.PeerGone{Key: of[n].Key, Reason: reason})
		k.ended(of[n].Key)
	}
	k.ready(&messages.PeerReady{Key: of[2].Key, ID: [20]byte{2}, Addr: addrOf(2)})
	k.ready(&messages.PeerReady{Key: of[5].Key, ID: [20]byte{5}, Addr: addrOf(5)})
	over(5, messages.GoneClosed) // it had answered
	over(3, messages.GoneDial)
	came := k.slots.of(join(k, 9))
	if of[2].Source != messages.TrackerTier(1) || of[3].Source != pex || came.Source != messages.Incoming {
		t.Errorf("peers are spawned as if from %v, %v, %v", of[2].Source, of[3].Source, came.Source)
	}
	check("connected", messages.SourceCount{Kind: messages.SourceTracker, Connected: 1, Known: 2},
		messages.SourceCount{Kind: messages.SourceIncoming, Connected: 1},
		messages.SourceCount{Kind: messages.SourcePEX, Known: 3, Silent: 1})

	over(4, messages.GoneSelf)
	check("one was ourselves", messages.SourceCount{Kind: messages.SourceTracker, Connected: 1, Known: 2},
		messages.SourceCount{Kind: messages.SourceIncoming, Connected: 1},
		messages.SourceCount{Kind: messages.SourcePEX, Known: 2, Silent: 1})
}

// A torrent without metainfo hears of them, too.
func TestSourcesAreCountedWithoutMetainfo(t *testing.T) {
	s := newSceneOf(t, 100, nil)
	s.find(1)
	s.Tell(&messages.SetDialing{Dial: true})
	if got := stage.Next[*messages.SourcesCounted](s.torrent).Sources; len(got) != 1 || got[0].Known != 1 {
		t.Errorf("told of %+v", got)
	}
}
