package real

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

// batchesAhead is how many batches of frames a link delivers before the first
// of them has to come back.
const batchesAhead = 4

// linkIDs counts the links of the process.
var linkIDs atomic.Uint64

// link is one TCP connection. One goroutine reads for as long as the link is
// open; another one writes, and exists only while there is something to write.
// While nothing arrives, a link holds hardly any memory.
type link struct {
	id      uint64
	conn    *net.TCPConn
	remote  netip.AddrPort
	inbound bool
	pool    *buffer.Pool
	left    func()    // called once, by the first Close; or nil
	costs   *wayCosts // of the network; or nil

	encryption messages.Encryption
	torrent    [20]byte   // that an encrypted handshake was for
	in         mse.Cipher // of what is read; of the goroutine that reads

	expect  atomic.Int64  // blocks
	credits chan struct{} // one for each batch that the reader may still deliver
	closed  chan struct{}

	mu       sync.Mutex      // guards what follows
	reason   error           // nil until closed
	greeting []byte          // written before the queue: a handshake, or the rest of a write that did not fit into the socket
	raw      syscall.RawConn // nil until sendNow needs it
	queue    *queue          // nil if it is empty
	writing  bool            // a writer runs and will look at the queue again
	unowned  *time.Timer     // of a link that came in, until its owner sends a handshake; or nil
	idLate   bool            // known of ReadHandshake was called, so the first handshake is not the owner's
	greeted  bool            // our handshake was queued
	waits    bool            // our handshake waits for the encrypted one, which is due or under way
	out      mse.Cipher      // of what is written; greeting has been encrypted
	hidden   messages.Encrypted

	events  sync.Mutex // held during deliver
	deliver func(any)  // nil before Start and after LinkClosed
}

var _ messages.Link = (*link)(nil)

func newLink(conn *net.TCPConn, remote netip.AddrPort, inbound bool, pool *buffer.Pool) *link {
	return &link{
		id:      linkIDs.Add(1),
		conn:    conn,
		remote:  netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()),
		inbound: inbound,
		pool:    pool,
		closed:  make(chan struct{}),
	}
}

func (l *link) ID() uint64             { return l.id }
func (l *link) Remote() netip.AddrPort { return l.remote }
func (l *link) Inbound() bool          { return l.inbound }

// ReadHandshake reads no byte behind the handshake: its caller may hand the
// link to somebody else before the limits of frames are known.
func (l *link) ReadHandshake(timeout time.Duration, known func(frame.Handshake), done func(frame.Handshake, error)) {
	go func() {
		until := time.Now().Add(timeout)
		err := l.conn.SetReadDeadline(until)
		var h frame.Handshake
		if err == nil {
			h, err = l.readHandshake(until, known)
		}
		if err == nil {
			err = l.conn.SetReadDeadline(time.Time{})
		}
		if err != nil {
			done(frame.Handshake{}, l.why(err))
			return
		}
		if l.inbound {
			l.closeUnlessOwned(timeout)
		}
		done(h, nil)
	}()
}

// readHandshake fails as soon as what has come cannot become a handshake.
func (l *link) readHandshake(until time.Time, known func(frame.Handshake)) (frame.Handshake, error) {
	var b [frame.HandshakeLen]byte
	n, err := 0, error(nil)
	encrypt := l.encryption.Methods != 0 // and not done yet
	if encrypt && !l.inbound {
		encrypt = false
		n, err = l.exchange(until, nil, b[:])
	}
	for told := known == nil; err == nil; {
		h, isKnown, invalid := frame.ParseHandshakeStart(b[:n])
		switch {
		case invalid != nil && encrypt && !mse.IsText(b[:n]):
			encrypt = false
			n, err = l.exchange(until, b[:n], b[:])
			continue
		case invalid != nil:
			return h, invalid
		case isKnown && l.permits(h.InfoHash) != nil:
			return h, l.permits(h.InfoHash)
		case n == len(b):
			return frame.ParseHandshake(b[:])
		case isKnown && !told:
			told = true
			l.mu.Lock()
			l.idLate = true
			l.mu.Unlock()
			known(h)
		}
		var more int
		more, err = l.conn.Read(b[n:])
		l.in.XOR(b[n : n+more])
		n += more
	}
	if err == io.EOF && n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return frame.Handshake{}, err
}

// closeUnlessOwned closes the link if our handshake is not sent within this
// time.
func (l *link) closeUnlessOwned(within time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		l.unowned = time.AfterFunc(within, func() { l.Close(errUnowned) })
	}
}

// owned stops the timer of closeUnlessOwned. The lock is held.
func (l *link) owned() {
	if l.unowned != nil {
		l.unowned.Stop()
		l.unowned = nil
	}
}

func (l *link) Start(limits frame.Limits, deliver func(any)) {
	l.credits = make(chan struct{}, batchesAhead)
	for range batchesAhead {
		l.credits <- struct{}{}
	}
	l.events.Lock()
	l.deliver = deliver
	l.events.Unlock()
	l.read(limits)
}

func (l *link) Expect(blocks int) { l.expect.Store(int64(blocks)) }

func (l *link) Close(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(reason)
}

// end closes the link. The lock is held.
func (l *link) end(reason error) {
	if l.reason != nil {
		return
	}
	if reason == nil {
		reason = errClosed
	}
	l.reason = reason
	l.owned()
	l.queue, l.greeting = nil, nil
	close(l.closed)
	if l.left != nil {
		l.left()
	}
	if l.writing { // the writer may wait for a disk, and closing conn would wait for the writer
		go l.conn.Close()
		return
	}
	_ = l.conn.Close()
}

// why is the reason for which the link was closed, or the cause of err if it is
// still open.
func (l *link) why(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason != nil {
		return l.reason
	}
	return cause(err)
}

func (l *link) emit(event any) {
	l.events.Lock()
	defer l.events.Unlock()
	if l.deliver == nil {
		return
	}
	l.deliver(event)
	if _, last := event.(*messages.LinkClosed); last {
		l.deliver = nil
	}
}
