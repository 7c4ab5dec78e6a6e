package sim

import (
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
)

const (
	// window is how many bytes of a connection may be under way, or have arrived
	// and not been taken.
	window = 1 << 20
	// least and most limit the length of a segment, in bytes of frames. In between
	// it is what the uplink passes in segmentTime.
	least, most = 16 << 10, 256 << 10
	segmentTime = 2 * time.Millisecond
)

func (l *link) Send(out []messages.Outgoing) {
	if l.closed != nil || len(out) == 0 {
		return
	}
	s, before := l.host.sim, l.queue.len()
	for _, o := range out {
		for _, piece := range o.Haves {
			l.queue.push(messages.Outgoing{Frame: frame.Frame{Kind: frame.Have, Index: piece}})
		}
		if o.Haves == nil {
			o.Bits, o.Tail = slices.Concat(o.Bits, o.Tail), nil
			l.queue.push(o)
		}
	}
	l.queued.pushed(s, l.queue.len()-before, s.origin.next)
	if s.onLegs {
		l.answer(before)
	}
	l.load()
}

// answer has chokes and unchokes, of what was queued behind the first n frames,
// stem from what the other end has wanted: it has waited since. That a round of
// the choker was due says nothing about what has led to it.
func (l *link) answer(n int) {
	frames, causes := l.queue.waiting()[n:], l.queued.waiting()[n:]
	for i := range frames {
		if kind := frames[i].Kind; l.asked.leg != nil && (kind == frame.Unchoke || kind == frame.Choke) {
			causes[i].leg = l.host.sim.pass(l.asked, Slot, l.host).leg
		}
	}
}

// load fills the send buffer: what is in it cannot be called back. Payload is
// read into blocks of the receiver's pool, which saves the copy that a real
// network makes.
func (l *link) load() {
	s := l.host.sim
	for l.closed == nil && l.loading == nil && l.buffered < l.host.SendBuffer && !l.secrecy.waits && (l.greeting != nil || l.queue.len() > 0) {
		seg := l.segment()
		if l.greeting != nil {
			seg.greeting, l.greeting = l.greeting, nil
			seg.cause = s.origin.next
			seg.bytes += int64(frame.HandshakeLen)
		}
		limit := int64(most)
		if up := l.host.Up; up > 0 {
			limit = min(max(int64(float64(up)*segmentTime.Seconds()), least), most)
		}
		n, last := 0, 0 // last is the last block; what else goes with it did not hold it up
		for _, o := range l.queue.waiting() {
			if n == maxBatch || seg.bytes >= limit {
				break
			}
			a := arrival{o.Frame, int64(length(o.Frame))}
			if o.Kind == frame.Piece {
				seg.payload += int(o.Length)
				seg.pieces++
				last = n
			}
			seg.bytes += a.size
			seg.frames = append(seg.frames, a)
			n++
		}
		if n > 0 {
			if seg.pieces == 0 {
				last = n - 1
			}
			of := l.queued.taken(s, n, last)
			seg.cause = s.pass(cause{max(seg.cause.event, of.event), of.leg}, Queue, l.host)
		}
		l.buffered += seg.bytes
		l.read(seg, l.queue.waiting()[:n])
	}
}

// read reads the payload of a segment, whose frames are the first of the queue;
// neighbouring blocks are read in one call.
func (l *link) read(seg *segment, out []messages.Outgoing) {
	if seg.pieces == 0 {
		l.queue.drop(len(out))
		l.writer.pass(seg)
		return
	}
	l.loading = seg
	type stretch struct {
		source messages.BlockSource
		off    int64
		bufs   [][]byte
	}
	var room [8]stretch
	stretches := room[:0]
	bufs := slices.Grow(seg.bufs, seg.pieces)
	for i := 0; i < len(out); {
		if out[i].Kind != frame.Piece {
			i++
			continue
		}
		source, off, end, from := out[i].Source, out[i].Offset, out[i].Offset, len(bufs)
		for ; i < len(out) && out[i].Kind == frame.Piece && out[i].Source == source && out[i].Offset == end; i++ {
			block := l.other.host.Pool.Fit(int(out[i].Length))
			seg.frames[i].Block = block
			bufs = append(bufs, block.Bytes())
			end += int64(out[i].Length)
		}
		stretches = append(stretches, stretch{source, off, bufs[from:]})
	}
	seg.bufs = bufs
	l.queue.drop(len(out))
	seg.reading = 1 + len(stretches)
	before := l.host.sim.stem(seg.cause)
	for _, one := range stretches {
		one.source.ReadBlocks(one.bufs, one.off, seg.read)
	}
	seg.readOne(nil)
	l.host.sim.origin = before
}

func (seg *segment) readOne(err error) {
	if seg.failed == nil {
		seg.failed = err
	}
	if seg.reading--; seg.reading > 0 {
		return
	}
	l, failed := seg.from, seg.failed
	l.loading = nil
	seg.cause.leg = l.host.sim.origin.next.leg
	switch {
	case l.life.over() || l.closed != nil:
		seg.release()
	case failed != nil:
		seg.release()
		l.Close(failed)
	default:
		l.writer.pass(seg)
		l.load()
	}
}

// buffer puts a segment into the send buffer, which is all that the sender
// hears of.
func (l *link) buffer(seg *segment) {
	if l.closed != nil { // while the segment waited for a core
		seg.release()
		return
	}
	l.loaded.push(seg)
	if seg.pieces > 0 && l.deliver != nil {
		before := l.host.sim.stem(seg.cause)
		l.say(&messages.FramesSent{Link: l.id, At: l.host.sim.Now(), Payload: seg.payload, Pieces: seg.pieces})
		l.host.sim.origin = before
	}
	l.queueUp()
}

// queueUp enters the line for the uplink, if the other end has room.
func (l *link) queueUp() {
	if !l.inLine && l.closed == nil && l.loaded.len() > 0 && l.flying < window {
		l.inLine = true
		l.host.up.enter(l)
	}
}

// sent handles a segment that has passed the uplink.
func (l *link) sent(seg *segment) {
	l.flying += seg.bytes
	l.buffered -= seg.bytes
	if seg.payload > 0 {
		l.host.payload += int64(seg.payload)
		l.host.given[l.other.host] += int64(seg.payload)
	}
	seg.launch()
	l.load()
	l.queueUp()
}
