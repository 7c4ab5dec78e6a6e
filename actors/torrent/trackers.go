package torrent

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// patience is how long nobody may be connected to a torrent that needs data
// before one more tier is asked.
const patience = 20 * time.Second

// trackers is the torrent's side of its tracker actors, one for each tier. It
// keeps for each what a restarted one cannot know: what was said in this run.
type trackers struct {
	tiers
	pids   []*actor.PID
	resume []messages.StartAnnouncing
	port   uint16 // at which we can be dialled; 0: nowhere
	begun  bool   // how much is left is known: announces may begin
	ended  bool
	alone  time.Time // since when nobody is connected, or more tiers were asked because of it; zero: somebody is
	// trouble is the trackers' last word, when it was a bad one.
	trouble string
}

func (t *torrent) spawnTrackers(c actor.Context) {
	n := len(t.Torrent.Announce)
	t.trackers = trackers{tiers: newTiers(n), resume: make([]messages.StartAnnouncing, n), port: t.Port}
	for i := range n {
		pid, err := c.SpawnNamed(t.Tracker(t.Refs, i), fmt.Sprintf("tracker-%d", i))
		if err != nil {
			supervise.Fail(err)
		}
		t.trackers.pids = append(t.trackers.pids, pid)
	}
}

// ready brings a tracker that has started, maybe not for the first time, up to
// date.
func (t *torrent) trackerReady(c actor.Context, tier int) {
	pid := t.trackers.pids[tier]
	c.Send(pid, &messages.SetListenPort{Port: t.trackers.port})
	c.Send(pid, t.totals())
	switch {
	case t.trackers.ended:
		c.Send(pid, &messages.StopAnnouncing{Within: endWithin})
	case t.trackers.active[tier]:
		resume := t.trackers.resume[tier]
		c.Send(pid, &resume)
	}
}

// begin lets the first tier announce.
func (t *torrent) beginAnnouncing(c actor.Context) {
	if !t.trackers.begun {
		t.trackers.begun = true
		t.activate(c, t.trackers.advance())
	}
}

func (t *torrent) listenPort(c actor.Context, m *messages.SetListenPort) {
	t.trackers.port = m.Port
	for _, pid := range t.trackers.pids {
		c.Send(pid, m)
	}
}

func (t *torrent) trackerReplied(c actor.Context, m *messages.TrackerReplied) {
	t.trackers.trouble = m.Warning
	resume := &t.trackers.resume[m.Tier]
	resume.NotBefore = m.Earliest
	switch m.Event {
	case announce.Started:
		resume.Started = true
	case announce.Completed:
		resume.Completed = true
	}
	for _, i := range t.trackers.replied(m.Tier) {
		c.Send(t.trackers.pids[i], &messages.PauseAnnouncing{})
	}
	c.Send(t.Refs.Session, &messages.TorrentAnnounced{InfoHash: t.Torrent.InfoHash, Replied: m})
}

func (t *torrent) trackerFailed(c actor.Context, m *messages.TrackerFailed) {
	t.trackers.trouble = fmt.Sprintf("tracker %s: %v", m.URL, m.Err)
	if m.Exhausted && !t.trackers.ended {
		t.activate(c, t.trackers.exhausted(m.Tier))
	}
	c.Send(t.Refs.Session, &messages.TorrentAnnounced{InfoHash: t.Torrent.InfoHash, Failed: m})
}

func (t *torrent) activate(c actor.Context, which []int) {
	for _, i := range which {
		c.Send(t.trackers.pids[i], t.totals())
		resume := t.trackers.resume[i]
		c.Send(t.trackers.pids[i], &resume)
	}
}

// lookFurther asks more tiers while what those that announce bring is nobody.
func (t *torrent) lookFurther(c actor.Context, now time.Time) {
	switch alone := &t.trackers.alone; {
	case t.last.Peers > 0 || t.last.Left == 0:
		*alone = time.Time{}
		t.trackers.met()
	case alone.IsZero():
		*alone = now
	case now.Sub(*alone) >= patience:
		*alone = now
		t.activate(c, t.trackers.tiers.alone())
	}
}

// tellTotals brings those that announce up to date.
func (t *torrent) tellTotals(c actor.Context) {
	for i, active := range t.trackers.active {
		if active {
			c.Send(t.trackers.pids[i], t.totals())
		}
	}
}

func (t *torrent) totals() *messages.SetTotals {
	return &messages.SetTotals{
		Uploaded: t.last.Uploaded, Downloaded: t.last.Downloaded, Left: t.last.Left,
		Completed: t.complete && t.last.Downloaded > 0,
		WantPeers: t.last.Left > 0 && t.last.Peers < fewPeers,
		Alone:     t.last.Left > 0 && t.last.Peers == 0,
	}
}

// endAnnouncing lets those that announce say `stopped`, and returns how many
// answers are to come.
func (t *torrent) endAnnouncing(c actor.Context) (answers int) {
	t.tellTotals(c)
	t.trackers.ended = true
	for i, active := range t.trackers.active {
		if active {
			answers++
			c.Send(t.trackers.pids[i], &messages.StopAnnouncing{Within: endWithin})
		}
	}
	return answers
}
