package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// scene is an engine whose members only pass on what they are told.
type scene struct {
	*stage.Stage
	torrent *stage.Probe
	members map[string]*stage.Probe
	spawned chan string // names, in order
}

func newScene(t *testing.T, torrent *metainfo.Torrent) *scene {
	s := &scene{Stage: stage.New(t), members: map[string]*stage.Probe{}, spawned: make(chan string, 100)}
	s.torrent = s.StartProbe("torrent")
	for _, name := range []string{Store, Scheduler, Choker, Peers} {
		s.members[name] = s.StartProbe(name)
	}
	s.members["web-0"], s.members["web-1"] = s.StartProbe("web-0"), s.StartProbe("web-1")
	config := Config{
		WebSeed: func(seed int, _ messages.Refs, _ *metainfo.Torrent) *actor.Props {
			name := fmt.Sprintf("web-%d", seed)
			s.spawned <- name
			return s.Relay(name, s.members[name])
		},
		Refs: messages.Refs{Torrent: s.torrent.PID}, Torrent: torrent,
		Member: func(name string, _ messages.Refs, given *metainfo.Torrent) *actor.Props {
			if given == nil && name != Peers {
				t.Errorf("%s is made without metainfo", name)
			}
			s.spawned <- name
			return s.Relay(name, s.members[name])
		},
	}
	s.Perform(func() actor.Actor { return New(config) })
	s.Settle()
	return s
}

func (s *scene) hasSpawned(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for len(s.spawned) > 0 {
		got = append(got, <-s.spawned)
	}
	if !slices.Equal(got, want) {
		t.Errorf("it spawns %v, want %v", got, want)
	}
}

func TestWithMetainfoAllMembersBegin(t *testing.T) {
	torrent, _ := stage.Torrent(t, 1000, 100)
	s := newScene(t, torrent)
	s.hasSpawned(t, Scheduler, Peers, Choker, Store)
	s.Quiet(s.torrent)
	s.Tell(&messages.SetWanted{})
	stage.Next[*messages.SetWanted](s.members[Store])
	stage.Next[*messages.SetWanted](s.members[Scheduler])
	stage.Next[*messages.SetWanted](s.members[Peers])
}

// Without metainfo there are only peers. They hear of it when those to whom
// they speak then are there.
func TestWhatNeedsPiecesBeginsWithTheMetainfo(t *testing.T) {
	torrent, _ := stage.Torrent(t, 1000, 100)
	s := newScene(t, nil)
	s.hasSpawned(t, Peers)
	stage.Next[*messages.QueryMetainfo](s.torrent)
	s.Tell(&messages.SetDialing{Dial: true})
	stage.Next[*messages.SetDialing](s.members[Peers])

	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Next[*messages.SetMetainfo](s.members[Peers])
	s.hasSpawned(t, Scheduler, Choker, Store)
	s.Tell(&messages.SetMetainfo{Torrent: torrent}) // for peers that were restarted
	stage.Next[*messages.SetMetainfo](s.members[Peers])
	s.hasSpawned(t)

	s.Crash() // what was told is forgotten
	s.hasSpawned(t, Peers)
	stage.Next[*messages.QueryMetainfo](s.torrent)
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Next[*messages.SetMetainfo](s.members[Peers])
	s.hasSpawned(t, Scheduler, Choker, Store)
}

// Web seeds begin with the metainfo, also when that comes later. One that ends
// takes nobody with it.
func TestWebSeedsBeginWithTheMetainfo(t *testing.T) {
	torrent, _ := stage.Torrent(t, 1000, 100)
	torrent.WebSeeds = []string{"http://a.example/", "http://b.example/"}
	s := newScene(t, nil)
	s.Tell(&messages.SetMetainfo{Torrent: torrent})
	stage.Next[*messages.SetMetainfo](s.members[Peers])
	s.hasSpawned(t, Peers, Scheduler, Choker, Store, "web-0", "web-1")
	s.Tell(&messages.SetLimits{Down: 1})
	stage.Next[*messages.SetLimits](s.members[Peers])
	stage.Next[*messages.SetLimits](s.members["web-0"])
	stage.Next[*messages.SetLimits](s.members["web-1"])
	s.Tell(&messages.SetWanted{})
	stage.Next[*messages.SetWanted](s.members["web-1"])
}
