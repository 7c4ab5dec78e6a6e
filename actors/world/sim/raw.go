package sim

import (
	"net/netip"
	"slices"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// These functions are for the lab, whose hostile scripts handle a link byte by
// byte, and which checks what is left in it at the end.

// Garble ends a connection with an error at its other end, a transit later, as
// when the other end has received bytes that make no sense.
func Garble(l messages.Link, err error) {
	if l := l.(*link); l.closed == nil {
		l.finish(err)
	}
}

// Begin sends the start of a handshake, without the peer id.
func Begin(l messages.Link, h frame.Handshake) {
	if l := l.(*link); l.closed == nil {
		seg := l.segment()
		seg.begun = &h
		seg.bytes += int64(frame.HashKnownLen)
		seg.launch()
	}
}

// Forge sends a datagram from the host as if another address had sent it.
func (h *Host) Forge(from, to netip.AddrPort, data []byte) { h.emit(from, to, data) }

// Backlog is how many frames wait at this end of a connection to be sent.
func Backlog(of messages.Link) int {
	l := of.(*link)
	n := l.queue.len()
	for _, seg := range l.loaded.waiting() {
		n += len(seg.frames)
	}
	return n
}

// Rests tells whether all batches that were delivered on connections of the
// host have been given back, and no frames wait to be delivered.
func (h *Host) Rests() bool {
	return !slices.ContainsFunc(h.links, func(l *link) bool { return l.ahead > 0 || l.arrived.len() > 0 })
}

// Sends tells whether anything waits to leave the host: payload that the other
// host has already made room for.
func (h *Host) Sends() bool {
	return slices.ContainsFunc(h.links, func(l *link) bool { return l.buffered > 0 || l.queue.len() > 0 })
}
