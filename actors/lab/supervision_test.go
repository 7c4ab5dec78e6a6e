package lab

import (
	"strings"
	"testing"
	"time"

	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// supervised is a small swarm whose downloaders have faults, and whose failures
// are answered in such a way.
func supervised(spec string, events []Event, faults ...string) *Scenario {
	return &Scenario{
		Content: 2 << 20, Piece: 64 << 10, Event: events,
		Patterns: pattern.Choice{"supervision": spec},
		Class: []Class{
			{Name: "seed", Have: 1, Up: 512 << 10},
			{Name: "peer", Count: 3, Up: 512 << 10, Faults: faults},
		},
	}
}

// A scheduler that is restarted for the failure of a sibling, with what waits
// for it, is watched as any other: it does nothing wrong, and if it did, that
// would be seen.
func TestRestartedWithTheirSiblings(t *testing.T) {
	play := func(with *tamper) *Result {
		s := supervised("all-for-one", nil, "panic,actor=*/choker,at=1s,count=3,every=3", "panic,actor=*/engine/peers,at=2s,count=2,every=9", "panic,actor=*/peer-*,at=1s,count=6,every=5")
		r, err := Run(s, Options{Seed: 1, tamper: with})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	restarts := func(r *Result) (n int) {
		for _, m := range r.Marks {
			if m.What == "restart" && strings.Contains(m.About, "/engine/scheduler: ") {
				n++
			}
		}
		return n
	}
	honest := play(nil)
	for _, err := range honest.Wrong {
		t.Error(err)
	}
	if restarts(honest) == 0 {
		t.Error("no scheduler was restarted")
	}
	asked := map[string]*messages.RequestBlocks{} // by peer
	again := play(&tamper{seen: func(to string, m any) any {
		r, is := m.(*messages.RequestBlocks)
		if !is {
			return m
		}
		if before := asked[to]; before != nil {
			return before
		}
		asked[to] = r
		return r
	}})
	if len(again.Wrong) == 0 {
		t.Error("nobody sees that blocks are asked for again and again")
	}
}

// A run does not wait for nodes of which the client or the torrent has ended,
// and tells so; it does wait if they may be started anew.
func TestNobodyWaitsForTheEnded(t *testing.T) {
	const session, torrent = "panic,actor=*/session,at=1s,count=1", "panic,actor=*/torrent-*,at=3s,count=1"
	kill := Event{At: Time(30 * time.Second), Do: "kill", Class: "peer", For: Time(time.Second)}
	repeated := kill
	repeated.Every = Time(time.Minute)
	for name, tc := range map[string]struct {
		fault string
		event []Event
		least time.Duration
		says  string // empty: all are complete
	}{
		"the client":                         {session, nil, 0, "its client has ended by itself"},
		"the torrent":                        {torrent, nil, 0, "it is not complete: " + messages.ErrGivenUp.Error()},
		"the client, twice":                  {session, []Event{kill}, 31 * time.Second, "its client has ended by itself"},
		"the torrent, which is started anew": {torrent, []Event{kill}, 31 * time.Second, ""},
		"the client, time and again":         {session, []Event{repeated}, 91 * time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Run(supervised("stop", tc.event, tc.fault), Options{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Wrong) != 3 && tc.says != "" || len(r.Wrong) > 0 && tc.says == "" {
				t.Errorf("%v", r.Wrong)
			}
			for _, err := range r.Wrong {
				if !strings.Contains(err.Error(), tc.says) {
					t.Errorf("%v, want %q", err, tc.says)
				}
			}
			if r.Virtual < tc.least || r.Virtual > 10*time.Minute {
				t.Errorf("it takes %v", r.Virtual)
			}
		})
	}
}
