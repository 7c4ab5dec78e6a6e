package web

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// scene is the core of a web seed, whose server and neighbours are the test.
type scene struct {
	*seed
	t    *testing.T
	keys messages.PeerKey
}

// at is a PID by which messages are told apart.
func at(name string) *actor.PID { return actor.NewPID("test", name) }

func newScene(t *testing.T, torrent *metainfo.Torrent, limits messages.SetLimits) *scene {
	s := &scene{t: t}
	torrent.WebSeeds = []string{"http://seed.example/pub/"}
	refs := messages.Refs{Torrent: at("torrent"), Scheduler: at("scheduler"), Store: at("store"), Choker: at("choker"), Limiter: at("limiter")}
	s.seed = newSeed(Config{
		Torrent: torrent, Limits: limits, Pool: buffer.NewPool(4), NextKey: func() messages.PeerKey { s.keys++; return s.keys },
	}, addresses{refs, at("web")}, rand.New(rand.NewPCG(1, 2)), time.Unix(1e9, 0))
	s.now = time.Unix(1e9, 0)
	s.started()
	s.heard()
	return s
}

// heard takes what was said and done since the last time.
func (s *scene) heard() (said []any) {
	s.out.Flush(func(_ *actor.PID, m any) { said = append(said, m) })
	s.out = actions{}
	return said
}

// begin brings the scene to where blocks are asked for.
func (s *scene) begin() {
	s.t.Helper()
	s.startFetching()
	s.join()
}

func (s *scene) join() {
	s.t.Helper()
	ready := one[*messages.PeerReady](s.t, s.heard())
	s.startSession(&messages.StartSession{Link: ready.Link, Torrent: s.torrent, Have: bitset.New(uint(s.torrent.PieceCount()))})
	one[*messages.PeerChoking](s.t, s.heard())
}

// bring brings the next n chunks of the range under way.
func (s *scene) bring(r *world.FetchRange, from, n int) {
	for _, length := range r.Chunks[from : from+n] {
		b := s.pool.Get()
		b.SetLen(length)
		s.fetched(s.fetch, []*buffer.Block{b})
	}
}

// one is the only message of its type.
func one[T any](t *testing.T, said []any) (found T) {
	t.Helper()
	n := 0
	for _, m := range said {
		if is, ok := m.(T); ok {
			found = is
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d of %T among %T", n, found, said)
	}
	return found
}

func has[T any](said []any) bool {
	return slices.ContainsFunc(said, func(m any) bool { _, is := m.(T); return is })
}

// torrentOf has files of these lengths, one after the other; one of length
// below 0 is padding.
func torrentOf(t *testing.T, pieceLength int64, lengths ...int64) *metainfo.Torrent {
	spec := metainfo.Spec{Name: "name", PieceLength: pieceLength}
	total := int64(0)
	for i, n := range lengths {
		f := metainfo.FileSpec{Path: []string{string(rune('a' + i))}, Length: max(n, -n), Padding: n < 0}
		total += f.Length
		spec.Files = append(spec.Files, f)
	}
	spec.Pieces = make([]byte, (total+pieceLength-1)/pieceLength*20)
	raw, err := metainfo.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	torrent, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return torrent
}

// blocksOf is all blocks of some pieces.
func blocksOf(t *metainfo.Torrent, pieces ...uint32) (blocks []messages.Block) {
	for _, piece := range pieces {
		size := uint32(t.PieceSize(int(piece)))
		for begin := uint32(0); begin < size; begin += buffer.Size {
			blocks = append(blocks, messages.Block{Piece: piece, Begin: begin, Length: min(buffer.Size, size-begin)})
		}
	}
	return blocks
}

const kib = 1 << 10

func TestBlocksGoToTheStore(t *testing.T) {
	torrent := torrentOf(t, 32*kib, 100*kib)
	s := newScene(t, torrent, messages.SetLimits{})
	s.begin()
	s.request(blocksOf(torrent, 0, 1))
	r := s.out.ask
	if r == nil || r.URL != "http://seed.example/pub/name/a" || r.Offset != 0 || r.Length() != 64*kib || r.Size != 100*kib {
		t.Fatalf("it asks for %+v", r)
	}
	s.heard()
	s.bring(r, 0, 2)
	said := s.heard()
	if !has[*messages.StoreBlocks](said) || !has[*messages.BlocksArrived](said) || !one[*messages.WebSeedChanged](t, said).Serving {
		t.Errorf("it says %T", said)
	}
	s.request(blocksOf(torrent, 2)) // waits until the run has ended
	if s.out.ask != nil {
		t.Error("it asks for two ranges at a time")
	}
	s.bring(r, 2, 2)
	s.fetchEnded(s.fetch, nil)
	if r := s.out.ask; r == nil || r.Offset != 64*kib {
		t.Errorf("then it asks for %+v", r)
	}
}

// A server that fails is left alone, longer each time, unless it has brought
// something; and for as long as it asks for.
func TestAServerThatFailsIsLeftAlone(t *testing.T) {
	torrent := torrentOf(t, 32*kib, 320*kib)
	s := newScene(t, torrent, messages.SetLimits{})
	s.begin()
	broken := &world.FetchError{Outcome: world.FetchBroken, Err: errors.New("refused")}
	pause := func(err error, bring int) time.Duration {
		t.Helper()
		s.request(blocksOf(torrent, 0))
		r := s.out.ask
		s.heard()
		s.bring(r, 0, bring)
		s.fetchEnded(s.fetch, err)
		said := s.heard()
		one[*messages.WebSeedChanged](t, slices.DeleteFunc(said, func(m any) bool { c, is := m.(*messages.WebSeedChanged); return is && c.Serving }))
		if s.request(blocksOf(torrent, 1)); s.out.ask != nil || !s.due().Equal(s.until) {
			t.Fatal("it does not rest")
		}
		rest := s.until.Sub(s.now)
		s.now = s.until
		s.wake()
		s.join()
		return rest
	}
	within := func(d, least time.Duration) {
		t.Helper()
		if d < least || d > least+least/4 {
			t.Errorf("it rests for %v, want %v and up to a quarter more", d, least)
		}
	}
	for least := firstPause; least < lastPause; least *= 2 {
		within(pause(broken, 0), least)
	}
	within(pause(broken, 0), lastPause)
	within(pause(broken, 1), firstPause) // of what breaks off something has come
	within(pause(broken, 0), 2*firstPause)
	if d := pause(&world.FetchError{Outcome: world.FetchBusy, After: 20 * time.Minute, Err: errors.New("503")}, 0); d != 20*time.Minute {
		t.Errorf("it rests for %v in place of 20 minutes", d)
	}
	if d := pause(&world.FetchError{Outcome: world.FetchBusy, After: 20 * time.Hour, Err: errors.New("503")}, 0); d != maxAsked {
		t.Errorf("it rests for %v, at most %v are wanted", d, maxAsked)
	}
}

func TestASilentServerIsCutOff(t *testing.T) {
	torrent := torrentOf(t, 32*kib, 64*kib)
	s := newScene(t, torrent, messages.SetLimits{})
	s.begin()
	s.request(blocksOf(torrent, 0, 1))
	r := s.out.ask
	s.heard()
	s.now = s.now.Add(patience - time.Second)
	s.bring(r, 0, 1)
	s.heard()
	s.now = s.now.Add(patience - time.Second)
	if s.wake(); s.phase != serving {
		t.Fatal("it is cut off although it sends")
	}
	s.now = s.now.Add(time.Second)
	s.wake()
	if !s.out.cancel || s.phase != resting {
		t.Errorf("cancel %v, phase %v", s.out.cancel, s.phase)
	}
	if !has[*messages.PeerGone](s.heard()) {
		t.Error("the scheduler is not told")
	}
}

// What is of no use is given up: for good, and once.
func TestAServerOfNoUseIsGivenUp(t *testing.T) {
	for name, give := range map[string]func(*scene){
		"useless": func(s *scene) {
			s.fetchEnded(s.fetch, &world.FetchError{Outcome: world.FetchUseless, Err: errors.New("why")})
		},
		"a lie": func(s *scene) { s.lied("why") },
		"all is 404": func(s *scene) {
			s.fetchEnded(s.fetch, &world.FetchError{Outcome: world.FetchMissing, Err: errors.New("why")})
		},
	} {
		torrent := torrentOf(t, 32*kib, 64*kib)
		s := newScene(t, torrent, messages.SetLimits{})
		s.begin()
		s.request(blocksOf(torrent, 0))
		s.heard()
		give(s)
		end, stop := s.out.end, s.out.cancel || s.transfer == nil
		said := s.heard()
		changed := one[*messages.WebSeedChanged](t, said)
		if !end || !stop || !changed.GivenUp || !strings.Contains(changed.Err.Error(), "why") || !has[*messages.PeerGone](said) {
			t.Errorf("%s: end %v, %+v, it says %T", name, end, changed, said)
		}
	}
}

// A file that the server does not have takes its pieces with it, and what was
// wanted of others is asked for.
func TestAMissingFile(t *testing.T) {
	torrent := torrentOf(t, 32*kib, 48*kib, 48*kib) // pieces 0, 1, 2; 1 is of both
	s := newScene(t, torrent, messages.SetLimits{})
	s.begin()
	s.request(blocksOf(torrent, 0, 1, 2))
	if r := s.out.ask; r.URL != "http://seed.example/pub/name/a" {
		t.Fatalf("it asks for %s", r.URL)
	}
	s.heard()
	s.fetchEnded(s.fetch, &world.FetchError{Outcome: world.FetchMissing, Err: errors.New("404")})
	r := s.out.ask
	said := s.heard()
	if lost := one[*messages.PeerDontHave](t, said).Pieces; !slices.Equal(lost, []uint32{0, 1}) {
		t.Errorf("it lacks %v", lost)
	}
	if dropped := one[*messages.RequestsDropped](t, said).Blocks; !slices.Equal(dropped, blocksOf(torrent, 0, 1)) {
		t.Errorf("it drops %v", dropped)
	}
	if r == nil || r.URL != "http://seed.example/pub/name/b" || r.Offset != 16*kib || r.Length() != 32*kib {
		t.Errorf("it asks for %+v", r)
	}
}

// What is cancelled does not go to the store; a run of which nothing is wanted
// any more ends.
func TestCancelledBlocks(t *testing.T) {
	torrent := torrentOf(t, 64*kib, 128*kib)
	s := newScene(t, torrent, messages.SetLimits{})
	s.begin()
	blocks := blocksOf(torrent, 0)
	s.request(blocks)
	r := s.out.ask
	s.heard()
	s.cancelBlocks(blocks[:1])
	s.bring(r, 0, 2)
	if stored := one[*messages.StoreBlocks](t, s.heard()).Blocks; len(stored) != 1 || stored[0].Block != blocks[1] || s.wasted != buffer.Size {
		t.Errorf("%d blocks are stored, %d bytes wasted", len(stored), s.wasted)
	}
	s.request(blocksOf(torrent, 1))
	s.cancelBlocks(blocks[2:])
	if !s.out.cancel || s.out.ask == nil || s.out.ask.Offset != 64*kib {
		t.Errorf("cancel %v, it asks for %+v", s.out.cancel, s.out.ask)
	}
	if s.fetched(s.fetch-1, []*buffer.Block{s.pool.Get()}); s.transfer.at != 0 {
		t.Error("what comes of the run before is taken")
	}
}

// Nothing is asked for before the limiter has granted it.
func TestFetchingKeepsToTheRate(t *testing.T) {
	torrent := torrentOf(t, 64*kib, 256*kib)
	s := newScene(t, torrent, messages.SetLimits{Down: 128 * kib})
	s.begin()
	s.request(blocksOf(torrent, 0, 1))
	if wanted := one[*messages.TokensWanted](t, s.heard()); wanted.Bytes != 32*kib || s.out.ask != nil {
		t.Fatalf("it wants %d bytes", wanted.Bytes)
	}
	s.granted(&messages.TokensGranted{Bytes: 16 * kib})
	if wanted := one[*messages.TokensWanted](t, s.heard()); wanted.Bytes != 16*kib {
		t.Errorf("then it wants %d bytes", wanted.Bytes)
	}
	if s.granted(&messages.TokensGranted{Bytes: 16 * kib}); s.out.ask == nil || s.out.ask.Length() != 32*kib || s.tokens.left != 0 {
		t.Errorf("it asks for %+v", s.out.ask)
	}
}

// A complete torrent has no use for the web seed, until more is wanted.
func TestDismissedWebSeedsComeBack(t *testing.T) {
	s := newScene(t, torrentOf(t, 64*kib, 256*kib), messages.SetLimits{})
	s.begin()
	s.disconnect(messages.GoneUseless)
	if said := s.heard(); !has[*messages.PeerGone](said) || s.phase != dormant {
		t.Errorf("it says %T", said)
	}
	before := s.key
	s.setWanted()
	if ready := one[*messages.PeerReady](t, s.heard()); ready.Key == before {
		t.Error("two sessions have one key")
	}
}
