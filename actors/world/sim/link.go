package sim

import (
	"io"
	"net/netip"
	"slices"
	"time"

	"kouzui/actors/runtime/work"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// link is one end of a connection. Frames travel as values. They are never
// encoded; their length in bytes only decides how long they take.
type link struct {
	id      uint64
	host    *Host
	life    *life
	other   *link
	remote  netip.AddrPort
	inbound bool
	closed  error // nil while it is open

	// Sending.
	greeting *frame.Handshake
	saluted  bool // our handshake was queued
	queue    fifo[messages.Outgoing]
	queued   causes   // of queue
	loading  *segment // whose payload is being read; or nil
	loaded   fifo[*segment]
	buffered int64 // bytes in the send buffer
	inLine   bool  // it waits for its turn at the uplink
	flying   int64 // bytes that were sent and not yet taken at the other end
	last     int64 // when the last segment arrives

	// Receiving.
	theirs  *frame.Handshake
	known   func(frame.Handshake)        // is told of theirs when only its peer id is missing; or nil
	greeted func(frame.Handshake, error) // waits for theirs
	lapse   *appointment                 // ends the wait for the handshake
	deliver func(any)
	arrived fifo[arrival]
	brought causes // of arrived
	ahead   int
	fin     error // how the stream of the other end has ended; nil: it has not
	ended   cause // what fin stems from
	asked   cause // the last interest or request that has come
	told    bool  // LinkClosed was delivered

	reader, writer stream
	secrecy        secrecy
}

var _ messages.Link = (*link)(nil)

func (s *Sim) connect(caller, called *life, addr, local netip.AddrPort) (ours, theirs *link) {
	s.links += 2
	ours = &link{id: s.links - 1, host: caller.host, life: caller, remote: addr}
	theirs = &link{id: s.links, host: called.host, life: called, remote: local, inbound: true}
	for _, l := range []*link{ours, theirs} {
		l.reader = stream{link: l, message: work.Received, on: l.take}
		l.writer = stream{link: l, message: work.Sent, on: l.buffer}
		l.host.links = append(l.host.links, l)
	}
	ours.other, theirs.other = theirs, ours
	return ours, theirs
}

func (l *link) ID() uint64             { return l.id }
func (l *link) Remote() netip.AddrPort { return l.remote }
func (l *link) Inbound() bool          { return l.inbound }
func (l *link) Expect(int)             {}

func (l *link) ReadHandshake(timeout time.Duration, known func(frame.Handshake), done func(frame.Handshake, error)) {
	switch {
	case l.theirs != nil && l.secrecy.permits(l.theirs.InfoHash, l.inbound) != nil:
		done(frame.Handshake{}, errInPlain)
	case l.theirs != nil:
		done(*l.theirs, nil)
	case l.closed != nil:
		done(frame.Handshake{}, l.closed)
	default:
		l.greeted, l.known = done, known
		l.lapse = l.host.sim.at(l.host.sim.now+int64(timeout), Timer, l.life, func() { l.greet(frame.Handshake{}, errTimedOut) })
		if l.secrecy.waits {
			l.whisper()
		}
		if len(l.secrecy.raw) > 0 {
			l.listen()
		}
	}
}

func (l *link) greet(h frame.Handshake, err error) {
	if done := l.greeted; done != nil {
		l.greeted, l.known = nil, nil
		l.lapse.Stop()
		done(h, err)
	}
}

func (l *link) SendHandshake(h frame.Handshake) {
	if l.closed == nil && !l.saluted {
		l.saluted, l.greeting = true, &h
		l.load()
	}
}

func (l *link) Start(_ frame.Limits, deliver func(any)) {
	l.deliver = deliver
	l.hand()
	l.lastWord()
}

// Close ends the connection. The other end learns this after it has received
// everything that is under way.
func (l *link) Close(reason error) {
	if l.closed != nil {
		return
	}
	if reason == nil {
		reason = errClosed
	}
	l.finish(io.EOF)
	l.end(reason)
}

// finish sends the end of the stream to the other end.
func (l *link) finish(err error) {
	seg := l.segment()
	seg.fin, seg.cause = err, l.host.sim.origin.next
	seg.launch()
}

// reset tells the other end, after the time of a transit, that this end does
// not know the connection.
func (l *link) reset() { l.finish(errReset) }

// end closes this end.
func (l *link) end(reason error) {
	if l.closed != nil {
		return
	}
	l.closed = reason
	l.drop()
	l.greet(frame.Handshake{}, reason)
	l.lastWord()
}

// crash ends the link because its process has ended. If heard is true, the
// other end is told.
func (l *link) crash(heard bool) {
	if l.closed != nil {
		return
	}
	l.closed = errClosed
	l.drop()
	if heard {
		l.reset()
	}
}

func (l *link) drop() {
	if i := slices.Index(l.host.links, l); i >= 0 {
		l.host.links = slices.Delete(l.host.links, i, i+1)
	}
	for _, seg := range l.loaded.waiting() {
		seg.release()
	}
	if l.loading != nil && l.life.over() { // the disk will not answer a process that has ended
		releaseAll(l.loading.frames)
	}
	l.reader.drop()
	l.writer.drop()
	releaseAll(l.arrived.waiting())
	l.greeting = nil
	l.loaded, l.queue, l.arrived = fifo[*segment]{}, fifo[messages.Outgoing]{}, fifo[arrival]{}
	l.queued, l.brought = causes{}, causes{}
}

// say delivers a message of the world, whosever turn it is.
func (l *link) say(message any) {
	s := l.host.sim
	before := s.running
	s.running = work.World
	acting := s.pauses.sign("")
	l.deliver(message)
	s.running = before
	s.pauses.sign(acting)
}

func (l *link) lastWord() {
	if l.deliver != nil && l.closed != nil && !l.told {
		l.told = true
		l.say(&messages.LinkClosed{Link: l.id, Err: l.closed})
	}
}
