package lab

import (
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/krpc"
)

// watch sees all messages of a process, and checks what the process does.
type watch struct {
	node *node
	// account is nil if the scheduler cannot be followed: a fault delays messages
	// to it.
	account *account
	limit   int // blocks of memory
}

// tamper lets tests of the checks make something wrong in the world.
type tamper struct {
	sent   func(n *node, to string, message any) any // the message that is delivered instead
	seen   func(to string, message any) any          // what is judged in its place
	events func(*event.Event) []*event.Event         // what is judged in its place
	// krpc changes a message of the DHT that leaves or has come, and its time, as
	// they are judged.
	krpc func(o *overheard, m *krpc.Message, leaves bool, now *time.Duration)
}

func (n *node) watch(memory int64) {
	if n.run.options.Quick {
		return
	}
	w := &watch{node: n, limit: int(memory / buffer.Size)}
	path := n.name + "/torrents/torrent-" + n.run.content.torrent.InfoHash.String()[:8] + "/engine/scheduler"
	if !n.lates(path) {
		w.account = newAccount(n.run.content.torrent, path, w.limit, func(format string, args ...any) { n.run.blame(n, format, args...) })
	}
	n.watcher = w
	n.host.Watch(w)
}

// lates tells whether a fault delays messages of the actor at path, or, if path
// is empty, of any actor.
func (n *node) lates(path string) bool {
	specs, _ := n.class.faults() // checked before
	for _, s := range specs {
		if (s.Kind == fault.Delay || s.Kind == fault.Hang) && (path == "" || s.Actor.Match(path)) {
			return true
		}
	}
	return false
}

// Record implements event.Sink.
func (w *watch) Record(e *event.Event) {
	if w.account != nil && e.Kind == event.Restarted && e.Actor == w.account.scheduler {
		w.account.begin()
	}
}

// Sent implements sim.Watcher.
func (w *watch) Sent(to string, message any) any {
	t := w.node.run.options.tamper
	if t != nil && t.sent != nil {
		message = t.sent(w.node, to, message)
	}
	if w.account != nil {
		w.account.sent(to, w.seen(to, message))
	}
	return message
}

func (w *watch) seen(by string, message any) any {
	if t := w.node.run.options.tamper; t != nil && t.seen != nil {
		return t.seen(by, message)
	}
	return message
}

// Handled implements sim.Watcher.
func (w *watch) Handled(by string, message any) {
	if w.account != nil {
		w.account.handled(by, w.seen(by, message))
	}
	if _, is := message.(*messages.StoreBlocks); is {
		w.memory()
	}
}

// memory checks that the process keeps to its memory. What counts is what it
// may have asked for, and what was taken back while it was on its way.
func (w *watch) memory() {
	live := w.node.host.Pool.Stats().Live
	w.node.peak = max(w.node.peak, live)
	if len(w.node.run.foes) > 0 || w.account == nil {
		return // hostile peers send blocks that were not requested
	}
	if most := w.limit + w.account.exempt() + 2*w.account.duplicates(); live > most {
		w.node.run.blame(w.node, "%d blocks of payload are in memory, %d at most should be", live, most)
	}
}
