package peer

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

func newFastSession(t *testing.T) *session {
	s := newTestSession(t)
	s.speakFast()
	return s
}

func rejectFrame(b messages.Block) frame.Frame {
	return frame.Frame{Kind: frame.Reject, Index: b.Piece, Begin: b.Begin, Length: b.Length}
}

func requestFrame(b messages.Block) frame.Frame {
	return frame.Frame{Kind: frame.Request, Index: b.Piece, Begin: b.Begin, Length: b.Length}
}

// sentKinds are the kinds of the frames that are to be sent.
func (s *session) sentKinds() (kinds []frame.Kind) {
	for i := range s.out.frames {
		kinds = append(kinds, s.out.frames[i].Kind)
	}
	return kinds
}

func TestFramesOfTheFastExtensionAreForThoseWhoOfferIt(t *testing.T) {
	for _, f := range []frame.Frame{
		{Kind: frame.Suggest}, {Kind: frame.HaveAll}, {Kind: frame.HaveNone}, rejectFrame(block(0)), {Kind: frame.AllowedFast},
	} {
		s := newTestSession(t)
		if violation := new(frame.ProtocolError); !errors.As(s.received(&f, start), &violation) {
			t.Errorf("%v is taken from a peer that does not offer the fast extension", f.Kind)
		}
	}
}

func TestFastSessionCutsOffWhatBreaksTheProtocol(t *testing.T) {
	for name, last := range map[string]frame.Frame{
		"suggest beyond the torrent":         {Kind: frame.Suggest, Index: 10},
		"allowed fast beyond the torrent":    {Kind: frame.AllowedFast, Index: 10},
		"allowed fast of the highest index":  {Kind: frame.AllowedFast, Index: math.MaxUint32},
		"have none after a have":             {Kind: frame.HaveNone},
		"reject beyond the torrent":          rejectFrame(messages.Block{Piece: 10, Length: blockSize}),
		"reject of a part":                   rejectFrame(messages.Block{Length: 1}),
		"reject of an odd place":             rejectFrame(messages.Block{Begin: 1, Length: blockSize}),
		"reject across the end":              rejectFrame(messages.Block{Piece: 9, Begin: 3 * blockSize, Length: blockSize}),
		"reject that wraps uint32":           rejectFrame(messages.Block{Begin: math.MaxUint32 - blockSize + 1, Length: blockSize}),
		"more than some rejects of nothing":  rejectFrame(block(5)),
		"more than some of another's blocks": rejectFrame(block(35)),
	} {
		s := newFastSession(t)
		s.take(t, frame.Frame{Kind: frame.Have, Index: 1}, start)
		n := 0
		var err error
		for ; err == nil && n <= maxUnasked; n++ {
			err = s.received(&last, start)
		}
		if violation := new(frame.ProtocolError); !errors.As(err, &violation) {
			t.Errorf("%s: %v after %d", name, err, n)
		}
	}
}

// It is told which pieces we have by the shortest frame that says so.
func TestAPeerIsGreeted(t *testing.T) {
	all := bitset.New(10).FlipRange(0, 10)
	for name, c := range map[string]struct {
		fast bool
		have *bitset.BitSet
		want []frame.Kind
	}{
		"all":           {true, all, []frame.Kind{frame.HaveAll}},
		"none":          {true, bitset.New(10), []frame.Kind{frame.HaveNone}},
		"some":          {true, bitset.New(10).Set(9), []frame.Kind{frame.Bitfield}},
		"all, BEP 3":    {false, all, []frame.Kind{frame.Bitfield}},
		"nothing, BEP3": {false, bitset.New(10), nil},
	} {
		s := newTestSession(t)
		if c.fast {
			s.speakFast()
		}
		if s.greet(c.have); !slices.Equal(s.sentKinds(), c.want) {
			t.Errorf("%s: %v", name, s.sentKinds())
		}
	}
}

func TestHaveAllComesAtAnyTime(t *testing.T) {
	s := newFastSession(t)
	s.take(t, frame.Frame{Kind: frame.HaveNone}, start)
	s.take(t, frame.Frame{Kind: frame.Have, Index: 1}, start)
	s.take(t, frame.Frame{Kind: frame.HaveAll}, start)
	if has := s.out.bitfield; !s.flags.Seed || s.pieces != 10 || has.Count() != 10 {
		t.Errorf("it has %d pieces, %v are told of", s.pieces, has)
	}
}

// A choke voids nothing: what is in flight comes, or is rejected, and then the
// scheduler hears of it at once. What was not asked for yet is given back.
func TestAChokeVoidsNothingIfEachRequestIsAnswered(t *testing.T) {
	pool := buffer.NewPool(1)
	s := newFastSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.want([]messages.Block{block(0), block(1), block(2)})
	s.ask(2*blockSize, start)
	s.out = effects{}
	s.take(t, frame.Frame{Kind: frame.Choke}, start)
	if s.out.voided || !s.out.choking || len(s.requests.flight) != 2 || !slices.Equal(s.out.dropped, []messages.Block{block(2)}) {
		t.Fatalf("voided %v, choking %v, %d in flight, dropped %v", s.out.voided, s.out.choking, len(s.requests.flight), s.out.dropped)
	}
	s.want([]messages.Block{block(3)}) // which has crossed the choke
	if s.ask(math.MaxInt, start); len(s.requests.waiting) > 0 || len(s.sentKinds()) > 0 || len(s.out.dropped) != 2 {
		t.Fatalf("waiting %v, sends %v, dropped %v", s.requests.waiting, s.sentKinds(), s.out.dropped)
	}
	f := pieceFrame(pool, block(0))
	s.take(t, f, start)
	s.take(t, rejectFrame(block(1)), start)
	if len(s.out.arrived) != 1 || s.requests.outstanding() != 0 || !slices.Equal(s.out.dropped, []messages.Block{block(2), block(3), block(1)}) {
		t.Errorf("arrived %v, %d outstanding, dropped %v", s.out.arrived, s.requests.outstanding(), s.out.dropped)
	}
	f.Block.Release()
}

// Some clients say that they answer each request, and do not.
func TestAChokeThatIsNotAnsweredEndsTheRequests(t *testing.T) {
	s := newFastSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.want([]messages.Block{block(0), block(1)})
	s.ask(math.MaxInt, start)
	s.take(t, frame.Frame{Kind: frame.Choke}, at(5))
	s.take(t, rejectFrame(block(1)), at(6))
	s.out = effects{}
	if err := s.tick(at(6 + answerAfterChoke.Seconds())); err != nil || len(s.out.dropped) > 0 {
		t.Fatalf("%v, dropped %v too early", err, s.out.dropped)
	}
	if err := s.tick(at(6.1 + answerAfterChoke.Seconds())); err != nil || !slices.Equal(s.out.dropped, []messages.Block{block(0)}) {
		t.Errorf("%v, dropped %v", err, s.out.dropped)
	}
}

// A reject does not say which of two requests for a block it answers: it is the
// first.
func TestARejectAnswersTheFirstRequest(t *testing.T) {
	pool := buffer.NewPool(1)
	s := newFastSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	for range 2 {
		s.want([]messages.Block{block(0)})
		s.ask(math.MaxInt, start)
		if len(s.requests.dropped) == 0 {
			s.cancel([]messages.Block{block(0)})
		}
	}
	s.out = effects{}
	s.take(t, rejectFrame(block(0)), start) // that of the cancel
	if len(s.out.dropped) > 0 || s.requests.outstanding() != 1 {
		t.Fatalf("dropped %v, %d outstanding", s.out.dropped, s.requests.outstanding())
	}
	f := pieceFrame(pool, block(0))
	s.take(t, f, start)
	if len(s.out.arrived) != 1 || s.requests.late != 0 {
		t.Errorf("arrived %v, %d late", s.out.arrived, s.requests.late)
	}
	f.Block.Release()
}

// Clients that answer no cancel do not make us remember more and more.
func TestDroppedRequestsAreBounded(t *testing.T) {
	s := newFastSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	for i := range 10 * maxDropped {
		b := block(i % 36)
		s.want([]messages.Block{b})
		s.ask(math.MaxInt, start)
		s.cancel([]messages.Block{b})
		s.out = effects{}
	}
	if len(s.requests.dropped) != maxDropped {
		t.Errorf("%d are known", len(s.requests.dropped))
	}
}

// A peer that unchokes us and rejects what it is asked for is asked for one
// block at a time, and at last closed; one that brings something in between is
// not.
func TestAPeerThatRejectsEverythingIsSnubbed(t *testing.T) {
	for _, brings := range []bool{false, true} {
		pool := buffer.NewPool(1)
		s := newFastSession(t)
		s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
		ask := func() {
			s.want([]messages.Block{block(0)})
			s.ask(math.MaxInt, start)
		}
		var err error
		snubbed := false
		n := 0
		for ; err == nil && n < 2*maxFlood; n++ {
			ask()
			f := rejectFrame(block(0))
			err = s.received(&f, start)
			if brings && n%5 == 4 && err == nil {
				ask()
				f := pieceFrame(pool, block(0))
				s.take(t, f, start)
				s.batchDone(start)
				f.Block.Release()
			}
			snubbed = snubbed || s.flags.Snubbed
			s.out = effects{}
		}
		if (err == nil) != brings || snubbed == brings {
			t.Errorf("brings something %v: after %d rejects %v, snubbed %v", brings, n, err, snubbed)
		}
	}
}

// What is not served is rejected, whatever the reason.
func TestWhatIsNotServedIsRejected(t *testing.T) {
	kinds := func(s *session) []frame.Kind {
		k := s.sentKinds()
		s.out = effects{}
		return k
	}
	s := newFastSession(t)
	s.take(t, requestFrame(block(0)), start)
	if got := kinds(s); !slices.Equal(got, []frame.Kind{frame.Reject}) {
		t.Errorf("while we choke: %v", got)
	}
	s.setChoked(false)
	kinds(s)
	s.take(t, requestFrame(block(0)), start)
	cancel := requestFrame(block(0))
	cancel.Kind = frame.Cancel
	for range 2 { // the second is too late
		s.take(t, cancel, start)
	}
	if got := kinds(s); !slices.Equal(got, []frame.Kind{frame.Reject}) {
		t.Errorf("cancelled: %v", got)
	}
	s.take(t, requestFrame(block(0)), start)
	s.take(t, requestFrame(block(4)), start)
	if err := s.servable(&messages.PiecesServable{Pieces: s.uploads.inquire(), Runs: []messages.PieceRun{{To: 1}}}, start); err != nil {
		t.Fatal(err)
	}
	if got := s.out.frames; len(got) != 1 || blockOf(&got[0].Frame) != block(4) || got[0].Kind != frame.Reject {
		t.Errorf("never announced: %v", s.sentKinds())
	}
	kinds(s)
	s.setChoked(true)
	if got := kinds(s); !slices.Equal(got, []frame.Kind{frame.Choke, frame.Reject}) {
		t.Errorf("choked: %v", got)
	}
	s.setChoked(false)
	kinds(s)
	for i := range maxUploads + 1 {
		s.take(t, requestFrame(block(i%36)), start)
	}
	if got := kinds(s); !slices.Equal(got, []frame.Kind{frame.Reject}) {
		t.Errorf("beyond the queue: %v", got)
	}
}

// While it chokes us a peer is asked for what it has allowed, until it rejects
// that.
func TestWhatIsAllowedIsAskedForWhileChoked(t *testing.T) {
	s := newFastSession(t)
	for _, piece := range []uint32{1, 1, 2} {
		s.take(t, frame.Frame{Kind: frame.AllowedFast, Index: piece}, start)
	}
	if !slices.Equal(s.out.allowed, []uint32{1, 2}) {
		t.Fatalf("tells of %v", s.out.allowed)
	}
	s.out = effects{}
	s.want([]messages.Block{block(0), block(4), block(5), block(8)})
	s.ask(2*blockSize, start)
	if got := s.sentKinds(); len(got) != 2 || !slices.Equal(s.out.dropped, []messages.Block{block(0)}) {
		t.Fatalf("sends %v, drops %v", got, s.out.dropped)
	}
	s.take(t, rejectFrame(block(4)), start)
	s.want([]messages.Block{block(6)})
	if s.allows(1) || !s.allows(2) || len(s.requests.waiting) != 1 || !slices.Equal(s.out.dropped, []messages.Block{block(0), block(4), block(6)}) {
		t.Errorf("allowed %v, %v waits, dropped %v", s.allowed, s.requests.waiting, s.out.dropped)
	}
}

func TestWhatIsAllowedIsBounded(t *testing.T) {
	torrent, _ := stage.Torrent(t, 100*blockSize, blockSize)
	s := newSession(torrent, usualQueue, false, start)
	s.speakFast()
	for i := range uint32(100) {
		s.take(t, frame.Frame{Kind: frame.AllowedFast, Index: i}, start)
	}
	if len(s.allowed) != maxAllowed || len(s.out.allowed) != maxAllowed {
		t.Errorf("%d are allowed, %d told of", len(s.allowed), len(s.out.allowed))
	}
}
