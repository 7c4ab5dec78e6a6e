package peer

import (
	"errors"
	"io"
	"net/netip"
	"syscall"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/rate"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	adoptTimeout     = 10 * time.Second // for the link that a new actor was made for
	// aliveWithin is how recent the last frame has to be when the same peer
	// connects again: an older connection is taken for dead, and ends.
	aliveWithin = 15 * time.Second
	tickBusy    = time.Second // while bytes move
	tickIdle    = 5 * time.Second
)

var (
	errTorrent  = errors.New("the handshake is for another torrent")
	errAdopt    = errors.New("no connection to adopt")
	errReplaced = errors.New("replaced by a newer connection")
	errByUs     = errors.New("closed by us")
	errForgot   = errors.New("it has told of too many pieces before it was known what is in the torrent")
	errLied     = errors.New("the metadata that it has sent is not that of the torrent")
)

// connection is the state of the actor. It decides what follows from dials,
// handshakes and the end of the link; once a session has started, that decides
// what follows from frames. What is to be done gathers in out.
type connection struct {
	Config
	to  addresses
	now time.Time // of the message that is handled

	linkID     uint64 // 0: there is none yet
	remote     netip.AddrPort
	id         [20]byte
	extensions bool // the other side offers the extension protocol (BEP 10)
	fast       bool // the other side offers the fast extension (BEP 6)
	encrypted  messages.Encrypted
	hasNode    bool // the other side has a node of the DHT (BEP 5)
	offersDHT  bool // we have said that we have one
	publicity  messages.SetPublicity
	session    *session // from StartSession on, or from the handshakes if the metainfo is awaited
	tokens     tokens
	useful     bool // PeerUseful has been said
	over       bool // PeerGone has been said

	nextTick time.Time // a tick before that has been replaced
	dormant  bool      // nothing moves, so nextTick may be far away

	out actions
}

// actions are what the shell is to do, beside sending the frames of the
// session.
type actions struct {
	messages.Outbox
	greet  bool               // send our handshake
	listen bool               // read that of the other side
	note   messages.Encrypted // into the trace, unless it is nothing
	start  bool               // read frames from now on
	// tick, if not 0, is after what time to call tick. It replaces the last one.
	tick   time.Duration
	end    bool                // close the link and stop the actor
	reason messages.GoneReason // of the end, for the trace
}

func newConnection(c Config, to addresses) *connection {
	c.World = nil // the core reaches nothing outside
	return &connection{Config: c, to: to, tokens: tokens{limits: c.Limits}}
}

// dialled takes the link that a dial has made, or the reason why it has failed.
func (k *connection) dialled(link messages.Link, err error) {
	switch {
	case errors.Is(err, world.ErrTooManyConnections):
		k.end(messages.GoneExhausted, err)
	case err != nil:
		k.end(messages.GoneDial, err)
	default:
		k.take(link)
		k.out.listen = true
	}
}

// adopt takes a link that came in, whose handshake the listener has read.
func (k *connection) adopt(m *messages.AdoptLink) {
	k.take(m.Link)
	k.encrypted = m.Link.Encrypted()
	k.ready(m.Handshake)
}

func (k *connection) adoptLapsed() {
	if k.linkID == 0 {
		k.end(messages.GoneHandshake, errAdopt)
	}
}

func (k *connection) take(l messages.Link) {
	k.linkID, k.remote, k.out.greet = l.ID(), l.Remote(), true
}

// begun takes the handshake of a peer that we dialled, without the peer id,
// which need not be waited for if the torrent is another.
func (k *connection) begun(h frame.Handshake) {
	if h.InfoHash != k.InfoHash {
		k.end(messages.GoneHandshake, errTorrent)
	}
}

// shaken takes the handshake of a peer that we dialled.
func (k *connection) shaken(h frame.Handshake, encrypted messages.Encrypted, err error) {
	k.encrypted = encrypted
	switch {
	case err == io.EOF, errors.Is(err, syscall.ECONNRESET):
		k.end(messages.GoneCut, err)
	case err != nil:
		k.end(messages.GoneHandshake, err)
	case h.InfoHash != k.InfoHash:
		k.end(messages.GoneHandshake, errTorrent)
	default:
		k.ready(h)
	}
}

func (k *connection) ready(h frame.Handshake) {
	k.id, k.extensions, k.fast = h.PeerID, h.Has(frame.FeatureExtensions), h.Has(frame.FeatureFast)
	k.hasNode, k.out.note = h.Has(frame.FeatureDHT), k.encrypted
	k.out.Send(k.to.Peers, &messages.PeerReady{
		Key: k.Key, Peer: k.to.self, Link: k.linkID, ID: k.id, Addr: k.remote, Inbound: k.Inbound, Source: k.Source, At: k.now,
		Encrypted: k.encrypted,
	})
	if k.AwaitsMetainfo {
		k.await()
	}
}

func (k *connection) startSession(m *messages.StartSession) {
	if k.linkID != m.Link || k.session != nil && k.session.torrent != nil {
		return
	}
	s := k.session
	var err error
	if s == nil {
		s = k.begin(m.Torrent)
		s.greet(m.Have)
	} else {
		err = s.learn(m.Torrent, m.Have, k.now)
	}
	if m.SuperSeed {
		s.offers.open = m.Have.Clone()
	}
	s.extension.uploadOnly = m.UploadOnly
	s.introduce()
	k.tellPort()
	k.report()
	k.flush()
	switch {
	case errors.Is(err, errForgot):
		k.end(messages.GoneClosed, err) // to be dialled again
	case err != nil:
		k.end(messages.GoneProtocol, err)
	}
}

// await begins a session before it is known what is in the torrent: the other
// side may send us that.
func (k *connection) await() {
	s := k.begin(nil)
	if s.fast {
		s.frame(frame.Frame{Kind: frame.HaveNone})
	}
	s.introduce()
	k.tellPort()
	k.flush()
}

// begin begins the session of a torrent; nil: it is not known yet.
func (k *connection) begin(t *metainfo.Torrent) *session {
	s := newSession(t, k.Queue, k.Inbound, k.now)
	k.session = s
	s.keepAlive -= time.Duration(k.Key%keepAliveSpread) * time.Second
	if k.fast {
		s.speakFast()
	}
	s.extension.spoken, s.extension.publicity = k.extensions, k.publicity
	s.extension.usual = extended.Handshake{Client: k.Client, Requests: maxUploads, Port: k.Port, YourIP: k.remote.Addr()}
	k.out.start = true
	k.tickAfter(tickBusy)
	return s
}

// limits are the bounds of the frames that the link reads.
func (k *connection) limits() frame.Limits {
	return frame.Limits{Pieces: k.session.pieceCount(), Extended: extended.MaxLen}
}

// bitfield is the set as it goes on the wire.
func bitfield(have *bitset.BitSet, pieces int) []byte {
	bits := make([]byte, (pieces+7)/8)
	for i, ok := have.NextSet(0); ok; i, ok = have.NextSet(i + 1) {
		frame.SetBit(bits, i)
	}
	return bits
}

// received takes the frames of a batch, and their blocks. Those behind a frame
// that ends the connection are released.
func (k *connection) received(m *messages.FramesReceived) {
	s := k.session
	var err error
	s.batch = len(m.Frames)
	for i := range m.Frames {
		if err = s.received(&m.Frames[i], m.At); err != nil {
			(&messages.FramesReceived{Frames: m.Frames[i+1:]}).Discard()
			break
		}
	}
	s.batchDone(m.At)
	k.flush()
	if err != nil {
		k.end(messages.GoneProtocol, err)
	}
}

func (k *connection) sent(m *messages.FramesSent) {
	up := &k.session.up
	up.Add(m.At, m.Payload)
	k.session.uploads.sent(int64(m.Payload), up.Over(m.At, recent))
	k.proveUseful()
	k.flush()
}

func (k *connection) closed(err error) {
	reason := messages.GoneClosed
	if violation := new(frame.ProtocolError); errors.As(err, &violation) {
		reason = messages.GoneProtocol
	}
	k.end(reason, err)
}

// request takes blocks to be asked for.
func (k *connection) request(m *messages.RequestBlocks) {
	k.session.setOnlySource(m.OnlySource)
	if k.session.want(m.Blocks) {
		k.flush()
	}
}

func (k *connection) servable(m *messages.PiecesServable) {
	err := k.session.servable(m, k.now)
	k.flush()
	if err != nil {
		k.end(messages.GoneProtocol, err)
	}
}

func (k *connection) setLimits(m *messages.SetLimits) {
	k.tokens.setLimits(*m)
	k.flush()
}

func (k *connection) granted(m *messages.TokensGranted) {
	k.tokens.grant(m.Direction, m.Bytes)
	k.flush()
}

func (k *connection) proveAlive() {
	if k.now.Sub(k.session.heard) > aliveWithin {
		k.end(messages.GoneDuplicate, nil)
	}
}

func (k *connection) proveUseful() {
	if !k.useful {
		k.useful = true
		k.out.Send(k.to.Peers, &messages.PeerUseful{Key: k.Key})
	}
}

func (k *connection) tick() {
	if k.now.Before(k.nextTick) {
		return
	}
	k.dormant = false
	s := k.session
	if err := s.tick(k.now); err != nil {
		k.end(messages.GoneIdle, err)
		return
	}
	k.flush()
	switch {
	case s.down.Over(k.now, rate.MaxSpan)+s.up.Over(k.now, rate.MaxSpan) > 0:
		k.report()
		k.tickAfter(tickBusy)
	case s.dormant():
		s.shrink()
		k.dormant = true
		k.tickAfter(max(s.deadline().Sub(k.now), tickIdle))
	default:
		k.tickAfter(tickIdle)
	}
}

func (k *connection) tickAfter(d time.Duration) { k.out.tick, k.nextTick = d, k.now.Add(d) }

// end ends the actor. The actor peers decides whether to dial again.
func (k *connection) end(reason messages.GoneReason, err error) {
	k.gone(reason, err)
	k.out.end, k.out.reason = true, reason
}

// gone tells peers, scheduler and choker, once, that the connection has ended.
func (k *connection) gone(reason messages.GoneReason, err error) {
	if k.over {
		return
	}
	k.over = true
	k.metadataGone()
	k.report() // the last totals
	m := &messages.PeerGone{Key: k.Key, Link: k.linkID, Addr: k.Addr, Reason: reason, Err: err}
	k.out.Send(k.to.Peers, m)
	if k.session != nil && k.session.torrent != nil {
		k.out.Send(k.to.Scheduler, m)
		k.out.Send(k.to.Choker, m)
	}
}
