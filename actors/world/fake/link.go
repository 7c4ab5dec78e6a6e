package fake

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/frame"
)

var linkIDs atomic.Uint64

// Link is a connection whose other side is the test. It is safe for concurrent
// use.
type Link struct {
	id      uint64
	remote  netip.AddrPort
	inbound bool
	clock   world.Clock

	// delivering makes sure that deliver is called by one goroutine at a time. It
	// is locked before mu.
	delivering sync.Mutex

	mu               sync.Mutex
	changed          *sync.Cond
	deliver          func(any)
	limits           frame.Limits
	theirs           *frame.Handshake
	reader           func(frame.Handshake, error)
	known            func(frame.Handshake)
	begun            *frame.Handshake // their handshake, without the peer id
	encryption       messages.Encryption
	encrypted        messages.Encrypted
	handshakeTimeout time.Duration // as given to ReadHandshake
	ours             *frame.Handshake
	sent             []messages.Outgoing
	taken            int // of sent, by AwaitSent
	flushed          int // of sent, by Flush
	expected         int
	ahead            int // batches delivered and not given back
	closed           error
	last             bool // LinkClosed was delivered
}

// NewLink returns an open link; the test hands it to the actor.
func (n *Network) NewLink(remote netip.AddrPort, inbound bool) *Link {
	l := &Link{id: linkIDs.Add(1), remote: remote, inbound: inbound, clock: n.clock}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// ID implements messages.Link.
func (l *Link) ID() uint64 { return l.id }

// Remote implements messages.Link.
func (l *Link) Remote() netip.AddrPort { return l.remote }

// Inbound implements messages.Link.
func (l *Link) Inbound() bool { return l.inbound }

// Encrypt implements messages.Link.
func (l *Link) Encrypt(e messages.Encryption) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.encryption = e
	l.changed.Broadcast()
}

// Encryption is what the actor has called Encrypt with; the zero value: it has
// not.
func (l *Link) Encryption() messages.Encryption {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.encryption
}

// Encrypted implements messages.Link.
func (l *Link) Encrypted() messages.Encrypted {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.encrypted
}

// SetEncrypted says what Encrypted returns.
func (l *Link) SetEncrypted(e messages.Encrypted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.encrypted = e
}

// ReadHandshake implements messages.Link. The timeout never expires: to test
// one, close the link.
func (l *Link) ReadHandshake(timeout time.Duration, known func(frame.Handshake), done func(frame.Handshake, error)) {
	l.mu.Lock()
	l.handshakeTimeout = timeout
	theirs, closed := l.theirs, l.closed
	if theirs == nil && closed == nil {
		begun := l.begun
		l.reader, l.known = done, known
		l.changed.Broadcast()
		l.mu.Unlock()
		if begun != nil {
			known(*begun)
		}
		return
	}
	l.mu.Unlock()
	if theirs != nil {
		done(*theirs, nil)
	} else {
		done(frame.Handshake{}, closed)
	}
}

// HandshakeTimeout is how long the actor waits for the handshake; 0: it has not
// asked.
func (l *Link) HandshakeTimeout() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.handshakeTimeout
}

// Handshake delivers the other side's handshake, now or once the actor reads
// it.
func (l *Link) Handshake(h frame.Handshake) {
	l.mu.Lock()
	l.theirs = &h
	reader := l.reader
	l.reader = nil
	l.mu.Unlock()
	if reader != nil {
		reader(h, nil)
	}
}

// HandshakeStart delivers the other side's handshake without the peer id, now
// or once the actor reads it. Handshake delivers all of it later.
func (l *Link) HandshakeStart(h frame.Handshake) {
	h.PeerID = [20]byte{}
	l.mu.Lock()
	l.begun = &h
	known := l.known
	l.mu.Unlock()
	if known != nil {
		known(h)
	}
}

// SendHandshake implements messages.Link.
func (l *Link) SendHandshake(h frame.Handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ours == nil {
		l.ours = &h
	}
	l.changed.Broadcast()
}

// AwaitHandshake waits for the actor's handshake.
func (l *Link) AwaitHandshake() frame.Handshake {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await(func() bool { return l.ours != nil })
	return *l.ours
}

// Start implements messages.Link. deliver must not call the link.
func (l *Link) Start(limits frame.Limits, deliver func(any)) {
	l.mu.Lock()
	l.limits, l.deliver = limits, deliver
	l.changed.Broadcast()
	l.mu.Unlock()
	l.deliverEnd()
}

// AwaitStart waits for Start and returns its limits.
func (l *Link) AwaitStart() frame.Limits {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await(func() bool { return l.deliver != nil })
	return l.limits
}

// Expect implements messages.Link.
func (l *Link) Expect(blocks int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected = blocks
	l.changed.Broadcast()
}

// Expected is the number last given to Expect.
func (l *Link) Expected() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expected
}

// Done implements messages.Link.
func (l *Link) Done(*messages.FramesReceived) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ahead--
	l.changed.Broadcast()
}

// AwaitDone waits until every batch was given back.
func (l *Link) AwaitDone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await(func() bool { return l.ahead == 0 })
}

// Receive delivers frames from the other side as one batch. It waits for Start;
// on a closed link it does nothing.
func (l *Link) Receive(frames ...frame.Frame) {
	size := 0
	for _, f := range frames {
		size += len(frame.AppendHeader(nil, f))
		if f.Kind == frame.Piece {
			size += int(f.Length)
		}
	}
	l.delivering.Lock()
	defer l.delivering.Unlock()
	l.mu.Lock()
	l.await(func() bool { return l.deliver != nil || l.closed != nil })
	deliver, closed := l.deliver, l.closed
	if closed == nil {
		l.ahead++
	}
	l.mu.Unlock()
	if closed == nil {
		deliver(&messages.FramesReceived{Link: l.id, At: l.clock.Now(), Bytes: size, Frames: frames})
	}
}

// Send implements messages.Link.
func (l *Link) Send(out []messages.Outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	for _, o := range out {
		for _, piece := range o.Haves {
			l.sent = append(l.sent, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have, Index: piece}})
		}
		if o.Haves == nil {
			o.Bits, o.Tail = slices.Concat(o.Bits, o.Tail), nil
			l.sent = append(l.sent, o)
		}
	}
	l.changed.Broadcast()
}

// Sent is everything that was ever sent.
func (l *Link) Sent() []messages.Outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sent)
}

// AwaitSent waits for the next frame that was sent, and returns each frame
// once.
func (l *Link) AwaitSent() messages.Outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await(func() bool { return len(l.sent) > l.taken })
	l.taken++
	return l.sent[l.taken-1]
}

// Flush reports all that was sent since the last Flush as written to the
// socket. The test reads payload from the sources itself if it wants it.
func (l *Link) Flush() {
	l.delivering.Lock()
	defer l.delivering.Unlock()
	l.mu.Lock()
	report := &messages.FramesSent{Link: l.id, At: l.clock.Now()}
	for _, o := range l.sent[l.flushed:] {
		if o.Kind == frame.Piece {
			report.Pieces++
			report.Payload += int(o.Length)
		}
	}
	news := len(l.sent) > l.flushed
	l.flushed = len(l.sent)
	deliver := l.deliver
	if l.closed != nil || !news {
		deliver = nil
	}
	l.mu.Unlock()
	if deliver != nil {
		deliver(report)
	}
}

// Close implements messages.Link. To close the other side, a test calls it with
// a reason such as io.EOF.
func (l *Link) Close(reason error) {
	if reason == nil {
		reason = errors.New("closed without a reason")
	}
	l.mu.Lock()
	if l.closed != nil {
		l.mu.Unlock()
		return
	}
	l.closed = reason
	reader := l.reader
	l.reader = nil
	l.changed.Broadcast()
	l.mu.Unlock()
	if reader != nil {
		reader(frame.Handshake{}, reason)
	}
	l.deliverEnd()
}

// AwaitClose waits until the link is closed and returns the first reason.
func (l *Link) AwaitClose() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.await(func() bool { return l.closed != nil })
	return l.closed
}

// deliverEnd delivers LinkClosed when the link is both started and closed.
func (l *Link) deliverEnd() {
	l.delivering.Lock()
	defer l.delivering.Unlock()
	l.mu.Lock()
	deliver, closed := l.deliver, l.closed
	due := deliver != nil && closed != nil && !l.last
	l.last = l.last || due
	l.mu.Unlock()
	if due {
		deliver(&messages.LinkClosed{Link: l.id, Err: closed})
	}
}

// await waits until reached returns true; mu is held.
func (l *Link) await(reached func() bool) {
	for !reached() {
		l.changed.Wait()
	}
}
