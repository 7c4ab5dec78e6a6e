package engine

import (
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
	config := Config{
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
