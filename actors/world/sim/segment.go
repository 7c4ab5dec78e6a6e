package sim

import (
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
)

const (
	// packet is how many bytes of frames travel in one packet, and header how many
	// bytes more each packet has: those of Ethernet, IPv4 and TCP.
	packet, header = 1448, 66
	// perAck is how many packets TCP acknowledges by one that has a header alone.
	perAck = 2
)

// segment is what a connection sends at one turn of the uplink. It is in one
// place at a time, and is used again after it has arrived.
type segment struct {
	from            *link
	greeting        *frame.Handshake
	begun           *frame.Handshake // the start of the handshake, without the peer id
	raw             []byte           // of an encrypted handshake
	frames          []arrival
	bytes           int64
	payload, pieces int
	fin             error // the end of the stream instead of frames
	cause           cause // what it brings stems from, the latest of it

	on appointment // when it leaves the place where it is
	at place

	// The following are used while its payload is read.
	bufs    [][]byte
	reading int
	failed  error
	read    func(error) // called when one of the reads has ended
}

// arrival is a frame that waits to be delivered, and its length in bytes.
type arrival struct {
	frame.Frame
	size int64
}

// place is how far a segment has come.
type place uint8

const (
	passing  place = iota // the uplink
	flying                // between the hosts
	entering              // the downlink
)

// spare holds objects to be used again.
type spare struct {
	segments []*segment
	batches  []*messages.FramesReceived
}

func (l *link) segment() *segment {
	s := l.host.sim
	var seg *segment
	if last := len(s.spare.segments) - 1; last >= 0 {
		seg, s.spare.segments = s.spare.segments[last], s.spare.segments[:last]
	} else {
		seg = &segment{}
		seg.read = seg.readOne
	}
	seg.from = l
	return seg
}

// release gives back the blocks of a segment, and the segment.
func (seg *segment) release() {
	releaseAll(seg.frames)
	seg.retire()
}

// retire gives back a segment whose frames have been handed on.
func (seg *segment) retire() {
	clear(seg.frames)
	clear(seg.bufs)
	s := seg.from.host.sim
	*seg = segment{frames: seg.frames[:0], bufs: seg.bufs[:0], read: seg.read}
	s.spare.segments = append(s.spare.segments, seg)
}

func releaseAll(frames []arrival) {
	for i := range frames {
		if b := frames[i].Block; b != nil {
			b.Release()
			frames[i].Block = nil
		}
	}
}

// pass sends the segment through the uplink.
func (seg *segment) pass() {
	seg.at = passing
	h := seg.from.host
	seg.cause = h.sim.pass(seg.cause, Queue, h)
	h.sim.set(&seg.on, h.up.pass(h.sim.now, seg.wire()), nil, seg)
	h.life.device(&h.life.up, "uplink", 0, taking(seg.wire(), h.Up), seg.wire())
}

func (seg *segment) packets() int64 { return max(1, (seg.bytes+packet-1)/packet) }

// wire is how many bytes of a link the segment takes.
func (seg *segment) wire() int64 { return seg.bytes + header*seg.packets() }

// acknowledge takes the room of the acknowledgements on the uplink of the host
// that the segment has reached.
func (seg *segment) acknowledge() {
	if up := &seg.from.other.host.up; up.rate > 0 {
		up.pass(seg.from.host.sim.now, header*(seg.packets()/perAck))
	}
}

// launch sends the segment to the other host. The segments of a connection
// arrive in their order.
func (seg *segment) launch() {
	l := seg.from
	s, to := l.host.sim, l.other.host
	l.last = max(l.last+1, s.now+l.host.up.queueing(l.host.Queue)+s.transit(l.host, to))
	seg.at = flying
	s.set(&seg.on, l.last, nil, seg)
}

// happen implements happening.
func (seg *segment) happen() {
	l := seg.from
	s, to := l.host.sim, l.other.host
	switch seg.at {
	case passing:
		seg.cause = s.pass(seg.cause, Uplink, l.host)
		if l.life.over() { // the process has ended, and does not use the uplink any more
			seg.release()
			return
		}
		l.host.up.busy = false
		l.sent(seg)
		l.host.up.next()
	case flying:
		switch {
		case s.cut(l.host, to):
			s.held = append(s.held, seg)
		case to.down.rate == 0:
			seg.cause = s.pass(seg.cause, Way, to)
			seg.acknowledge()
			l.other.reader.pass(seg)
		default:
			seg.cause = s.pass(seg.cause, Way, to)
			to.life.device(&to.life.down, "downlink", max(0, to.down.free-s.now), taking(seg.wire(), to.Down), seg.wire())
			seg.at = entering
			s.set(&seg.on, to.down.pass(s.now, seg.wire()), nil, seg)
		}
	case entering:
		seg.cause = s.pass(seg.cause, Downlink, to)
		seg.acknowledge()
		l.other.reader.pass(seg)
	}
}

// uplink lets the connections of a host send in turn, one segment each.
type uplink struct {
	port
	busy bool
	line fifo[*link]
}

// queueing is how long what leaves now has to wait, in nanoseconds.
func (u *uplink) queueing(full time.Duration) int64 {
	if u.rate == 0 || u.line.len() == 0 {
		return 0
	}
	return int64(full)
}

func (u *uplink) enter(l *link) {
	u.line.push(l)
	if !u.busy {
		u.next()
	}
}

func (u *uplink) next() {
	for !u.busy && u.line.len() > 0 {
		l := u.line.pop()
		l.inLine = false
		if l.closed == nil && l.loaded.len() > 0 {
			u.busy = true
			l.loaded.pop().pass()
		}
	}
}

// length is the length of a frame on the wire.
func length(f frame.Frame) int {
	switch f.Kind {
	case frame.Have, frame.Suggest, frame.AllowedFast:
		return 9
	case frame.Request, frame.Cancel, frame.Reject:
		return 17
	case frame.Piece:
		return 13 + int(f.Length)
	case frame.Bitfield:
		return 5 + len(f.Bits)
	case frame.Extended:
		return 6 + len(f.Bits)
	case frame.KeepAlive:
		return 4
	}
	return 5
}
