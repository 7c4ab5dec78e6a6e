package peer

import (
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

func uploadOnlyFrame(is bool) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: uint32(extended.UploadOnly), Bits: extended.AppendUploadOnly(nil, is)}
}

// What we want is said by the message to who takes that, by a handshake to
// others, and once.
func TestUploadOnlyIsSaidOnce(t *testing.T) {
	for name, takes := range map[string]bool{"by the message": true, "by handshakes": false} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			e := &s.extension
			e.spoken = true
			s.introduce()
			if e.said.UploadOnly != extended.Unsaid {
				t.Errorf("claims %v", e.said.UploadOnly)
			}
			if takes {
				e.takes[extended.UploadOnly] = 7
			}
			for _, is := range []bool{true, false, true} {
				s.out = effects{}
				s.setUploadOnly(is)
				s.setUploadOnly(is)
				s.introduce()
				if len(s.out.frames) != 1 {
					t.Fatalf("%d messages", len(s.out.frames))
				}
				sent := s.out.frames[0].Frame
				var got bool
				var err error
				if takes {
					got, err = extended.ParseUploadOnly(sent.Bits)
				} else {
					var h extended.Handshake
					h, err = extended.ParseHandshake(sent.Bits)
					got = h.UploadOnly == extended.Claimed
					if h.UploadOnly == extended.Unsaid {
						t.Error("the handshake says nothing of it")
					}
				}
				if takes != (sent.Index == 7) || got != is || err != nil {
					t.Errorf("number %d: %v, %v, want %v", sent.Index, got, err, is)
				}
			}
		})
	}
}

func TestOthersClaimUploadOnly(t *testing.T) {
	claim := func(c extended.Claim) frame.Frame { return introduction(extended.Handshake{UploadOnly: c}) }
	s := newTestSession(t)
	for i, step := range []struct {
		frame         frame.Frame
		want, changes bool
	}{
		{claim(extended.Unsaid), false, false},
		{claim(extended.Denied), false, false},
		{claim(extended.Claimed), true, true},
		{claim(extended.Unsaid), true, false},
		{uploadOnlyFrame(true), true, false},
		{uploadOnlyFrame(false), false, true},
		{uploadOnlyFrame(true), true, true},
		{frame.Frame{Kind: frame.Extended, Index: uint32(extended.UploadOnly)}, true, false},
		{frame.Frame{Kind: frame.Interested}, false, true},
		{uploadOnlyFrame(true), true, true}, // the later word holds
		{frame.Frame{Kind: frame.NotInterested}, true, true},
		{claim(extended.Denied), false, true},
	} {
		s.out = effects{}
		s.take(t, step.frame, start)
		if s.flags.UploadOnly != step.want || s.out.flags != step.changes {
			t.Errorf("step %d: %v, changes %v", i, s.flags.UploadOnly, s.out.flags)
		}
	}
}

// Choker and scheduler hear by the flags that the other side wants no more,
// peers as others are to be told.
func TestPeerReportsUploadOnly(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link, ready := s.shake()
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10), UploadOnly: true})
	link.AwaitStart()
	sent := link.AwaitSent()
	for sent.Kind != frame.Extended {
		sent = link.AwaitSent()
	}
	if h, err := extended.ParseHandshake(sent.Bits); err != nil || h.UploadOnly != extended.Claimed {
		t.Errorf("says %v, %v", h.UploadOnly, err)
	}
	link.Receive(introduction(extended.Handshake{UploadOnly: extended.Claimed}))
	if m := stage.Await[*messages.PeerIntroduced](s.peers); !m.Seed {
		t.Error("peers takes it for one that wants pieces")
	}
	for !stage.Await[*messages.PeerRates](s.scheduler).Flags.UploadOnly {
	}
}
