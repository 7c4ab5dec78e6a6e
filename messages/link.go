package messages

import (
	"net/netip"
	"time"

	"kouzui/wire/frame"
)

// The conversation of a link and its peer.

// Link is one connection to a peer. It belongs to one actor at a time, which
// alone calls it; no call blocks. The link cuts the stream into frames, keeps
// their limits, and reads payload straight into pooled blocks.
type Link interface {
	// ID is unique in the process; the messages of a link carry it, so that an
	// actor can tell them from those of a link it had before.
	ID() uint64
	Remote() netip.AddrPort
	Inbound() bool

	// Encrypt says how handshakes may be encrypted. It is called at most once, and
	// before all that follows; without it they are not.
	Encrypt(Encryption)
	// Encrypted tells what is encrypted, once ReadHandshake has called known or
	// done.
	Encrypted() Encrypted

	// ReadHandshake reads the other side's handshake within timeout and calls done
	// once. It is called at most once, before Start. If the peer id, which comes
	// last, does not come together with the info hash, known is called before,
	// with all but the peer id: the other side may wait for our handshake before
	// it sends the rest, or be there for another torrent. known may be nil.
	//
	// After done, a link that came in closes itself if no peer actor calls
	// SendHandshake within the same time: the message that hands the link on may
	// have been lost.
	ReadHandshake(timeout time.Duration, known func(frame.Handshake), done func(frame.Handshake, error))
	// SendHandshake queues our handshake, unless it was sent before. The peer
	// actor calls it once, before any Send; for a link of which known was called,
	// the listener has called it before.
	SendHandshake(frame.Handshake)

	// Start begins to read frames. deliver is called, one call at a time, with
	// *FramesReceived, *FramesSent and, last, *LinkClosed.
	Start(limits frame.Limits, deliver func(any))
	// Expect tells how many full blocks are asked for and have not come yet: the
	// link reads so many straight into pooled blocks.
	Expect(blocks int)
	// Done gives a batch back: the link may reuse m and its slice, and may
	// deliver one more. A link delivers only a few batches ahead of Done, which
	// bounds what a flood of frames can put into a mailbox.
	Done(m *FramesReceived)

	// Send queues frames, which are sent in this order. It copies out and the Bits
	// in it, which stay the caller's. The link has no bound for the queue: the
	// caller keeps one.
	Send(out []Outgoing)
	// Close ends the connection at once; reason comes back in LinkClosed. It
	// may be called at any time, from anywhere, more than once.
	Close(reason error)
}

// Outgoing is a frame to be sent. For a piece, Source and Offset say where its
// payload is; the link reads it when its turn comes.
type Outgoing struct {
	frame.Frame
	Source BlockSource
	Offset int64 // in bytes, from the start of the torrent
	// Haves, for a Have, are pieces to be announced in place of Index, each in a
	// frame of its own. The slice is shared by many peers and never changed.
	Haves []uint32
	// Tail, for an Extended, goes out behind Bits. It is shared and never changed,
	// so the link does not copy it: what a peer leaves unread costs no memory.
	Tail []byte
}

// BlockSource reads payload of one torrent. It is safe for concurrent use,
// comparable with ==, and answers through done, exactly once.
type BlockSource interface {
	ReadBlocks(bufs [][]byte, off int64, done func(error))
}

// SocketSource is a BlockSource whose payload the system can move into a socket
// by itself, past the memory of the process.
type SocketSource interface {
	BlockSource
	// SendTo moves up to n bytes at off into a socket that does not block; reading
	// the disk may. After an error, unless it says that the socket is full, the
	// payload is to be read with ReadBlocks, whose error says what is wrong.
	SendTo(socket uintptr, off int64, n int) (int, error)
	// Map maps up to n bytes at off, if they are in the system's cache, and
	// otherwise fails. The link that it is called by unmaps them. Only system
	// calls may touch them: if the file becomes shorter, whatever else does is
	// killed.
	Map(off int64, n int) ([]byte, error)
}

// FramesReceived: link to peer. The peer handles the frames in their order,
// takes over their blocks, and gives the message back with Link.Done.
type FramesReceived struct {
	Link   uint64
	At     time.Time
	Bytes  int // as read from the socket
	Frames []frame.Frame
}

// PayloadBytes is what makes handling it take longer.
func (m *FramesReceived) PayloadBytes() int { return m.Bytes }

// Discard releases the blocks of frames that no peer will handle.
func (m *FramesReceived) Discard() {
	for i := range m.Frames {
		if b := m.Frames[i].Block; b != nil {
			b.Release()
		}
	}
}

// FramesSent: link to peer, each time that queued pieces have been written to
// the socket. The peer may queue more. Frames of other kinds are not reported.
type FramesSent struct {
	Link    uint64
	At      time.Time
	Payload int // bytes of pieces
	Pieces  int // frames of kind piece
}

// SendingMeasured: link to peer, each time that what it costs to send payload
// was measured, and the cheapest way chosen for all links; and on from the peer
// to session, and to subscribers. The costs are processor time of the sending
// thread for a MiB, 0 if it is not known.
type SendingMeasured struct {
	Link                     uint64
	Chosen                   string // sendfile, copied or mapped
	Sendfile, Copied, Mapped time.Duration
}

// LinkClosed: link to peer, the last of a link. Err is never nil; a stream that
// ended between two frames gives io.EOF.
type LinkClosed struct {
	Link uint64
	Err  error
}

// Messages of a link whose peer has stopped are not reported as dead letters.

func (*FramesReceived) IgnoreDeadLetterLogging()  {}
func (*FramesSent) IgnoreDeadLetterLogging()      {}
func (*SendingMeasured) IgnoreDeadLetterLogging() {}
func (*LinkClosed) IgnoreDeadLetterLogging()      {}
