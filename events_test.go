package kouzui_test

import (
	"net/netip"
	"testing"

	"kouzui"
	"kouzui/actors/lab/stage"
)

// A slow reader misses nothing but Progress that a newer one has replaced.
func TestASlowReaderMissesNothing(t *testing.T) {
	m, data := stage.Torrent(t, 1<<20, 16<<10)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{})
	torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}})
	if err != nil {
		t.Fatal(err)
	}
	slow := torrent.Events(t.Context())
	if err := torrent.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for e := range slow {
		switch e := e.(type) {
		case kouzui.Progress:
			kinds["progress"]++
		case kouzui.PiecesVerified:
			kinds["pieces"] += len(e.Pieces)
		case kouzui.Completed:
			kinds["completed"]++
		case kouzui.Ended:
			kinds["ended"]++
		}
	}
	if kinds["progress"] > 1 || kinds["pieces"] != m.PieceCount() || kinds["completed"] != 1 || kinds["ended"] != 1 {
		t.Errorf("the slow reader gets %v", kinds)
	}
}

// TestEventsBeginWithTheListener: a subscriber that comes late learns where the
// client listens.
func TestEventsBeginWithTheListener(t *testing.T) {
	client, err := kouzui.Open(kouzui.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(t.Context())
	addr, err := client.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for e := range client.Events(t.Context()) {
		if m, is := e.(kouzui.Listening); !is || m.Addr != addr {
			t.Errorf("the first event is %v, and the client listens at %v", e, addr)
		}
		break
	}
}
