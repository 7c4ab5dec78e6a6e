// Package torrents is the supervisor of all torrents: it spawns and stops them
// as the session says. A torrent that cannot be kept alive is given up, and the
// others notice nothing.
package torrents

import (
	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
)

// Strategy is how torrents answers failures.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	usual.WhenSpent = supervise.ThenStop
	return usual
}

// Config is what the supervisor is built from.
type Config struct {
	Refs messages.Refs
	// Torrent makes the props of one torrent.
	Torrent func(*messages.StartTorrent) *actor.Props
}

// New builds the supervisor.
func New(c Config) actor.Actor { return &torrents{Config: c, runs: newRuns(c.Refs.Session)} }

// address is that of an actor, for the core.
type address = *actor.PID

type torrents struct {
	Config
	runs   *runs
	ending bool // torrents stop because their supervisor does
}

func (t *torrents) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started, *messages.QueryTorrents:
		t.runs.list()
	case *messages.StartTorrent:
		t.runs.start(m)
	case *messages.TorrentDone:
		t.runs.end(m.InfoHash, m)
	case *messages.TorrentFailed:
		t.runs.end(m.InfoHash, m)
	case *messages.QueryStopped:
		t.runs.awaitStop(m)
	case *messages.ForgetTorrent:
		t.runs.forget(m)
	case *actor.Restarting, *actor.Stopping:
		t.ending = true
	case *actor.Terminated:
		if !t.ending {
			t.runs.gone(m.Who.Id)
		}
	}
	t.carryOut(c)
}

// carryOut does what the core has decided.
func (t *torrents) carryOut(c actor.Context) {
	effects := t.runs.take()
	for _, pid := range effects.stop {
		supervise.Stop(c, pid, supervise.ReasonNormal)
	}
	for _, s := range effects.spawn {
		pid, err := c.SpawnNamed(t.Torrent(s.order), s.name)
		if err != nil {
			supervise.Fail(err)
		}
		t.runs.spawned(s.order.Add.InfoHash, pid)
	}
	t.runs.out.Flush(c.Send)
	for _, q := range effects.answers {
		q.Reply(struct{}{})
	}
}
