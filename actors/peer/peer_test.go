package peer

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/lab/stage"
	"kouzui/actors/world/fake"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

var (
	addr   = netip.MustParseAddrPort("127.0.0.2:6881")
	remote = [20]byte{'r'}
)

// scene is a peer among probes.
type scene struct {
	*stage.Stage
	torrent                                  *metainfo.Torrent
	peers, scheduler, choker, store, limiter *stage.Probe
	session                                  *stage.Probe
	config                                   Config
}

func newScene(t *testing.T, limits messages.SetLimits) *scene {
	s := prepare(t, limits)
	s.Perform(func() actor.Actor { return New(s.config) })
	return s
}

// prepare makes a scene whose peer has not begun.
func prepare(t *testing.T, limits messages.SetLimits) *scene {
	s := &scene{Stage: stage.New(t)}
	s.torrent, _ = stage.Torrent(t, 10*4*blockSize, 4*blockSize)
	s.peers, s.scheduler, s.choker = s.StartProbe("peers"), s.StartProbe("scheduler"), s.StartProbe("choker")
	s.store, s.limiter, s.session = s.StartProbe("store"), s.StartProbe("limiter"), s.StartProbe("session")
	s.config = Config{
		Queue: usualQueue,
		World: s.World.World(), InfoHash: s.torrent.InfoHash, Self: [20]byte{'s'}, Client: "Kouzui test", Port: 6882, Key: 1, Addr: addr, Limits: limits,
		Refs: messages.Refs{
			Peers: s.peers.PID, Scheduler: s.scheduler.PID, Choker: s.choker.PID, Store: s.store.PID, Limiter: s.limiter.PID,
			Session: s.session.PID,
		},
	}
	return s
}

// meet answers the dial, exchanges handshakes, and starts the session.
func (s *scene) meet(have ...uint) *fake.Link {
	link := s.World.Network.AwaitDial().Connect()
	link.AwaitHandshake()
	link.Handshake(frame.Handshake{InfoHash: s.torrent.InfoHash, PeerID: remote})
	ready := stage.Await[*messages.PeerReady](s.peers)
	set := bitset.New(uint(s.torrent.PieceCount()))
	for _, i := range have {
		set.Set(i)
	}
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: set})
	link.AwaitStart()
	return link
}

func TestPeerDownloads(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.meet()
	link.Receive(frame.Frame{Kind: frame.Bitfield, Bits: []byte{0xff, 0xc0}}, frame.Frame{Kind: frame.Unchoke})
	if has := stage.Await[*messages.PeerBitfield](s.scheduler); has.Have.Count() != 10 {
		t.Fatalf("%d pieces", has.Have.Count())
	}
	if turned := stage.Await[*messages.PeerChoking](s.scheduler); turned.Choking || turned.Window != minWindow {
		t.Fatalf("%+v", turned)
	}
	s.Tell(&messages.SetInterested{Interested: true})
	if sent := link.AwaitSent(); sent.Kind != frame.Interested {
		t.Fatalf("sent %v", sent.Kind)
	}
	s.Tell(&messages.RequestBlocks{Blocks: []messages.Block{block(0), block(1)}})
	for i := range 2 {
		sent := link.AwaitSent()
		if sent.Kind != frame.Request || blockOf(&sent.Frame) != block(i) {
			t.Fatalf("sent %+v", sent.Frame)
		}
	}
	pool := buffer.NewPool(10)
	link.Receive(pieceFrame(pool, block(0)), pieceFrame(pool, block(1)))
	stored := stage.Await[*messages.StoreBlocks](s.store)
	arrived := stage.Await[*messages.BlocksArrived](s.scheduler)
	if len(stored.Blocks) != 2 || len(arrived.Blocks) != 2 || arrived.Window != minWindow+2 {
		t.Fatalf("stored %d, arrived %d, window %d", len(stored.Blocks), len(arrived.Blocks), arrived.Window)
	}
	link.AwaitDone()
}

func TestPeerUploads(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.meet(0, 1)
	if sent := link.AwaitSent(); sent.Kind != frame.Bitfield || sent.Bits[0] != 0xc0 {
		t.Fatalf("sent %v %x", sent.Kind, sent.Bits)
	}
	s.Tell(&messages.SetChoked{Choked: false})
	if sent := link.AwaitSent(); sent.Kind != frame.Unchoke {
		t.Fatalf("sent %v", sent.Kind)
	}
	link.Receive(frame.Frame{Kind: frame.Request, Index: 1, Begin: blockSize, Length: blockSize})
	ask := stage.Await[*messages.QueryServable](s.store)
	s.Tell(&messages.PiecesServable{Link: ask.Link, Pieces: ask.Pieces, Runs: []messages.PieceRun{{From: 0, To: 2}}})
	sent := link.AwaitSent()
	if sent.Kind != frame.Piece || sent.Offset != s.torrent.PieceLength+blockSize || sent.Length != blockSize {
		t.Fatalf("sent %+v at %d", sent.Frame, sent.Offset)
	}
	link.Receive(frame.Frame{Kind: frame.Request, Length: blockSize}) // piece 0 is leased too
	if sent = link.AwaitSent(); sent.Kind != frame.Piece || sent.Index != 0 {
		t.Fatalf("sent %+v", sent.Frame)
	}
}

// The scheduler hears at once when the other side has asked for all that a
// super-seed has told it of, by the bitfield and later.
func TestPeerReportsWhenAllIsAskedFor(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.World.Network.AwaitDial().Connect()
	link.AwaitHandshake()
	link.Handshake(frame.Handshake{InfoHash: s.torrent.InfoHash, PeerID: remote})
	ready := stage.Await[*messages.PeerReady](s.peers)
	s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10).Set(1), SuperSeed: true})
	link.AwaitStart()
	s.Tell(&messages.SetChoked{Choked: false})
	s.Tell(&messages.AnnounceHave{Pieces: []uint32{2}})
	link.Receive(frame.Frame{Kind: frame.Request, Index: 1, Length: blockSize}, frame.Frame{Kind: frame.Request, Index: 2, Length: blockSize})
	for stage.Await[*messages.PeerRates](s.scheduler).Asked != 2 {
		// at the start, and when it was unchoked
	}
}

// What sending costs is passed on to the session, for its metrics.
func TestPeerTellsWhatSendingCosts(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.meet()
	s.Tell(&messages.SendingMeasured{Link: link.ID(), Chosen: "copied", Sendfile: 3, Copied: 2})
	if m := stage.Await[*messages.SendingMeasured](s.session); m.Chosen != "copied" || m.Copied != 2 {
		t.Errorf("%+v", m)
	}
}

// A peer that knows the extension protocol is told, after the bitfield, how
// many requests we queue (BEP 10). Others are told nothing.
func TestPeerExtends(t *testing.T) {
	for _, extends := range []bool{true, false} {
		t.Run(fmt.Sprint(extends), func(t *testing.T) {
			s := newScene(t, messages.SetLimits{})
			link := s.World.Network.AwaitDial().Connect()
			if ours := link.AwaitHandshake(); !ours.Has(frame.FeatureExtensions) {
				t.Error("it does not offer the extension protocol")
			}
			h := frame.Handshake{InfoHash: s.torrent.InfoHash, PeerID: remote}
			if extends {
				h.Offer(frame.FeatureExtensions)
			}
			link.Handshake(h)
			ready := stage.Await[*messages.PeerReady](s.peers)
			s.Tell(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(10).Set(0)})
			if sent := link.AwaitSent(); sent.Kind != frame.Bitfield {
				t.Errorf("sends %v first", sent.Kind)
			}
			s.Tell(&messages.SetInterested{Interested: true})
			sent := link.AwaitSent()
			if !extends {
				if sent.Kind != frame.Interested {
					t.Errorf("sends %v to who does not know it", sent.Kind)
				}
				return
			}
			got, err := extended.ParseHandshake(sent.Bits)
			want := extended.Handshake{
				Offers: extended.Ours(extended.UploadOnly, extended.DontHave),
				Client: "Kouzui test", Requests: maxUploads, Port: 6882, YourIP: addr.Addr(),
			}
			if sent.Kind != frame.Extended || sent.Index != extended.HandshakeID || err != nil || got != want {
				t.Errorf("sends %v: %+v, %v", sent.Kind, got, err)
			}
			if limits := link.AwaitStart(); limits.Extended != extended.MaxLen {
				t.Errorf("takes messages of %d bytes", limits.Extended)
			}
		})
	}
}

func TestPeerBuysTokensWhenLimited(t *testing.T) {
	s := newScene(t, messages.SetLimits{Down: 1000, Up: 1000})
	link := s.meet(0)
	link.AwaitSent() // bitfield
	link.Receive(frame.Frame{Kind: frame.Unchoke})
	stage.Await[*messages.PeerChoking](s.scheduler)
	s.Tell(&messages.RequestBlocks{Blocks: []messages.Block{block(0), block(1)}})
	if want := stage.Await[*messages.TokensWanted](s.limiter); want.Direction != messages.Down || want.Bytes != 2*blockSize {
		t.Fatalf("wants %+v", want)
	}
	s.Tell(&messages.TokensGranted{Direction: messages.Down, Bytes: blockSize + 1})
	if sent := link.AwaitSent(); sent.Kind != frame.Request {
		t.Fatalf("sent %v", sent.Kind)
	}
	if want := stage.Await[*messages.TokensWanted](s.limiter); want.Bytes != blockSize-1 {
		t.Fatalf("then wants %d", want.Bytes)
	}
	s.Tell(&messages.SetChoked{Choked: false})
	link.Receive(frame.Frame{Kind: frame.Request, Length: blockSize})
	ask := stage.Await[*messages.QueryServable](s.store)
	s.Tell(&messages.PiecesServable{Link: ask.Link, Pieces: ask.Pieces, Runs: []messages.PieceRun{{From: 0, To: 1}}})
	if want := stage.Await[*messages.TokensWanted](s.limiter); want.Direction != messages.Up || want.Bytes != blockSize {
		t.Fatalf("wants %+v", want)
	}
	if sent := link.AwaitSent(); sent.Kind != frame.Unchoke {
		t.Fatalf("sent %v", sent.Kind)
	}
	s.Tell(&messages.SetLimits{}) // the limits are lifted
	if sent := link.AwaitSent(); sent.Kind != frame.Request {
		t.Fatalf("sent %v", sent.Kind)
	}
	if sent := link.AwaitSent(); sent.Kind != frame.Piece {
		t.Fatalf("sent %v", sent.Kind)
	}
}

func TestPeerComesBackWithoutItsConnection(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	old := s.meet()
	s.Crash()
	if gone := stage.Await[*messages.PeerGone](s.scheduler); gone.Reason != messages.GoneFailed || gone.Link != old.ID() {
		t.Fatalf("%+v", gone)
	}
	old.AwaitClose()
	link := s.meet()
	link.Receive(frame.Frame{Kind: frame.Unchoke})
	stage.Await[*messages.PeerChoking](s.scheduler)
}

func TestPeerEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*scene)
		want messages.GoneReason
	}{
		"dial fails":                      {func(s *scene) { s.World.Network.AwaitDial().Fail(errors.New("refused")) }, messages.GoneDial},
		"wrong info hash, and no peer id": {func(s *scene) { s.World.Network.AwaitDial().Connect().HandshakeStart(frame.Handshake{}) }, messages.GoneHandshake},
		"wrong info hash":                 {func(s *scene) { s.World.Network.AwaitDial().Connect().Handshake(frame.Handshake{}) }, messages.GoneHandshake},
		"cut off before its handshake":    {func(s *scene) { s.World.Network.AwaitDial().Connect().Close(io.EOF) }, messages.GoneCut},
		"closed by the other":             {func(s *scene) { s.meet().Close(io.EOF) }, messages.GoneClosed},
		"bad frame":                       {func(s *scene) { s.meet().Receive(frame.Frame{Kind: frame.Have, Index: 99}) }, messages.GoneProtocol},
		"told to":                         {func(s *scene) { s.Tell(&messages.Disconnect{Reason: messages.GoneUseless}) }, messages.GoneUseless},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, messages.SetLimits{})
			c.do(s)
			if gone := stage.Await[*messages.PeerGone](s.peers); gone.Reason != c.want {
				t.Errorf("gone: %v, want %v", gone.Reason, c.want)
			}
		})
	}
}

// Blocks in a batch behind a frame that ends the connection are released.
func TestPeerEndsAndReleasesWhatCameBehind(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.meet()
	pool := buffer.NewPool(100)
	var frames []frame.Frame
	for range maxUnasked + 10 {
		frames = append(frames, pieceFrame(pool, block(7)))
	}
	link.Receive(frames...)
	stage.Await[*messages.PeerGone](s.scheduler)
	link.AwaitClose()
	if live := pool.Stats().Live; live != 0 {
		t.Errorf("%d blocks are not released", live)
	}
}

// A connection over which nothing moves sets its timer for the next keep-alive,
// and ticks every second again as soon as something is requested.
func TestPeerSleeps(t *testing.T) {
	s := newScene(t, messages.SetLimits{})
	link := s.meet()
	s.Settle()
	sent := len(link.Sent())
	next := func() time.Duration {
		t.Helper()
		s.Settle()
		d, ok := s.World.Clock.Next()
		if !ok {
			t.Fatal("no timer")
		}
		return d
	}
	s.World.Clock.Advance(tickBusy)
	const mine = keepAlive - time.Second // of the peer with key 1
	if d := next(); d != mine-tickBusy {
		t.Errorf("sleeps for %v", d)
	}
	s.World.Clock.Advance(mine - tickBusy)
	s.Settle()
	if all := link.Sent(); len(all) != sent+1 || all[sent].Kind != frame.KeepAlive {
		t.Fatalf("sent %v", all[sent:])
	}
	link.Receive(frame.Frame{Kind: frame.Unchoke})
	s.Tell(&messages.RequestBlocks{Blocks: []messages.Block{block(0)}})
	if d := next(); d != tickBusy {
		t.Errorf("with a request under way it sleeps for %v", d)
	}
	for range int(snubAfter/tickIdle) + 1 {
		s.World.Clock.Advance(tickIdle)
		s.Settle()
	}
	if m := stage.Await[*messages.RequestsDropped](s.scheduler); !m.Snubbed {
		t.Error("a peer that owes a block is not watched")
	}
}
