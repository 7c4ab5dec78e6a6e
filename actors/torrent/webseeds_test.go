package torrent

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// What web seeds tell is counted among the sources of peers, and says why none
// serves. One that was given up stays so, whatever restarts.
func TestWebSeedsAreCounted(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := &state{now: now, torrent: &metainfo.Torrent{WebSeeds: []string{"http://a.example/k3y/", "http://b.example:81/"}}}
	said := func() (all []any) {
		s.out.Flush(func(_ *actor.PID, m any) { all = append(all, m) })
		return all
	}
	for seed := range 2 {
		s.webSeedStarted(&messages.WebSeedStarted{Seed: seed})
	}
	if n := len(said()); n != 2 {
		t.Fatalf("%d may fetch", n)
	}
	for _, step := range []struct {
		changed messages.WebSeedChanged
		count   messages.SourceCount
		why     string
	}{
		{messages.WebSeedChanged{Seed: 0, Err: errors.New("refused"), Until: now.Add(12 * time.Second)}, messages.SourceCount{Known: 2, Silent: 1}, ""},
		{messages.WebSeedChanged{Seed: 1, Serving: true}, messages.SourceCount{Known: 2, Silent: 1, Connected: 1}, ""},
		{messages.WebSeedChanged{Seed: 1, GivenUp: true, Err: errors.New("it lies")}, messages.SourceCount{Known: 1, Silent: 1},
			"The web seed a.example is asked again in 12s: refused; the web seed b.example:81 is given up: it lies."},
		{messages.WebSeedChanged{Seed: 1, Serving: true}, messages.SourceCount{Known: 1, Silent: 1},
			"The web seed a.example is asked again in 12s: refused; the web seed b.example:81 is given up: it lies."},
	} {
		s.webSeedChanged(&step.changed)
		step.count.Kind = messages.SourceWebSeed
		if got := s.withWebSeeds(); len(got) != 1 || got[0] != step.count {
			t.Errorf("after %+v there are %+v", step.changed, got)
		}
		if got := s.whyNoWebSeed(); got != step.why {
			t.Errorf("after %+v it says %q", step.changed, got)
		}
	}
	dropped := said()
	if len(dropped) != 1 {
		t.Fatalf("it says %v", dropped)
	}
	if m := dropped[0].(*messages.TorrentWebSeedDropped); m.Host != "b.example:81" || m.Reason != "it lies" {
		t.Errorf("it says %+v", m)
	}
	if s.webSeedStarted(&messages.WebSeedStarted{Seed: 1}); len(said()) > 0 {
		t.Error("what was given up may fetch again")
	}
}
