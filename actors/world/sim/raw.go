package sim

import (
	"slices"

	"kouzui/messages"
)

// What plays a peer by hand, byte by byte, needs of a link beyond what actors
// do.

// Garble ends a connection for the other side, which cannot make sense of what
// it was sent: with this error, which is not this end's, and a transit later.
func Garble(l messages.Link, err error) {
	if l := l.(*link); l.closed == nil {
		l.finish(err)
	}
}

// Backlog is how many frames wait at this end of a connection.
func Backlog(of messages.Link) int {
	l := of.(*link)
	n := l.queue.len()
	for _, seg := range l.loaded.waiting() {
		n += len(seg.frames)
	}
	return n
}

// Rests tells whether on all connections of the host what was delivered has
// come back, and nothing waits for it.
func (h *Host) Rests() bool {
	return !slices.ContainsFunc(h.links, func(l *link) bool { return l.ahead > 0 || l.arrived.len() > 0 })
}
