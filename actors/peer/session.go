package peer

import (
	"errors"
	"fmt"
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
	maxUnasked = 16               // blocks never asked for that a peer may send
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
	torrent  *metainfo.Torrent
	flags    messages.PeerFlags
	requests requests
	uploads  uploads
	window   window
	down, up rate.Rolling // payload
	wasted   int64        // bytes
	unasked  int          // blocks
	flood    floodAccount
	theirs   *bitset.BitSet // pieces of the other side
	pieces   int            // how many are in theirs

	heard     time.Time // when the last frame came
	fed       time.Time // when the last payload came, or was first asked for
	spoke     time.Time // when we last sent a frame
	answered  time.Time // when we had asked for the last payload that came
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
	bitfield *bitset.BitSet
	choking  bool // the other side has choked or unchoked us
	voided   bool // it has choked us, even if it unchoked us again: requests are void
	snubbed  bool
	flags    bool // the flags have changed
}

func newSession(t *metainfo.Torrent, inbound bool, now time.Time) *session {
	s := &session{torrent: t, window: newWindow(usualQueue), heard: now, fed: now, spoke: now, keepAlive: keepAlive}
	s.theirs = bitset.New(uint(t.PieceCount()))
	s.flood.at = now
	s.flags = messages.PeerFlags{AmChoking: true, PeerChoking: true, Inbound: inbound}
	s.down, s.up = rate.NewRolling(now), rate.NewRolling(now)
	return s
}

// broken is an error that says how the other side has violated the protocol.
func broken(format string, args ...any) error {
	return &frame.ProtocolError{Text: fmt.Sprintf(format, args...)}
}

// received takes one frame. Its block moves to the session.
func (s *session) received(f *frame.Frame, now time.Time) error {
	switch f.Kind {
	case frame.Choke, frame.Unchoke:
		return s.choking(f.Kind == frame.Choke, now)
	case frame.Interested, frame.NotInterested:
		is := f.Kind == frame.Interested
		if is == s.flags.PeerInterested {
			return s.flood.charge(costUseless, now)
		}
		s.flags.PeerInterested, s.out.flags = is, true
		return s.flood.charge(costChange, now)
	case frame.Have:
		return s.have(f.Index, now)
	case frame.Bitfield:
		return s.bitfield(f.Bits, now)
	case frame.Request:
		return s.request(f, now)
	case frame.Cancel:
		s.uploads.cancel(blockOf(f))
		return s.flood.charge(costUseless, now)
	case frame.Piece:
		return s.piece(f, now)
	case frame.Extended:
		return s.extended(f, now)
	default: // a keep-alive, or of a kind that we do not know, its payload skipped
		return s.flood.charge(costUseless+int(f.Length/blockSize), now)
	}
}

func blockOf(f *frame.Frame) messages.Block {
	return messages.Block{Piece: f.Index, Begin: f.Begin, Length: f.Length}
}

// choking takes a choke or an unchoke. A choke voids what was asked for, also
// when an unchoke follows at once.
func (s *session) choking(choke bool, now time.Time) error {
	if choke == s.flags.PeerChoking {
		return s.flood.charge(costUseless, now)
	}
	s.flags.PeerChoking = choke
	s.out.choking, s.out.flags = true, true
	if choke {
		s.requests.clear(nil)
		s.out.voided = true
	}
	return s.flood.charge(costChange, now)
}

// have takes a piece that the other side announces. Each is passed on once.
func (s *session) have(piece uint32, now time.Time) error {
	n := s.torrent.PieceCount()
	if int64(piece) >= int64(n) {
		return broken("have of piece %d of %d", piece, n)
	}
	if s.theirs.Test(uint(piece)) {
		return s.flood.charge(costUseless, now)
	}
	s.theirs.Set(uint(piece))
	s.out.haves = append(s.out.haves, piece)
	s.count(s.pieces + 1)
	return nil
}

// bitfield takes the pieces of the other side. The link has checked the length
// and the spare bits. By BEP 3 a bitfield comes first or never, but aria2 sends
// one in place of many haves.
func (s *session) bitfield(bits []byte, now time.Time) error {
	has := bitset.New(s.theirs.Len())
	for i := range has.Len() {
		if frame.HasBit(bits, i) {
			has.Set(i)
		}
	}
	again := s.pieces > 0
	s.theirs.InPlaceUnion(has)
	s.count(int(s.theirs.Count()))
	if earlier := s.out.bitfield; earlier != nil {
		has.InPlaceUnion(earlier)
	}
	s.out.bitfield = has
	if again {
		return s.flood.charge(costBitfield, now)
	}
	return nil
}

func (s *session) count(pieces int) {
	s.pieces = pieces
	if !s.flags.Seed && pieces == s.torrent.PieceCount() {
		s.flags.Seed, s.out.flags = true, true
	}
}

// extended takes a message of the extension protocol (BEP 10). We offer no
// extension, so all messages but the handshake are of no use. A handshake that
// cannot be read is ignored.
func (s *session) extended(f *frame.Frame, now time.Time) error {
	if f.Index != extended.HandshakeID {
		return s.flood.charge(costUseless, now)
	}
	if h, err := extended.Parse(f.Bits); err == nil && h.Requests > 0 {
		s.window.allow(h.Requests)
	}
	return s.flood.charge(costChange, now)
}

// request takes a request of the other side. A request that comes while we
// choke may have crossed our choke, so it does not end the connection.
func (s *session) request(f *frame.Frame, now time.Time) error {
	if int64(f.Index) >= int64(s.torrent.PieceCount()) {
		return broken("request in piece %d of %d", f.Index, s.torrent.PieceCount())
	}
	size := uint64(s.torrent.PieceSize(int(f.Index)))
	if f.Length == 0 || f.Length > maxRequest || uint64(f.Begin)+uint64(f.Length) > size {
		return broken("request of %d bytes at %d in a piece of %d", f.Length, f.Begin, size)
	}
	if s.flags.AmChoking || !s.uploads.request(blockOf(f)) {
		return s.flood.charge(costUseless, now)
	}
	return nil
}

// serve sends queued blocks, bytes at the most, and returns how many bytes they
// have.
func (s *session) serve(bytes int) (served int) {
	s.out.frames, served = s.uploads.serve(s.out.frames, s.torrent.PieceLength, bytes)
	return served
}

// servable takes the store's answer to what may be served. Requests for pieces
// that we never announced are dropped, and charged to the other side.
func (s *session) servable(m *messages.PiecesServable, now time.Time) error {
	return s.flood.charge(s.uploads.answered(m)*costUseless, now)
}

// piece takes payload: what we asked of this peer goes on to the store, the
// rest is dropped and counted as waste. A peer may answer requests that we have
// dropped; one that keeps sending blocks that we never asked for is
// disconnected.
func (s *session) piece(f *frame.Frame, now time.Time) error {
	s.down.Add(now, int(f.Length))
	b := blockOf(f)
	sent, asked := s.requests.answer(b)
	if !asked {
		f.Block.Release()
		s.wasted += int64(f.Length)
		if s.requests.late > 0 {
			s.requests.late--
			return nil
		}
		if s.unasked++; s.unasked > maxUnasked {
			return broken("sends blocks that were not asked for")
		}
		return nil
	}
	s.fed, s.answered = now, sent
	if s.out.stored == nil { // they leave in messages: once for the batch, of the right size
		s.out.arrived = make([]messages.Block, 0, s.batch)
		s.out.stored = make([]messages.StoredBlock, 0, s.batch)
	}
	s.out.arrived = append(s.out.arrived, b)
	s.out.stored = append(s.out.stored, messages.StoredBlock{Block: b, Data: f.Block})
	return nil
}

// batchDone takes note that all frames of a batch have been handled.
func (s *session) batchDone(now time.Time) {
	s.heard = now
	if n := len(s.out.arrived); n > 0 {
		s.window.arrived(n, s.answered, now)
		if s.flags.Snubbed {
			s.flags.Snubbed, s.out.flags = false, true
		}
	}
}

// ask sends waiting requests, for bytes at the most, and returns for how many
// bytes they are.
func (s *session) ask(bytes int, now time.Time) (asked int) {
	if len(s.requests.flight) == 0 {
		s.fed = now // the time to be snubbed after begins
		s.window.flow.Resume(now)
	}
	for _, b := range s.requests.ask(nil, bytes, now) {
		s.frame(frame.Frame{Kind: frame.Request, Index: b.Piece, Begin: b.Begin, Length: b.Length})
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
	kind := frame.Unchoke
	if is {
		kind = frame.Choke
		s.uploads.clear()
		s.flood.clear() // it may have asked for much before it hears of this
	}
	s.frame(frame.Frame{Kind: kind})
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
	s.requests.waiting, s.requests.flight, s.requests.room = nil, nil, nil
	s.uploads.queue = nil
	s.down.Rest()
	s.up.Rest()
}

// framesQueued takes note that the link has copied the frames. Their memory is
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
	oldest, asked := s.requests.oldest()
	if !asked {
		return nil
	}
	if now.Sub(s.fed) > snubAfter && now.Sub(oldest) > snubAfter {
		s.out.dropped = s.requests.clear(s.out.dropped)
		s.window.snub()
		s.flags.Snubbed, s.out.snubbed, s.out.flags = true, true, true
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

func (s *session) frame(f frame.Frame) {
	s.out.frames = append(s.out.frames, messages.Outgoing{Frame: f})
}

// announce sends a have for each piece. All peers share the slice.
func (s *session) announce(pieces []uint32) {
	s.out.frames = append(s.out.frames, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have}, Haves: pieces})
}
