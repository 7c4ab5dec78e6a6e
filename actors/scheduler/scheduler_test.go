package scheduler_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"
	"github.com/google/go-cmp/cmp"

	"kouzui/actors/lab/stage"
	"kouzui/actors/scheduler"
	"kouzui/messages"
)

const pieceLength = 2 * scheduler.BlockSize

// scene is a scheduler of a torrent of four pieces, the last one short, among
// probes.
type scene struct {
	*stage.Stage
	torrent, choker, peers, store *stage.Probe
}

func newScene(t *testing.T) *scene { return newSceneOn(t, stage.New(t)) }

func newSceneOn(t *testing.T, on *stage.Stage) *scene {
	s := &scene{Stage: on}
	s.torrent, s.choker, s.peers, s.store = s.StartProbe("torrent"), s.StartProbe("choker"), s.StartProbe("peers"), s.StartProbe("store")
	torrent, _ := stage.Torrent(t, 3*pieceLength+100, pieceLength)
	s.Perform(func() actor.Actor {
		return scheduler.New(scheduler.Config{
			World:   s.World.World(),
			Torrent: torrent,
			Memory:  1 << 20,
			Picker:  "sequential",
			Refs:    messages.Refs{Torrent: s.torrent.PID, Choker: s.choker.PID, Peers: s.peers.PID, Store: s.store.PID},
		})
	})
	return s
}

func set(members ...uint) *bitset.BitSet {
	b := bitset.New(4)
	for _, m := range members {
		b.Set(m)
	}
	return b
}

// open starts the work with nothing there.
func (s *scene) open() {
	s.Tell(&messages.StoreReady{Have: set()})
	s.wantState(messages.StateStarting)
	s.wantState(messages.StateDownloading)
	s.wantNeeds(true)
}

// wantNeeds checks whether choker and peers are told that pieces are needed.
func (s *scene) wantNeeds(pieces bool) {
	if stage.Next[*messages.SeedingChanged](s.choker).Seeding == pieces || !stage.Next[*messages.SetDialing](s.peers).Dial {
		panic("choker and peers are told wrong")
	}
}

// wantHaves checks which pieces a peer and the torrent are told to be ours.
func (s *scene) wantHaves(t *testing.T, peer *stage.Probe, pieces ...uint32) {
	t.Helper()
	if diff := cmp.Diff(pieces, stage.Next[*messages.AnnounceHave](peer).Pieces); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(pieces, stage.Next[*messages.TorrentPiecesVerified](s.torrent).Pieces); diff != "" {
		t.Error(diff)
	}
}

func (s *scene) wantState(state messages.State) *messages.Progress {
	m := stage.Next[*messages.Progress](s.torrent)
	if m.State != state {
		panic(string("state " + m.State + ", want " + state))
	}
	return m
}

func ready(key messages.PeerKey, p *stage.Probe, link uint64) *messages.PeerReady {
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(key))
	return &messages.PeerReady{Key: key, Peer: p.PID, Link: link, Addr: addr}
}

// join makes p a peer that has these pieces.
func (s *scene) join(key messages.PeerKey, p *stage.Probe, have *bitset.BitSet) {
	s.Tell(ready(key, p, uint64(key)))
	if m := stage.Next[*messages.StartSession](p); m.Link != uint64(key) {
		panic("welcome for another link")
	}
	s.Tell(&messages.PeerBitfield{Key: key, Have: have})
}

func block(piece, i uint32) messages.Block {
	b := messages.Block{Piece: piece, Begin: i * scheduler.BlockSize, Length: scheduler.BlockSize}
	if piece == 3 {
		b.Length = 100
	}
	return b
}

func wantBlocks(t *testing.T, got []messages.Block, want ...messages.Block) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("blocks -want +got:\n%s", diff)
	}
}

func TestDownload(t *testing.T) {
	s := newScene(t)
	early, late := s.StartProbe("early"), s.StartProbe("late")

	s.Tell(ready(1, early, 1))
	s.Tell(&messages.StoreChecking{Done: 1, Total: 4})
	s.wantState(messages.StateStarting)
	if m := s.wantState(messages.StateChecking); m.CheckDone != 1 || m.Why == "" {
		t.Errorf("checking %d, %q", m.CheckDone, m.Why)
	}
	s.Quiet(early) // no StartSession before the store knows what is there
	s.Tell(&messages.StoreReady{Have: set(2)})
	s.wantState(messages.StateDownloading)
	s.wantNeeds(true)
	if m := stage.Next[*messages.StartSession](early); !m.Have.Test(2) || m.Have.Count() != 1 {
		t.Errorf("welcomed with %v", m.Have)
	}
	s.Tell(&messages.PeerBitfield{Key: 1, Have: set(0, 1, 2, 3)})
	if !stage.Next[*messages.SetInterested](early).Interested {
		t.Error("not interested in a seed")
	}
	s.join(2, late, set(2))
	s.Quiet(late)

	s.Tell(&messages.PeerChoking{Key: 1, Window: 4})
	wantBlocks(t, stage.Next[*messages.RequestBlocks](early).Blocks, block(0, 0), block(0, 1), block(1, 0), block(1, 1))
	s.Tell(&messages.BlocksArrived{Key: 1, Blocks: []messages.Block{block(0, 0), block(0, 1)}, Window: 4})
	wantBlocks(t, stage.Next[*messages.RequestBlocks](early).Blocks, block(3, 0))
	s.Tell(&messages.PieceVerified{Piece: 0})
	s.Settle()
	s.Quiet(early, late) // pieces gather
	s.World.Clock.Advance(100 * time.Millisecond)
	s.wantHaves(t, late, 0)
	s.Tell(&messages.BlocksArrived{Key: 1, Blocks: []messages.Block{block(1, 0), block(1, 1), block(3, 0)}, Window: 4})
	s.Tell(&messages.PeerRates{Key: 1, At: s.World.Clock.Now(), DownNow: 1000, UpTotal: 7, WastedTotal: 5})
	s.Tell(&messages.PieceVerified{Piece: 1})
	s.Tell(&messages.PieceVerified{Piece: 3})

	if m := stage.Next[*messages.Disconnect](early); m.Reason != messages.GoneUseless {
		t.Errorf("the seed is dismissed as %v", m.Reason)
	}
	s.wantHaves(t, late, 1, 3)
	if !stage.Next[*messages.SetUploadOnly](late).UploadOnly {
		t.Error("says that more is wanted")
	}
	s.wantNeeds(false)
	m := s.wantState(messages.StateFinishing)
	const came = 2*pieceLength + 100
	if m.Left != 0 || m.Have != m.Length || m.Downloaded != came || m.Uploaded != 7 || m.Wasted != 5 || m.DownNow != 1000 ||
		m.Peers != 2 || m.Seeds != 1 || !m.PeersNeedData || len(m.Top) != 2 || m.Top[0].Key != 1 {
		t.Errorf("progress %+v", m)
	}
	if diff := cmp.Diff([]uint8{255, 255, 255, 255}, m.Map); diff != "" {
		t.Error(diff)
	}
	s.Tell(&messages.StoreFinished{Have: set(0, 1, 2, 3)})
	s.wantState(messages.StateSeeding)
	s.Quiet(early, late)
}

// TestWhoWantsNothingNeedsNothing: a peer that became complete when we did has
// not told us so, and is not interested.
func TestWhoWantsNothingNeedsNothing(t *testing.T) {
	s := newScene(t)
	s.Tell(&messages.StoreReady{Have: set(0, 1, 2, 3), Complete: true})
	s.wantState(messages.StateStarting)
	s.wantState(messages.StateSeeding)
	s.join(1, s.StartProbe("p"), set(0, 1, 2))
	needs := func(want bool) {
		t.Helper()
		var last *messages.Progress
		for range 5 {
			s.World.Clock.Advance(time.Second)
			last = s.wantState(messages.StateSeeding)
		}
		if last.PeersNeedData != want || last.Seeds != 0 || last.Peers != 1 {
			t.Errorf("of %d peers %d are seeds, and they need data: %v", last.Peers, last.Seeds, last.PeersNeedData)
		}
	}
	s.Tell(&messages.PeerRates{Key: 1, At: s.World.Clock.Now(), Flags: messages.PeerFlags{PeerInterested: true}})
	needs(true)
	s.Tell(&messages.PeerRates{Key: 1, At: s.World.Clock.Now()})
	needs(false)
}

func TestCompleteFromTheStart(t *testing.T) {
	s := newScene(t)
	s.Tell(&messages.StoreReady{Have: set(0, 1, 2, 3), Complete: true})
	s.wantState(messages.StateStarting)
	s.wantState(messages.StateSeeding)
	s.wantNeeds(false)
	p := s.StartProbe("p")
	s.join(1, p, set(0, 1, 2, 3))
	stage.Next[*messages.Disconnect](p)
}

// A torrent that seeds and has no peers ticks once in ten seconds, until a peer
// connects.
func TestRest(t *testing.T) {
	s := newScene(t)
	s.Tell(&messages.StoreReady{Have: set(0, 1, 2, 3), Complete: true})
	s.wantState(messages.StateStarting)
	s.wantState(messages.StateSeeding)
	next := func() time.Duration {
		t.Helper()
		s.Settle()
		d, ok := s.World.Clock.Next()
		if n := s.World.Clock.Pending(); !ok || n != 1 {
			t.Fatalf("%d timers", n)
		}
		return d
	}
	s.World.Clock.Advance(next()) // set when nothing was known
	s.wantState(messages.StateSeeding)
	if d := next(); d <= time.Second || d > 10*time.Second {
		t.Errorf("at rest it looks again after %v", d)
	}
	p := s.StartProbe("p")
	s.join(1, p, set(0))
	if d := next(); d > time.Second {
		t.Errorf("with a peer it looks again after %v", d)
	}
	s.Tell(&messages.PeerGone{Key: 1, Link: 1})
	s.World.Clock.Advance(next())
	if m := s.wantState(messages.StateSeeding); m.Peers != 0 {
		t.Errorf("%d peers", m.Peers)
	}
	if d := next(); d <= time.Second {
		t.Errorf("alone again it looks after %v", d)
	}
}

// The blocks that a peer was asked for are asked of others, however it ends.
func TestRequestsAreTakenBack(t *testing.T) {
	for name, end := range map[string]func(s *scene, p *stage.Probe){
		"gone":   func(s *scene, _ *stage.Probe) { s.Tell(&messages.PeerGone{Key: 1, Link: 1}) },
		"dead":   func(s *scene, p *stage.Probe) { s.Stop(p) },
		"choked": func(s *scene, _ *stage.Probe) { s.Tell(&messages.PeerChoking{Key: 1, Choking: true}) },
		"timed out": func(s *scene, _ *stage.Probe) {
			s.Tell(&messages.RequestsDropped{Key: 1, Blocks: []messages.Block{block(0, 0), block(0, 1)}, Window: 1, Snubbed: true})
		},
		"new link": func(s *scene, p *stage.Probe) { s.Tell(ready(1, p, 9)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.open()
			first, second := s.StartProbe("first"), s.StartProbe("second")
			s.join(1, first, set(0))
			s.join(2, second, set(0))
			s.Tell(&messages.PeerChoking{Key: 1, Window: 3})
			s.Tell(&messages.PeerChoking{Key: 2, Window: 3})
			stage.Next[*messages.SetInterested](first)
			wantBlocks(t, stage.Next[*messages.RequestBlocks](first).Blocks, block(0, 0), block(0, 1))
			stage.Next[*messages.SetInterested](second)
			s.Quiet(second)

			s.Tell(&messages.PeerGone{Key: 1, Link: 77}) // of a former link
			s.Quiet(second)
			end(s, first)
			wantBlocks(t, stage.Next[*messages.RequestBlocks](second).Blocks, block(0, 0), block(0, 1))
		})
	}
}

func TestSlowPeerIsHelped(t *testing.T) {
	s := newScene(t)
	s.open()
	slow, quick := s.StartProbe("slow"), s.StartProbe("quick")
	s.join(1, slow, set(3))
	s.join(2, quick, set(3))
	s.Tell(&messages.PeerChoking{Key: 1, Window: 1})
	s.Tell(&messages.PeerChoking{Key: 2, Window: 1})
	stage.Next[*messages.SetInterested](slow)
	stage.Next[*messages.RequestBlocks](slow)
	stage.Next[*messages.SetInterested](quick)
	s.Settle()
	for range 16 {
		s.World.Clock.Advance(250 * time.Millisecond)
		s.Settle()
	}
	wantBlocks(t, stage.Next[*messages.RequestBlocks](quick).Blocks, block(3, 0))
	s.Tell(&messages.BlocksArrived{Key: 2, Blocks: []messages.Block{block(3, 0)}, Window: 1})
	wantBlocks(t, stage.Next[*messages.CancelBlocks](slow).Blocks, block(3, 0))
	s.Tell(&messages.BlocksArrived{Key: 1, Blocks: []messages.Block{block(3, 0)}, Window: 1})
	s.Settle()
	last := s.wantState(messages.StateDownloading)
	for range 3 {
		last = s.wantState(messages.StateDownloading)
	}
	if !strings.Contains(last.Why, "Waiting") {
		t.Errorf("why: %q", last.Why)
	}
	for range 4 {
		s.World.Clock.Advance(250 * time.Millisecond)
		s.Settle()
	}
	if m := s.wantState(messages.StateDownloading); m.Downloaded != 100 || m.Wasted != 100 {
		t.Errorf("downloaded %d, wasted %d", m.Downloaded, m.Wasted)
	}
}

func TestLiarIsBanned(t *testing.T) {
	s := newScene(t)
	s.open()
	p := s.StartProbe("p")
	s.join(1, p, set(0))
	stage.Next[*messages.SetInterested](p)
	q := s.StartProbe("q")
	s.join(2, q, set(0))
	stage.Next[*messages.SetInterested](q)
	s.Tell(&messages.PieceCorrupt{Piece: 0, Contributors: []messages.PeerKey{1, 2}})
	s.Quiet(p, s.peers)
	s.Tell(&messages.BlameProven{Piece: 0, Peers: []messages.PeerKey{1}})
	if m := stage.Next[*messages.BanAddress](s.peers); m.Addr.Port() != 1 || m.Reason == "" {
		t.Errorf("banned %+v", m)
	}
	if m := stage.Await[*messages.PeerBanned](s.torrent); m.Addr.Port() != 1 {
		t.Errorf("the user is told of %+v", m)
	}
	if m := stage.Next[*messages.Disconnect](p); m.Reason != messages.GoneBanned {
		t.Errorf("dismissed as %v", m.Reason)
	}
}

func TestFullDisk(t *testing.T) {
	s := newScene(t)
	s.open()
	p := s.StartProbe("p")
	s.join(1, p, set(0))
	stage.Next[*messages.SetInterested](p)
	s.Tell(&messages.StoreFailed{Err: errors.New("no space left"), Full: true})
	if m := s.wantState(messages.StateDiskFull); !strings.Contains(m.Why, "no space left") {
		t.Errorf("why: %q", m.Why)
	}
	s.Tell(&messages.PeerChoking{Key: 1, Window: 4})
	s.Quiet(p)
	s.Tell(&messages.StoreRecovered{})
	wantBlocks(t, stage.Next[*messages.RequestBlocks](p).Blocks, block(0, 0), block(0, 1))
	s.wantState(messages.StateDownloading)
}
