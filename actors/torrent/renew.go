package torrent

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
)

// renewAfter is what passes between the end of one engine and the next, so that
// data which somebody keeps on changing is not checked all the time.
const renewAfter = time.Second

// renewal is the change from one engine to another, when the data has turned out
// to be not what it was. It is no failure, and costs nothing of the budget.
type renewal struct {
	wanted bool
	timer  world.Timer
	doubts int // in a row, that were unfounded so far
	// What an engine is told beside its configuration.
	limits *messages.SetLimits
	memory *messages.SetMemory
}

// renewNow: the torrent to itself, by a timer.
type renewNow struct{}

// renew ends the engine, and with it all connections: what peers have been told
// that we have cannot be taken back.
func (t *torrent) renew(c actor.Context, m *messages.DataChanged) {
	if t.ending || t.engine == nil || t.renewal.wanted {
		return
	}
	t.pieces = &m.Stale
	t.renewal.doubts++
	t.renewal.wanted = true
	t.complete = false
	supervise.Remark(c, "data_changed", supervise.Text("why", m.Err.Error()))
	c.Send(t.Refs.Session, &messages.TorrentDataChanged{InfoHash: t.Torrent.InfoHash, Err: m.Err})
	c.Stop(t.engine)
}

func (t *torrent) beginAnew(c actor.Context) {
	t.renewal.wanted = false
	t.spawnEngine(c)
	if t.renewal.memory != nil {
		c.Send(t.engine, t.renewal.memory)
	}
}

// learn keeps what the store has found out. If something is wrong that was
// right, the doubts had a ground.
func (t *torrent) learn(m *messages.PiecesKnown) {
	if t.pieces != nil && t.pieces.Have.Intersection(m.Known).DifferenceCardinality(m.Have) > 0 {
		t.renewal.doubts = 0
	}
	t.pieces = m
}

// recall is what was learnt, for another store.
func (t *torrent) recall() *messages.PiecesKnown {
	if t.pieces == nil {
		return &messages.PiecesKnown{}
	}
	return &messages.PiecesKnown{
		Known: t.pieces.Known.Clone(), Have: t.pieces.Have.Clone(),
		Stamps: t.pieces.Stamps, Doubts: t.renewal.doubts,
	}
}
