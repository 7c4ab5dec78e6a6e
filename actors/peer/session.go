package peer

import (
	"fmt"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/rate"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

const (
	maxUnasked = 16               // blocks never asked for that a peer may send
	snubAfter  = 30 * time.Second // without payload while something is asked for
	idleAfter  = 3 * time.Minute  // without any frame
	keepAlive  = 100 * time.Second
	// keepAliveSpread is how many seconds earlier some are: what was said to all
	// at once, as news are, is not to be followed by a thousand keep-alives.
	keepAliveSpread = 20
)

// session is the protocol state of one connection (BEP 3), between handshake
// and end. Frames and orders go in; what is to be done gathers in out.
type session struct {
	torrent  *metainfo.Torrent
	flags    messages.PeerFlags
	requests requests
	uploads  uploads
	window   window
	down, up rate.Rolling // payload
	wasted   int64        // bytes
	unasked  int          // blocks
	patience patience
	theirs   *bitset.BitSet // pieces of the other side
	pieces   int            // in theirs
	// When the last frame came, the last payload came, we last sent.
	heard, fed, spoke time.Time
	answered          time.Time // when we had asked for the last payload
	keepAlive         time.Duration

	batch int // frames that came together with the one being taken
	out   effects
}

// effects is what a session wants done. Slices that leave in a message are
// given away; send stays the session's.
type effects struct {
	send    []messages.Outgoing
	stored  []messages.StoredBlock
	arrived []messages.Block
	dropped []messages.Block
	got     []uint32
	has     *bitset.BitSet
	turned  bool // it has choked or unchoked us
	voided  bool // it has choked us, perhaps not for long: what was asked for is void
	snubbed bool
	reflag  bool // a flag has changed
}

func newSession(t *metainfo.Torrent, inbound bool, now time.Time) *session {
	s := &session{torrent: t, window: newWindow(usual), heard: now, fed: now, spoke: now, keepAlive: keepAlive}
	s.theirs = bitset.New(uint(t.PieceCount()))
	s.patience.as = now
	s.flags = messages.PeerFlags{AmChoking: true, PeerChoking: true, Inbound: inbound}
	s.down, s.up = rate.NewRolling(now), rate.NewRolling(now)
	return s
}

// broken is a violation of the protocol.
func broken(format string, args ...any) error {
	return &frame.ProtocolError{Text: fmt.Sprintf(format, args...)}
}

// received takes one frame. Its block moves to the session.
func (s *session) received(f *frame.Frame, now time.Time) error {
	switch f.Kind {
	case frame.Choke, frame.Unchoke:
		return s.turn(f.Kind == frame.Choke, now)
	case frame.Interested, frame.NotInterested:
		is := f.Kind == frame.Interested
		if is == s.flags.PeerInterested {
			return s.patience.spend(costUseless, now)
		}
		s.flags.PeerInterested, s.out.reflag = is, true
		return s.patience.spend(costTurn, now)
	case frame.Have:
		return s.got(f.Index, now)
	case frame.Bitfield:
		return s.bitfield(f.Bits, now)
	case frame.Request:
		return s.asked(f, now)
	case frame.Cancel:
		s.uploads.cancel(blockOf(f))
		return s.patience.spend(costUseless, now)
	case frame.Piece:
		return s.piece(f, now)
	case frame.Extended:
		return s.extended(f, now)
	default: // of an unknown kind, its payload skipped, or no news
		return s.patience.spend(costUseless+int(f.Length/blockSize), now)
	}
}

func blockOf(f *frame.Frame) messages.Block {
	return messages.Block{Piece: f.Index, Begin: f.Begin, Length: f.Length}
}

// turn is a choke or an unchoke. A choke voids what was asked for, also when an
// unchoke follows at once.
func (s *session) turn(choke bool, now time.Time) error {
	if choke == s.flags.PeerChoking {
		return s.patience.spend(costUseless, now)
	}
	s.flags.PeerChoking = choke
	s.out.turned, s.out.reflag = true, true
	if choke {
		s.requests.clear(nil)
		s.out.voided = true
	}
	return s.patience.spend(costTurn, now)
}

// got takes one piece that the other side has. News of it go on once.
func (s *session) got(piece uint32, now time.Time) error {
	n := s.torrent.PieceCount()
	if int64(piece) >= int64(n) {
		return broken("have of piece %d of %d", piece, n)
	}
	if s.theirs.Test(uint(piece)) {
		return s.patience.spend(costUseless, now)
	}
	s.theirs.Set(uint(piece))
	s.out.got = append(s.out.got, piece)
	s.count(s.pieces + 1)
	return nil
}

// bitfield takes what the other side has. Its length and spare bits have been
// checked by the link. By BEP 3 it comes first or never, but aria2 sends one
// where it would have sent many haves.
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
	if earlier := s.out.has; earlier != nil {
		has.InPlaceUnion(earlier)
	}
	s.out.has = has
	if again {
		return s.patience.spend(costBitfield, now)
	}
	return nil
}

func (s *session) count(pieces int) {
	s.pieces = pieces
	if !s.flags.Seed && pieces == s.torrent.PieceCount() {
		s.flags.Seed, s.out.reflag = true, true
	}
}

// extended takes a message of the extension protocol (BEP 10). We offer none but
// the handshake, so all others are for nobody; and a handshake that cannot be
// read tells nothing.
func (s *session) extended(f *frame.Frame, now time.Time) error {
	if f.Index != extended.HandshakeID {
		return s.patience.spend(costUseless, now)
	}
	if h, err := extended.Parse(f.Bits); err == nil && h.Requests > 0 {
		s.window.allow(h.Requests)
	}
	return s.patience.spend(costTurn, now)
}

// asked takes a request. One that we do not answer because we choke is no
// offence: the choke may have crossed it.
func (s *session) asked(f *frame.Frame, now time.Time) error {
	if int64(f.Index) >= int64(s.torrent.PieceCount()) {
		return broken("request in piece %d of %d", f.Index, s.torrent.PieceCount())
	}
	size := uint64(s.torrent.PieceSize(int(f.Index)))
	if f.Length == 0 || f.Length > maxRequest || uint64(f.Begin)+uint64(f.Length) > size {
		return broken("request of %d bytes at %d in a piece of %d", f.Length, f.Begin, size)
	}
	if s.flags.AmChoking || !s.uploads.request(blockOf(f)) {
		return s.patience.spend(costUseless, now)
	}
	return nil
}

// serve sends blocks of up to bytes, and returns how many bytes they have.
func (s *session) serve(bytes int) (served int) {
	s.out.send, served = s.uploads.serve(s.out.send, s.torrent.PieceLength, bytes)
	return served
}

// leased takes note of what may be served. Requests for what we never announced
// are answered by nothing.
func (s *session) leased(m *messages.PiecesServable, now time.Time) error {
	return s.patience.spend(s.uploads.answered(m)*costUseless, now)
}

// piece takes payload: what we asked of this peer goes on to the store, the
// rest is dropped. Answers to requests that we dropped are only wasted; a peer
// that keeps sending what it never was asked for is cut off.
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

// batchDone is called when all frames of a read have been taken.
func (s *session) batchDone(now time.Time) {
	s.heard = now
	if n := len(s.out.arrived); n > 0 {
		s.window.arrived(n, s.answered, now)
		if s.flags.Snubbed {
			s.flags.Snubbed, s.out.reflag = false, true
		}
	}
}

// ask sends the requests that wait, up to bytes, and returns how many bytes
// were asked for.
func (s *session) ask(bytes int, now time.Time) (asked int) {
	if len(s.requests.flight) == 0 {
		s.fed = now // patience begins with the first request
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

func (s *session) interested(is bool) {
	if is == s.flags.AmInterested {
		return
	}
	s.flags.AmInterested, s.out.reflag = is, true
	kind := frame.NotInterested
	if is {
		kind = frame.Interested
	}
	s.frame(frame.Frame{Kind: kind})
}

func (s *session) choke(is bool) {
	if is == s.flags.AmChoking {
		return
	}
	s.flags.AmChoking, s.out.reflag = is, true
	kind := frame.Unchoke
	if is {
		kind = frame.Choke
		s.uploads.clear()
		s.patience.renew() // it may have asked for much before it hears of this
	}
	s.frame(frame.Frame{Kind: kind})
}

// dormant tells that nothing is under way in either direction, so that nothing
// is due before the deadline.
func (s *session) dormant() bool {
	return s.requests.outstanding() == 0 && s.uploads.idle()
}

// deadline is when a dormant session has to look after itself.
func (s *session) deadline() time.Time {
	speak, end := s.spoke.Add(s.keepAlive), s.heard.Add(idleAfter)
	if end.Before(speak) {
		return end
	}
	return speak
}

// shrink lets go of the room that a dormant session had for what moved.
func (s *session) shrink() {
	s.requests.waiting, s.requests.flight, s.requests.room = nil, nil, nil
	s.uploads.queue = nil
	s.down.Rest()
	s.up.Rest()
	s.out.send = nil
}

// tick looks after what did not happen. An error ends the connection.
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
		s.flags.Snubbed, s.out.snubbed, s.out.reflag = true, true, true
		s.fed = now
		return nil
	}
	// Others have been answered, these were passed over.
	patience := snubAfter
	if r := s.down.Over(now, recent); r > 0 {
		queue := float64(len(s.requests.flight)) * float64(blockSize) / r
		patience = max(patience, time.Duration(4*min(queue, 600)*float64(time.Second)))
	}
	s.out.dropped = s.requests.overdue(s.out.dropped, now.Add(-patience))
	return nil
}

func (s *session) frame(f frame.Frame) {
	s.out.send = append(s.out.send, messages.Outgoing{Frame: f})
}

// haves announces pieces, in as little room for thousands as for one.
func (s *session) haves(pieces []uint32) {
	s.out.send = append(s.out.send, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have}, Haves: pieces})
}
