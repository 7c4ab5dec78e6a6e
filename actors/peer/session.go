package peer

import (
	"errors"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/rate"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

const (
	blockSize  = buffer.Size
	maxRequest = 128 << 10        // bytes; the longest request that is served
	snubAfter  = 30 * time.Second // without payload while something is asked for
	idleAfter  = 3 * time.Minute  // without any frame
	keepAlive  = 100 * time.Second
	// keepAliveSpread is by how many seconds the keep-alives of peers differ:
	// after a have was sent to a thousand peers, their keep-alives are not due all
	// at once.
	keepAliveSpread = 20
	// While a peer answers, a request is dropped when it is lateFactor times older
	// than the peer needs for all requests in flight, but not before snubAfter.
	// That need is taken for maxQueued at the most.
	lateFactor = 4
	maxQueued  = 600 // seconds
)

var errIdle = errors.New("the peer has sent nothing for 3 minutes")

// session is the protocol state of one connection (BEP 3), from the handshakes
// to its end. It takes frames of the other side and orders of scheduler and
// choker; what is to be done gathers in out.
type session struct {
	torrent  *metainfo.Torrent // nil: it is not known yet what is in the torrent
	flags    messages.PeerFlags
	requests requests
	uploads  uploads
	offers   offers
	window   window
	down, up rate.Rolling // payload
	wasted   int64        // bytes
	flood    floodAccount
	surplus  surplus
	servesOn bool           // we are choked, but what is in flight still comes
	fast     bool           // both sides offer the fast extension (BEP 6)
	allowed  []uint32       // pieces that we may ask for while we are choked (BEP 6)
	refusals int            // rejects since the last payload, while we are not choked
	theirs   *bitset.BitSet // pieces of the other side
	pieces   int            // how many are in theirs
	early    early          // while torrent is nil, in place of theirs

	extension extension

	nodePort  uint16 // of the other side's node (BEP 5); 0: not told
	nodeAdded bool   // the DHT has heard of it
	portTold  bool   // the other side has heard of ours

	heard     time.Time // when the last frame came
	fed       time.Time // when the last payload came, or was first asked for
	spoke     time.Time // when we last sent a frame
	answered  time.Time // when we had asked for the last payload that came
	settled   time.Time // when the other side last choked or unchoked us, or rejected something (BEP 6)
	keepAlive time.Duration

	batch int // frames that came together with the one that is handled
	out   effects
}

// effects are what a session wants done. All slices but frames are given away
// in messages.
type effects struct {
	frames   []messages.Outgoing
	stored   []messages.StoredBlock
	arrived  []messages.Block
	dropped  []messages.Block
	haves    []uint32
	lost     []uint32 // pieces; what came later is in haves and bitfield
	allowed  []uint32 // pieces that the other side has allowed us
	bitfield *bitset.BitSet
	// news: extended messages have brought some of the next four.
	news       bool
	introduced bool // what is known of the other side has changed
	offered    bool // the other side can send us the metadata
	parts      []extended.MetadataMessage
	heard      []extended.Contact
	choking    bool // the scheduler is to hear that the other side has choked or unchoked us
	voided     bool // it has choked us, even if it unchoked us again: requests are void
	snubbed    bool
	flags      bool // the flags have changed
	asked      bool // the other side has asked for much of what it was told of, see offers
}

func newSession(t *metainfo.Torrent, q Queue, inbound bool, now time.Time) *session {
	s := &session{torrent: t, window: newWindow(q, usualMost), heard: now, fed: now, spoke: now, keepAlive: keepAlive}
	if t != nil {
		s.theirs = bitset.New(uint(t.PieceCount()))
	}
	s.flood.at, s.flood.most = now, maxFlood
	s.surplus.pause = serveOnPause
	s.flags = messages.PeerFlags{AmChoking: true, PeerChoking: true, Inbound: inbound}
	s.down, s.up = rate.NewRolling(now), rate.NewRolling(now)
	return s
}

// serve sends queued blocks, bytes at the most, and returns how many bytes they
// have.
func (s *session) serve(bytes int) (served int) {
	s.out.frames, served = s.uploads.serve(s.out.frames, s.torrent.PieceLength, bytes)
	return served
}

// want takes blocks to be asked for, and says whether something is to be done.
// If the other side has choked us meanwhile, they are dropped: the scheduler
// takes them back when it hears of the choke, but from a peer of the fast
// extension only when that is said of each block. The scheduler does not hear
// of a choke while the other side goes on serving.
func (s *session) want(blocks []messages.Block) bool {
	if s.flags.PeerChoking && !s.servesOn && !s.fast {
		return false
	}
	s.requests.waiting = append(s.requests.waiting, blocks...)
	if s.flags.PeerChoking {
		s.dropWaiting()
	}
	return true
}

// ask sends waiting requests, for bytes at the most, and returns for how many
// bytes they are.
func (s *session) ask(bytes int, now time.Time) (asked int) {
	if s.flags.PeerChoking && (!s.fast || len(s.requests.waiting) == 0) {
		return 0 // what waits for a peer of the fast extension may be asked for
	}
	if len(s.requests.flight) == 0 {
		s.fed = now // the time to be snubbed after begins
		s.window.flow.Resume(now)
	}
	for _, b := range s.requests.ask(nil, bytes, now) {
		s.frame(frame.Frame{Kind: frame.Request, Index: b.Piece, Begin: b.Begin, Length: b.Length})
		s.surplus.askedFor(b.Piece, s.torrent.PieceCount())
		asked += int(b.Length)
	}
	return asked
}

func (s *session) cancel(blocks []messages.Block) {
	for _, b := range s.requests.cancel(nil, blocks) {
		s.frame(frame.Frame{Kind: frame.Cancel, Index: b.Piece, Begin: b.Begin, Length: b.Length})
	}
}

func (s *session) setInterested(is bool) {
	if is == s.flags.AmInterested {
		return
	}
	s.flags.AmInterested, s.out.flags = is, true
	kind := frame.NotInterested
	if is {
		kind = frame.Interested
	}
	s.frame(frame.Frame{Kind: kind})
}

func (s *session) setChoked(is bool) {
	if is == s.flags.AmChoking {
		return
	}
	s.flags.AmChoking, s.out.flags = is, true
	if !is {
		s.frame(frame.Frame{Kind: frame.Unchoke})
		return
	}
	s.frame(frame.Frame{Kind: frame.Choke})
	for _, b := range s.uploads.queue {
		s.reject(b)
	}
	s.uploads.clear()
	s.flood.clear() // it may have asked for much before it hears of this
}

// dormant tells whether nothing is under way in either direction: then nothing
// is to be done before the deadline.
func (s *session) dormant() bool {
	return s.requests.outstanding() == 0 && s.uploads.idle()
}

// deadline is when a dormant session has to send a keep-alive, or to end.
func (s *session) deadline() time.Time {
	speak, end := s.spoke.Add(s.keepAlive), s.heard.Add(idleAfter)
	if end.Before(speak) {
		return end
	}
	return speak
}

// shrink frees memory that a dormant session does not need.
func (s *session) shrink() {
	s.requests.waiting, s.requests.flight, s.requests.room, s.requests.dropped = nil, nil, nil, nil
	s.surplus.asked = nil
	s.uploads.queue = nil
	s.down.Rest()
	s.up.Rest()
}

// framesQueued records that the link has copied the frames. Their memory is
// kept for the next ones, unless the session is dormant.
func (s *session) framesQueued(dormant bool) {
	clear(s.out.frames)
	s.out.frames = s.out.frames[:0]
	if dormant {
		s.out.frames = nil
	}
}

// tick looks for what has not happened in time: frames, payload, answers. An
// error ends the connection.
func (s *session) tick(now time.Time) error {
	if now.Sub(s.heard) >= idleAfter {
		return errIdle
	}
	if now.Sub(s.spoke) >= s.keepAlive {
		s.frame(frame.Frame{Kind: frame.KeepAlive})
	}
	s.pauseTooLong(now)
	s.unansweredChoke(now)
	oldest, asked := s.requests.oldest()
	if !asked {
		return nil
	}
	if now.Sub(s.fed) > snubAfter && now.Sub(oldest) > snubAfter {
		s.out.dropped = s.requests.clear(s.out.dropped)
		s.snub()
		s.fed = now
		return nil
	}
	// The peer answers, but it may have passed over some requests.
	late := snubAfter
	if r := s.down.Over(now, recent); r > 0 {
		queued := float64(len(s.requests.flight)) * float64(blockSize) / r
		late = max(late, time.Duration(lateFactor*min(queued, maxQueued)*float64(time.Second)))
	}
	s.out.dropped = s.requests.overdue(s.out.dropped, now.Add(-late))
	return nil
}

// snub records that the other side does not bring what it is asked for.
func (s *session) snub() {
	s.window.snub()
	s.flags.Snubbed, s.out.snubbed, s.out.flags = true, true, true
}

func (s *session) frame(f frame.Frame) {
	s.out.frames = append(s.out.frames, messages.Outgoing{Frame: f})
}

// announce sends a have for each piece. All peers share the slice.
func (s *session) announce(pieces []uint32) {
	s.offers.tell(pieces)
	s.out.frames = append(s.out.frames, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have}, Haves: pieces})
}
