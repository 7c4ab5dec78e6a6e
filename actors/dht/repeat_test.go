package dht

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// TestAFirstAnnounceIsRepeated: what a node announces soon after its start is
// looked up and announced once more within minutes, not for all torrents at
// once; what it announces later is not.
func TestAFirstAnnounceIsRepeated(t *testing.T) {
	const torrents = 20
	for _, tc := range []struct {
		age   time.Duration
		times int
	}{{0, 2}, {young + time.Minute, 1}} {
		u := village(t, 20)
		m := u.join(host(100), host(1))
		u.run(tc.age)
		for i := range torrents {
			hash := krpc.ID{byte(i), 1}
			m.search(&messages.SearchPeers{InfoHash: metainfo.Hash(hash), Torrent: actor.NewPID("here", fmt.Sprint(i)), Port: 4000}, u.now)
		}
		u.settle(m)
		begun := map[krpc.ID][]time.Time{}
		most := 0 // that begin within ten seconds, when the first ones are over
		var window []time.Time
		for range 700 { // ten minutes
			u.run(time.Second)
			for _, s := range m.searches {
				if list := begun[s.hash]; !s.begun.IsZero() && (len(list) == 0 || list[len(list)-1] != s.begun) {
					begun[s.hash] = append(list, s.begun)
					if len(list) > 0 {
						window = append(window, u.now)
					}
				}
			}
			for len(window) > 0 && u.now.Sub(window[0]) > 10*time.Second {
				window = window[1:]
			}
			most = max(most, len(window))
		}
		for hash, list := range begun {
			if len(list) != tc.times || tc.times > 1 && list[1].Sub(list[0]) < secondAfter {
				t.Errorf("after %v: %v is looked up at %v", tc.age, hash, list)
			}
		}
		if len(begun) != torrents || most > torrents/2 {
			t.Errorf("after %v: %d torrents are looked up, %d of them again within 10 s", tc.age, len(begun), most)
		}
	}
}
