package sim

import (
	"io"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
)

const (
	// batchesAhead is how many batches a link delivers before the first of them
	// has to come back, and maxBatch how many frames one has at most.
	batchesAhead = 4
	maxBatch     = 512
	// window is how many bytes may be under way on a connection, or wait where
	// they have arrived because nobody takes them.
	window = 1 << 20
	// least and most bound a segment, in bytes of frames; in between it is what
	// the uplink passes in segmentTime.
	least, most = 16 << 10, 256 << 10
	segmentTime = 2 * time.Millisecond
	// overhead is what a segment costs beside its frames, in bytes.
	overhead = 40
	// prepared is how many segments are read from the disk before their turn.
	prepared = 2
)

// link is one end of a connection. Frames travel as values: what bytes they
// would be decides how long they take, but nobody encodes them.
type link struct {
	id      uint64
	host    *Host
	life    *life
	other   *link
	remote  netip.AddrPort
	inbound bool
	closed  error // nil until it is

	// Sending.
	greeting *frame.Handshake
	queue    []messages.Outgoing
	loading  *segment // what is read for; nil: nothing
	loaded   []*segment
	inLine   bool  // for the uplink
	flying   int64 // bytes that the other end has not taken
	last     int64 // when the last segment arrives

	// Receiving.
	theirs  *frame.Handshake
	greeted func(frame.Handshake, error) // waits for theirs
	lapse   *event                       // of that wait
	deliver func(any)
	arrived []arrival
	ahead   int
	fin     error // the stream has ended behind what has arrived
	told    bool  // LinkClosed was delivered
}

// arrival is a frame that waits to be delivered, and what it was as bytes.
type arrival struct {
	frame.Frame
	size int64
}

// segment is what a connection sends in one of its turns.
type segment struct {
	from            *link
	greeting        *frame.Handshake
	frames          []arrival
	bytes           int64
	payload, pieces int
	fin             error // the end of the stream instead of frames
}

var _ messages.Link = (*link)(nil)

func (s *Sim) connect(caller, called *life, addr, local netip.AddrPort) (ours, theirs *link) {
	s.links += 2
	ours = &link{id: s.links - 1, host: caller.host, life: caller, remote: addr}
	theirs = &link{id: s.links, host: called.host, life: called, remote: local, inbound: true}
	for _, l := range []*link{ours, theirs} {
		l.host.links = append(l.host.links, l)
	}
	ours.other, theirs.other = theirs, ours
	return ours, theirs
}

func (l *link) ID() uint64             { return l.id }
func (l *link) Remote() netip.AddrPort { return l.remote }
func (l *link) Inbound() bool          { return l.inbound }
func (l *link) Expect(int)             {}

func (l *link) ReadHandshake(timeout time.Duration, done func(frame.Handshake, error)) {
	switch {
	case l.theirs != nil:
		done(*l.theirs, nil)
	case l.closed != nil:
		done(frame.Handshake{}, l.closed)
	default:
		l.greeted = done
		l.lapse = l.host.sim.at(l.host.sim.now+int64(timeout), l.life, func() { l.greet(frame.Handshake{}, errTimedOut) })
	}
}

func (l *link) greet(h frame.Handshake, err error) {
	if done := l.greeted; done != nil {
		l.greeted = nil
		l.lapse.Stop()
		done(h, err)
	}
}

func (l *link) SendHandshake(h frame.Handshake) {
	if l.closed == nil {
		l.greeting = &h
		l.load()
	}
}

func (l *link) Start(_ frame.Limits, deliver func(any)) {
	l.deliver = deliver
	l.hand()
	l.lastWord()
}

func (l *link) Send(out []messages.Outgoing) {
	if l.closed != nil || len(out) == 0 {
		return
	}
	for _, o := range out {
		for _, piece := range o.Haves {
			l.queue = append(l.queue, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have, Index: piece}})
		}
		if o.Haves == nil {
			o.Bits = slices.Clone(o.Bits)
			l.queue = append(l.queue, o)
		}
	}
	l.load()
}

// load prepares the next segments: their payload is read into blocks of the
// receiver's, which is what saves a simulation the copy that a network makes.
func (l *link) load() {
	for l.closed == nil && l.loading == nil && len(l.loaded) < prepared && (l.greeting != nil || len(l.queue) > 0) {
		seg := &segment{from: l, greeting: l.greeting, bytes: overhead}
		if l.greeting != nil {
			seg.bytes += int64(frame.HandshakeLen)
			l.greeting = nil
		}
		limit := min(max(int64(float64(l.host.Up)*segmentTime.Seconds()), least), most)
		if l.host.Up == 0 {
			limit = most
		}
		n := 0
		for n < len(l.queue) && n < maxBatch && seg.bytes < limit {
			o := &l.queue[n]
			a := arrival{Frame: o.Frame}
			a.size = int64(length(o.Frame))
			if o.Kind == frame.Piece {
				seg.payload += int(o.Length)
				seg.pieces++
			}
			seg.bytes += a.size
			seg.frames = append(seg.frames, a)
			n++
		}
		out := slices.Clone(l.queue[:n])
		l.queue = slices.Delete(l.queue, 0, n)
		l.read(seg, out)
	}
}

// length is that of a frame on the wire.
func length(f frame.Frame) int {
	switch f.Kind {
	case frame.Have:
		return 9
	case frame.Request, frame.Cancel:
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

// read gets the payload of a segment; neighbouring blocks in one go.
func (l *link) read(seg *segment, out []messages.Outgoing) {
	if seg.pieces == 0 {
		l.loaded = append(l.loaded, seg)
		l.queueUp()
		return
	}
	l.loading = seg
	left := 1
	var failed error
	one := func(err error) {
		if err != nil && failed == nil {
			failed = err
		}
		if left--; left > 0 {
			return
		}
		l.loading = nil
		switch {
		case l.life.over() || l.closed != nil:
			seg.release()
		case failed != nil:
			seg.release()
			l.Close(failed)
		default:
			l.loaded = append(l.loaded, seg)
			l.queueUp()
			l.load()
		}
	}
	for i := 0; i < len(out); {
		if out[i].Kind != frame.Piece {
			i++
			continue
		}
		first := out[i]
		var bufs [][]byte
		end := first.Offset
		for ; i < len(out) && out[i].Kind == frame.Piece && out[i].Source == first.Source && out[i].Offset == end; i++ {
			block := l.other.host.Pool.Fit(int(out[i].Length))
			seg.frames[i].Block = block
			bufs = append(bufs, block.Bytes())
			end += int64(out[i].Length)
		}
		left++
		first.Source.ReadBlocks(bufs, first.Offset, one)
	}
	one(nil)
}

func (seg *segment) release() {
	releaseAll(seg.frames)
	seg.frames = nil
}

func releaseAll(frames []arrival) {
	for i := range frames {
		if b := frames[i].Block; b != nil {
			b.Release()
			frames[i].Block = nil
		}
	}
}

// queueUp takes a place in the line for the uplink, if the other end has room.
func (l *link) queueUp() {
	if !l.inLine && l.closed == nil && len(l.loaded) > 0 && l.flying < window {
		l.inLine = true
		l.host.up.enter(l)
	}
}

// sent is when a segment has passed the uplink.
func (l *link) sent(seg *segment) {
	l.flying += seg.bytes
	l.launch(seg)
	if seg.pieces > 0 && l.closed == nil && l.deliver != nil {
		l.deliver(&messages.FramesSent{Link: l.id, At: l.host.sim.Now(), Payload: seg.payload, Pieces: seg.pieces})
	}
	l.load()
	l.queueUp()
}

// launch has a segment travel, in the order in which they were sent.
func (l *link) launch(seg *segment) {
	s, to := l.host.sim, l.other.host
	l.last = max(l.last+1, s.now+s.transit(l.host, to))
	s.at(l.last, nil, func() {
		if s.cut(l.host, to) {
			s.held = append(s.held, seg)
			return
		}
		if to.down.rate == 0 {
			l.other.take(seg)
			return
		}
		s.at(to.down.pass(s.now, seg.bytes), nil, func() { l.other.take(seg) })
	})
}

// take is when a segment has arrived.
func (l *link) take(seg *segment) {
	switch {
	case l.life.over():
		seg.release()
		if l.host.Alive() { // another life: it knows of no such connection
			l.reset()
		}
		return
	case l.closed != nil:
		seg.release()
		return
	}
	if seg.greeting != nil {
		l.theirs = seg.greeting
		l.greet(*l.theirs, nil)
	}
	l.arrived = append(l.arrived, seg.frames...)
	l.other.flying -= seg.bytes
	for i := range seg.frames {
		l.other.flying += seg.frames[i].size // until they are delivered
	}
	if seg.fin != nil {
		l.fin = seg.fin
	}
	l.hand()
	l.other.queueUp()
}

// reset tells the other end, a transit later, that there is no such connection.
func (l *link) reset() { l.launch(&segment{from: l, bytes: overhead, fin: errReset}) }

// hand delivers what has arrived, as far as batches have come back, and then
// the end.
func (l *link) hand() {
	if l.deliver == nil && l.fin != nil && l.theirs == nil {
		l.end(l.fin)
		return
	}
	for l.deliver != nil && l.closed == nil && l.ahead < batchesAhead && len(l.arrived) > 0 {
		n := min(len(l.arrived), maxBatch)
		m := &messages.FramesReceived{Link: l.id, At: l.host.sim.Now(), Frames: make([]frame.Frame, n)}
		for i, a := range l.arrived[:n] {
			m.Frames[i] = a.Frame
			m.Bytes += int(a.size)
		}
		if l.arrived = l.arrived[n:]; len(l.arrived) == 0 {
			l.arrived = nil
		}
		l.other.flying -= int64(m.Bytes)
		l.ahead++
		l.deliver(m)
	}
	if l.deliver != nil && l.closed == nil && len(l.arrived) == 0 && l.fin != nil {
		l.end(l.fin)
	}
}

func (l *link) Done(*messages.FramesReceived) {
	l.ahead--
	l.hand()
	l.other.queueUp()
}

// Close ends the connection; the other end hears of it behind all that is under
// way.
func (l *link) Close(reason error) {
	if l.closed != nil {
		return
	}
	if reason == nil {
		reason = errClosed
	}
	l.launch(&segment{from: l, bytes: overhead, fin: io.EOF})
	l.end(reason)
}

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

// crash is the end with the process. The other end hears of it if there is
// still somebody to tell it.
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
	for _, seg := range l.loaded {
		seg.release()
	}
	if l.loading != nil && l.life.over() { // the answer of the disk died with it
		l.loading.release()
	}
	releaseAll(l.arrived)
	l.loaded, l.queue, l.greeting, l.arrived = nil, nil, nil, nil
}

func (l *link) lastWord() {
	if l.deliver != nil && l.closed != nil && !l.told {
		l.told = true
		l.deliver(&messages.LinkClosed{Link: l.id, Err: l.closed})
	}
}
