package store

import (
	"testing"
	"time"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
)

// A store does not check again what the store before it knew, whatever the
// journal says and the files look like, as long as the torrent remembers.
func TestAStoreIsToldWhatTheOneBeforeKnew(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 300_000)
	r := begun(t, w.World(), s, func(c *Config) { c.Check = messages.CheckFull })
	verify := func(pieces ...int) {
		for _, i := range pieces {
			r.send(1, nil, s.Blocks(i)...)
			await[*messages.PieceVerified](r)
			for m := range r.torrent { // which here ends with the store, and must have read it
				if _, is := m.(*messages.PieceVerified); is {
					break
				}
			}
		}
	}
	verify(0, 4)
	for have := uint(2); have < 4; have++ {
		if err := r.tree.Kill("engine/store", "test"); err != nil {
			t.Fatal(err)
		}
		w.Clock.RunNext(time.Second) // to restart
		ready := await[*messages.StoreReady](r)
		if ready.Have.Count() != have || !ready.Have.Test(0) || !ready.Have.Test(4) || ready.Checked != 0 {
			t.Errorf("has %v, checked %d", ready.Have, ready.Checked)
		}
		verify(int(have))
	}
	r.sendAll()
	await[*messages.StoreFinished](r)
	r.want(w.Disk, "/d", "data")
}
