package lab

import (
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// watch sees all messages of a process, and holds them against what it must not
// do.
type watch struct {
	node    *node
	account *account // nil: faults make that what the scheduler is sent comes to it at another time
	limit   int      // blocks of memory
}

// tamper is for tests of the judgement: a world in which something is wrong.
type tamper struct {
	sent   func(n *node, to string, message any) any // what gets there in its place
	seen   func(to string, message any) any          // what is judged in its place
	events func(*event.Event) []*event.Event         // what is judged in its place
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

// lates tells whether a fault holds up the messages of an actor; of any if it
// is empty.
func (n *node) lates(path string) bool {
	specs, _ := n.class.faults() // checked before
	for _, s := range specs {
		if (s.Kind == fault.Delay || s.Kind == fault.Hang) && (path == "" || s.Actor.Match(path)) {
			return true
		}
	}
	return false
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

// memory holds what the process has in its hands against its budget: what may
// be asked for, and what was taken back while it was on its way.
func (w *watch) memory() {
	live := w.node.host.Pool.Stats().Live
	w.node.peak = max(w.node.peak, live)
	if len(w.node.run.foes) > 0 || w.account == nil {
		return // who floods has more under way
	}
	if most := w.limit + w.account.exempt() + 2*w.account.duplicates(); live > most {
		w.node.run.blame(w.node, "%d blocks of payload are in memory, %d at most should be", live, most)
	}
}
