package peer

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

// theirNumber is by which the other side of these tests takes metadata.
const theirNumber = 77

var theirOffers = extended.Offers{extended.Metadata: {Said: true, Number: theirNumber}}

func introduction(h extended.Handshake) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: extended.HandshakeID, Bits: h.Append(nil)}
}

func metadataFrame(m extended.MetadataMessage) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: uint32(extended.Metadata), Bits: m.Append(nil)}
}

// awaitMetadata waits for the next message about metadata that is sent, which
// goes by their number.
func awaitMetadata(t *testing.T, link *fake.Link) extended.MetadataMessage {
	t.Helper()
	for {
		sent := link.AwaitSent()
		if sent.Kind != frame.Extended || sent.Index == extended.HandshakeID {
			continue
		}
		m, err := extended.ParseMetadata(sent.Bits)
		if sent.Index != theirNumber || err != nil {
			t.Fatalf("number %d, %v", sent.Index, err)
		}
		return m
	}
}

// newAwaiting is a peer that was made before the metainfo was known.
func newAwaiting(t *testing.T) (s *scene, metadata *stage.Probe) {
	s = &scene{Stage: stage.New(t)}
	s.torrent, _ = stage.Torrent(t, 10*4*blockSize, 4*blockSize)
	s.peers, s.scheduler, s.choker = s.StartProbe("peers"), s.StartProbe("scheduler"), s.StartProbe("choker")
	metadata = s.StartProbe("metadata")
	config := Config{
		Queue: usualQueue, World: s.World.World(), InfoHash: s.torrent.InfoHash, Key: 7, Addr: addr, AwaitsMetainfo: true,
		Refs: messages.Refs{Peers: s.peers.PID, Scheduler: s.scheduler.PID, Choker: s.choker.PID, Metadata: metadata.PID},
	}
	s.Perform(func() actor.Actor { return New(config) })
	return s, metadata
}

func (s *scene) shake() (*fake.Link, *messages.PeerReady) {
	link := s.World.Network.AwaitDial().Connect()
	link.AwaitHandshake()
	h := frame.Handshake{InfoHash: s.torrent.InfoHash, PeerID: remote}
	h.Offer(frame.FeatureExtensions)
	h.Offer(frame.FeatureFast)
	link.Handshake(h)
	return link, stage.Await[*messages.PeerReady](s.peers)
}

// Metadata is asked of a peer before its pieces are known, and then its session
// goes on with them.
func TestMetadataIsFetched(t *testing.T) {
	s, metadata := newAwaiting(t)
	link, ready := s.shake()
	if limits := link.AwaitStart(); limits.Pieces != 0 || limits.Extended != extended.MaxLen {
		t.Fatalf("reads with %+v", limits)
	}
	if first := link.AwaitSent(); first.Kind != frame.HaveNone {
		t.Errorf("sends %v first", first.Kind)
	}
	ours, err := extended.ParseHandshake(link.AwaitSent().Bits)
	if err != nil || ours.Offers[extended.Metadata].Number != extended.Number(extended.Metadata) || ours.MetadataSize != 0 {
		t.Errorf("introduces itself by %+v, %v", ours, err)
	}
	link.Receive(frame.Frame{Kind: frame.HaveAll}, introduction(extended.Handshake{Offers: theirOffers, MetadataSize: 20000}))
	offer := stage.Await[*messages.MetadataOffered](metadata)
	if offer.Key != 7 || offer.Size != 20000 {
		t.Fatalf("%+v", offer)
	}
	s.Tell(&messages.QueryMetadataOffers{})
	if again := stage.Await[*messages.MetadataOffered](metadata); *again != *offer {
		t.Errorf("%+v", again)
	}
	for part := range 2 {
		s.Tell(&messages.RequestMetadata{Part: part})
		if asked := awaitMetadata(t, link); asked.Type != extended.MetadataRequest || asked.Part != part {
			t.Fatalf("sends %+v", asked)
		}
	}
	data := bytes.Repeat([]byte("x"), extended.PartSize)
	link.Receive(
		metadataFrame(extended.MetadataMessage{Type: extended.MetadataData, Part: 5, Total: 20000, Data: data}), // which nobody asked for
		metadataFrame(extended.MetadataMessage{Type: extended.MetadataData, Part: 0, Total: 20000, Data: data}),
		metadataFrame(extended.MetadataMessage{Type: extended.MetadataData, Part: 0, Total: 20000, Data: data}), // again
		metadataFrame(extended.MetadataMessage{Type: extended.MetadataReject, Part: 1}),
	)
	if part := stage.Next[*messages.MetadataArrived](metadata); part.Key != 7 || part.Part != 0 || part.Total != 20000 || !bytes.Equal(part.Data, data) {
		t.Errorf("part %d of %d, %d bytes", part.Part, part.Total, len(part.Data))
	}
	if part := stage.Next[*messages.MetadataRejected](metadata); part.Key != 7 || part.Part != 1 {
		t.Errorf("%+v", part)
	}
	s.Settle()
	s.Quiet(s.scheduler, s.choker)

	s.Tell(&messages.SetPublicity{Metadata: true})
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10)})
	if has := stage.Await[*messages.PeerBitfield](s.scheduler); has.Have.Count() != 10 {
		t.Errorf("%d pieces", has.Have.Count())
	}
	again, err := extended.ParseHandshake(link.AwaitSent().Bits)
	if err != nil || again.MetadataSize != len(s.torrent.Info()) {
		t.Errorf("introduces itself again by %+v, %v", again, err)
	}
	link.Close(errReplaced)
	stage.Await[*messages.PeerGone](s.scheduler)
}

// Metadata hears of each peer that it knows when that is gone, and a peer that
// lied is not dialled again.
func TestMetadataHearsWhoIsGone(t *testing.T) {
	s, metadata := newAwaiting(t)
	link, _ := s.shake()
	s.Tell(&messages.RequestMetadata{Part: 3}) // of a peer that has said nothing yet
	if m := stage.Next[*messages.MetadataRejected](metadata); m.Part != 3 {
		t.Errorf("%+v", m)
	}
	link.Receive(introduction(extended.Handshake{Offers: theirOffers, MetadataSize: 1}))
	stage.Await[*messages.MetadataOffered](metadata)
	s.Tell(&messages.MetadataLied{})
	if gone := stage.Next[*messages.MetadataPeerGone](metadata); gone.Key != 7 {
		t.Errorf("%+v", gone)
	}
	if gone := stage.Await[*messages.PeerGone](s.peers); gone.Reason != messages.GoneBanned {
		t.Errorf("%+v", gone)
	}
}

// served is a session whose other side takes metadata, of so many parts.
func served(t *testing.T, public bool) *session {
	s := newTestSession(t)
	s.extension.spoken, s.extension.publicity.Metadata = true, public
	s.take(t, introduction(extended.Handshake{Offers: theirOffers}), start)
	s.introduce()
	s.out = effects{}
	return s
}

func (s *session) answers(t *testing.T, part int, now time.Time) extended.MetadataMessage {
	t.Helper()
	s.take(t, metadataFrame(extended.MetadataMessage{Part: part}), now)
	sent := s.out.frames[len(s.out.frames)-1]
	m, err := extended.ParseMetadata(append(sent.Bits, sent.Tail...))
	if err != nil || sent.Index != theirNumber {
		t.Fatalf("sends %v by the number %d, %v", sent.Kind, sent.Index, err)
	}
	return m
}

func TestMetadataIsServed(t *testing.T) {
	s := served(t, true)
	info := s.torrent.Info()
	for i := range servedAhead {
		if m := s.answers(t, 0, start); m.Type != extended.MetadataData || m.Total != len(info) || !bytes.Equal(m.Data, info) {
			t.Fatalf("time %d: %+v", i, m)
		}
	}
	if m := s.answers(t, 0, start); m.Type != extended.MetadataReject {
		t.Errorf("is served more often than %d times", servedAhead)
	}
	if m := s.answers(t, 0, start.Add(time.Second/servedRate)); m.Type != extended.MetadataData {
		t.Error("is not served later")
	}
	for _, part := range []int{1, 1 << 30} {
		if m := s.answers(t, part, start.Add(time.Hour)); m.Type != extended.MetadataReject || m.Part != part {
			t.Errorf("part %d: %+v", part, m)
		}
	}
	if m := served(t, false).answers(t, 0, start); m.Type != extended.MetadataReject {
		t.Error("serves what is not public")
	}
}

// Who floods us with messages about metadata is cut off.
func TestMetadataFloodsAreBorneForAWhile(t *testing.T) {
	data := extended.MetadataMessage{Type: extended.MetadataData, Data: make([]byte, extended.PartSize)}
	for name, f := range map[string]frame.Frame{
		"requests":            metadataFrame(extended.MetadataMessage{}),
		"parts not there":     metadataFrame(extended.MetadataMessage{Part: 1 << 30}),
		"unasked data":        metadataFrame(data),
		"unasked rejects":     metadataFrame(extended.MetadataMessage{Type: extended.MetadataReject}),
		"unknown types":       metadataFrame(extended.MetadataMessage{Type: 9}),
		"no dictionaries":     {Kind: frame.Extended, Index: uint32(extended.Metadata), Bits: []byte("le")},
		"unknown messages":    {Kind: frame.Extended, Index: 200},
		"extended handshakes": introduction(extended.Handshake{}),
	} {
		s, n := served(t, true), 0
		for ; n <= maxFlood && s.received(&f, start) == nil; n++ {
		}
		if n < 10 || n > maxFlood {
			t.Errorf("%s: %d are borne", name, n)
		}
	}
}

// When the torrent turns out to be private, what was offered is withdrawn.
func TestWhatIsNoLongerPublicIsWithdrawn(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	s.Tell(&messages.SetPublicity{Metadata: true})
	link, ready := s.shake()
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10)})
	next := func() extended.Handshake {
		for {
			if sent := link.AwaitSent(); sent.Kind == frame.Extended {
				h, err := extended.ParseHandshake(sent.Bits)
				if err != nil {
					t.Fatal(err)
				}
				return h
			}
		}
	}
	if h := next(); h.MetadataSize == 0 || h.Offers[extended.Metadata].Number == 0 || h.YourIP != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("%+v", h)
	}
	s.Tell(&messages.SetPublicity{})
	if h := next(); h.MetadataSize != 0 || h.Offers[extended.Metadata] != (extended.Offer{Said: true}) {
		t.Errorf("%+v", h)
	}
}
