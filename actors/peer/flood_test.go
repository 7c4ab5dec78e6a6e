package peer

import (
	"errors"
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// floods are frames of no use, to be sent over and over. Each flood ends the
// connection after a while; at a modest rate none does.
var floods = map[string][]frame.Frame{
	"keep-alives":            {{Kind: frame.KeepAlive}},
	"the same have":          {{Kind: frame.Have, Index: 3}},
	"bitfields":              {{Kind: frame.Bitfield, Bits: []byte{0x80, 0}}},
	"choke and unchoke":      {{Kind: frame.Unchoke}, {Kind: frame.Choke}},
	"unchokes":               {{Kind: frame.Unchoke}},
	"interest":               {{Kind: frame.Interested}, {Kind: frame.NotInterested}},
	"requests while choked":  {{Kind: frame.Request, Length: blockSize}},
	"cancels of nothing":     {{Kind: frame.Cancel, Length: blockSize}},
	"frames of unknown kind": {{Kind: 99, Length: 1 << 20}},
	"ports":                  {{Kind: frame.Port, Index: 1}},
}

// fastFloods are those of peers that speak the fast extension.
var fastFloods = map[string][]frame.Frame{
	"have all":                 {{Kind: frame.HaveAll}},
	"have none":                {{Kind: frame.HaveNone}},
	"suggestions":              {{Kind: frame.Suggest, Index: 3}},
	"what is allowed":          {{Kind: frame.AllowedFast, Index: 3}, {Kind: frame.AllowedFast, Index: 4}},
	"requests to be rejected":  {{Kind: frame.Request, Length: blockSize}},
	"choke and unchoke, BEP 6": {{Kind: frame.Unchoke}, {Kind: frame.Choke}},
}

func TestSessionBearsFloodsForAWhile(t *testing.T) {
	bearFloods(t, floods, newTestSession)
	bearFloods(t, fastFloods, newFastSession)
}

func bearFloods(t *testing.T, floods map[string][]frame.Frame, newSession func(*testing.T) *session) {
	for name, frames := range floods {
		t.Run(name, func(t *testing.T) {
			s := newSession(t)
			sent := 0
			for ; sent < maxFlood+10; sent++ {
				f := frames[sent%len(frames)]
				if err := s.received(&f, start); err != nil {
					if violation := new(frame.ProtocolError); !errors.As(err, &violation) {
						t.Fatalf("ends with %T %v", err, err)
					}
					break
				}
			}
			if sent < 50 || sent > maxFlood+1 {
				t.Errorf("the connection ends after %d frames", sent)
			}

			s = newSession(t)
			for i := range 10_000 {
				f := frames[i%len(frames)]
				if err := s.received(&f, start.Add(time.Duration(i)*time.Second)); err != nil {
					t.Fatalf("at one a second, the %d. ends it: %v", i+1, err)
				}
			}
		})
	}
}

// Requests beyond the queue are ignored, and charged to the peer. Those that
// cross our choke are not charged.
func TestSessionBearsRequestsThatCrossAChoke(t *testing.T) {
	s := newTestSession(t)
	request := func(n int) (err error) {
		for range n {
			f := frame.Frame{Kind: frame.Request, Length: blockSize}
			if err = s.received(&f, start); err != nil {
				return err
			}
		}
		return nil
	}
	for range 10 {
		s.setChoked(false)
		if err := request(maxUploads + 500); err != nil {
			t.Fatal(err)
		}
		s.setChoked(true)
		if err := request(maxUploads); err != nil {
			t.Fatal(err)
		}
	}
	s.setChoked(false)
	if err := request(maxUploads + maxFlood + 1); err == nil {
		t.Error("a flood of requests has no end")
	}
	if len(s.uploads.queue) != maxUploads {
		t.Errorf("%d requests are queued", len(s.uploads.queue))
	}
}

func TestSessionBearsFewRequestsForWhatIsNotThere(t *testing.T) {
	s := newTestSession(t)
	s.setChoked(false)
	refuse := func(n int) (err error) {
		for ; n > 0 && err == nil; n -= maxInquiry {
			for i := range min(n, maxInquiry) {
				s.uploads.request(block(i))
			}
			err = s.servable(&messages.PiecesServable{Pieces: s.uploads.inquire()}, start)
		}
		return err
	}
	if err := refuse(maxFlood); err != nil {
		t.Fatal(err)
	}
	if err := refuse(1); err == nil {
		t.Error("requests for what we never announced have no end")
	}
}

// The scheduler must hear of the choke: it takes the requests for open else.
func TestAChokeVoidsRequestsAlsoIfAnUnchokeFollowsAtOnce(t *testing.T) {
	s := newTestSession(t)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	s.requests.waiting = []messages.Block{block(0)}
	s.ask(blockSize, start)
	s.out = effects{}
	s.take(t, frame.Frame{Kind: frame.Choke}, start)
	s.take(t, frame.Frame{Kind: frame.Unchoke}, start)
	if !s.out.voided || !s.out.choking || s.requests.outstanding() != 0 {
		t.Errorf("voided %v, turned %v, %d under way", s.out.voided, s.out.choking, s.requests.outstanding())
	}
}
