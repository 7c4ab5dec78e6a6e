package metadata

import (
	"bytes"
	"container/heap"
	"crypto/sha1"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"pgregory.net/rapid"

	"kouzui/messages"
)

// swarm plays peers against the core, in virtual time.
type swarm struct {
	t interface {
		Helper()
		Fatalf(format string, args ...any)
	}
	core    *sources
	torrent *actor.PID
	info    []byte
	peers   map[string]*member
	due     agenda
	wakeAt  time.Time
	began   time.Time
	found   time.Time // zero: not yet
	last    messages.MetadataProgress
	lied    map[messages.PeerKey]bool
}

// member is a peer of the swarm.
type member struct {
	*behaviour
	key   messages.PeerKey
	pid   *actor.PID
	asked int // parts that have not been answered
	false bool
	spent int // answers
}

// behaviour is how a peer answers. Each answer takes the time of a round trip,
// or of delay.
type behaviour struct {
	name  string
	size  int // what it announces; 0: the truth
	delay time.Duration
	// answer returns a part, or nil for a reject; silent: no answer at all.
	answer func(m *member, part []byte, i int) (data []byte, silent bool)
}

const roundTrip = 50 * time.Millisecond

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type entry struct {
	at time.Time
	n  int
	do func()
}

type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func newSwarm(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, info []byte, seed uint64) *swarm {
	torrent := actor.NewPID("here", "torrent")
	s := &swarm{t: t, torrent: torrent, info: info, peers: map[string]*member{}, began: start, lied: map[messages.PeerKey]bool{}}
	s.core = newSources(sha1.Sum(info), torrent, rand.New(rand.NewPCG(seed, 1)))
	s.core.now = start
	return s
}

func (s *swarm) after(d time.Duration, do func()) {
	heap.Push(&s.due, entry{s.core.now.Add(d), len(s.due), do})
}

// join has a peer offer the info dictionary now.
func (s *swarm) join(b *behaviour) *member {
	key := messages.PeerKey(len(s.peers) + 1)
	m := &member{behaviour: b, key: key, pid: actor.NewPID("here", string(rune('a'+key)))}
	s.peers[m.pid.Id] = m
	size := b.size
	if size == 0 {
		size = len(s.info)
	}
	s.core.offered(&messages.MetadataOffered{Key: key, Peer: m.pid, Size: size})
	s.settle()
	return m
}

// settle does what the core wants done.
func (s *swarm) settle() {
	s.t.Helper()
	due := s.core.proceed()
	if len(s.core.attempts) > maxAttempts {
		s.t.Fatalf("%d attempts", len(s.core.attempts))
	}
	s.core.out.Flush(func(to *actor.PID, message any) {
		switch m := message.(type) {
		case *messages.RequestMetadata:
			s.request(s.peers[to.Id], m.Part)
		case *messages.MetadataLied:
			p := s.peers[to.Id]
			if !p.false {
				s.t.Fatalf("%s is blamed, and has sent nothing wrong", p.name)
			}
			s.lied[p.key] = true
		case *messages.MetadataProgress:
			s.last = *m
		case *messages.MetadataFound:
			if !bytes.Equal(m.Info, s.info) || !s.found.IsZero() {
				s.t.Fatalf("what is found is wrong, or found twice")
			}
			s.found = s.core.now
		}
	})
	if !due.IsZero() && !due.Equal(s.wakeAt) {
		s.wakeAt = due
		if !due.After(s.core.now) {
			s.t.Fatalf("it is to be called again at once")
		}
		s.after(due.Sub(s.core.now), func() {})
	}
}

func (s *swarm) request(p *member, i int) {
	if p.asked++; p.asked > maxAsked {
		s.t.Fatalf("%s is asked for %d parts at once", p.name, p.asked)
	}
	from := i * messages.MetadataPart
	truth := s.info[min(from, len(s.info)):min(from+messages.MetadataPart, len(s.info))]
	data, silent := p.answer(p, slices.Clone(truth), i)
	if silent {
		return
	}
	s.after(max(roundTrip, p.delay), func() {
		p.asked--
		if data == nil {
			s.core.rejected(&messages.MetadataRejected{Key: p.key, Part: i})
			return
		}
		p.false = p.false || !bytes.Equal(data, truth)
		p.spent++
		s.core.arrived(&messages.MetadataArrived{Key: p.key, Part: i, Data: data})
	})
}

// run plays until the info dictionary is found, or for so long.
func (s *swarm) run(most time.Duration) (found bool) {
	s.t.Helper()
	for steps := 0; s.found.IsZero() && len(s.due) > 0; steps++ {
		e := heap.Pop(&s.due).(entry)
		if e.at.Sub(s.began) > most || steps > 2_000_000 {
			return false
		}
		s.core.now = e.at
		e.do()
		s.settle()
	}
	return !s.found.IsZero()
}

// The behaviours of peers.
var (
	truthful = func(_ *member, part []byte, _ int) ([]byte, bool) { return part, false }
	lying    = func(m *member, part []byte, i int) ([]byte, bool) {
		if m.size > 0 {
			part = make([]byte, min(messages.MetadataPart, m.size-i*messages.MetadataPart))
		}
		part[0]++
		return part, false
	}
	rejecting = func(*member, []byte, int) ([]byte, bool) { return nil, false }
	mute      = func(*member, []byte, int) ([]byte, bool) { return nil, true }
	cutting   = func(_ *member, part []byte, _ int) ([]byte, bool) { return part[:len(part)/2], false }
)

// some answers with the truth only for parts of which is tells so.
func some(is func(i int) bool) func(*member, []byte, int) ([]byte, bool) {
	return func(_ *member, part []byte, i int) ([]byte, bool) {
		if is(i) {
			return part, false
		}
		return nil, false
	}
}

func infoOf(size int) []byte {
	info := make([]byte, size)
	rnd := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = rnd.Read(info)
	return info
}

// Of one honest peer all parts are asked for at once.
func TestOneRoundTripForAllParts(t *testing.T) {
	for _, size := range []int{1, messages.MetadataPart, messages.MetadataPart + 1, maxAsked * messages.MetadataPart} {
		s := newSwarm(t, infoOf(size), 1)
		s.join(&behaviour{name: "honest", answer: truthful})
		if !s.run(time.Minute) || s.found.Sub(start) != roundTrip {
			t.Errorf("of %d bytes: found %v after %v", size, !s.found.IsZero(), s.found.Sub(start))
		}
	}
}

// Sizes that cannot be are not even asked for.
func TestAnnouncedSizesAreBounded(t *testing.T) {
	for _, size := range []int{-1, messages.MaxMetadata + 1, 2 << 30} {
		s := newSwarm(t, infoOf(100), 1)
		m := s.join(&behaviour{name: "boaster", size: size, answer: mute})
		if m.asked > 0 || s.last.Peers > 0 {
			t.Errorf("a peer that announces %d bytes is asked", size)
		}
	}
	s := newSwarm(t, infoOf(100), 1)
	m := s.join(&behaviour{name: "boaster", size: messages.MaxMetadata, answer: mute})
	if m.asked != maxAsked || len(s.core.attempts[0].parts) > 0 || cap(s.core.attempts[0].again) > 0 {
		t.Errorf("a peer that announces %d bytes is asked for %d parts, and more is kept than came", m.size, m.asked)
	}
}

// What each kind of peer costs that comes before an honest one.
func TestNobodyKeepsTheDownloadBack(t *testing.T) {
	size := 3*messages.MetadataPart + 5
	for _, row := range []struct {
		behaviour
		most time.Duration // until it is found
		lied bool
	}{
		{behaviour{name: "liar", answer: lying}, 2 * roundTrip, true},
		{behaviour{name: "liar about the size", size: size + 1, answer: lying}, roundTrip, true},
		{behaviour{name: "rejecter", answer: rejecting}, 2 * roundTrip, false},
		{behaviour{name: "cutter", answer: cutting}, 2 * roundTrip, false},
		{behaviour{name: "mute", answer: mute}, hedgeAfter + roundTrip, false},
	} {
		s := newSwarm(t, infoOf(size), 1)
		bad := s.join(&row.behaviour)
		s.join(&behaviour{name: "honest", answer: truthful})
		if !s.run(time.Hour) || s.found.Sub(start) > row.most {
			t.Errorf("with a %s: found %v after %v, want at most %v", row.name, !s.found.IsZero(), s.found.Sub(start), row.most)
		}
		if s.lied[bad.key] != row.lied {
			t.Errorf("the %s is blamed: %v", row.name, s.lied[bad.key])
		}
	}
}

// A peer that was silent, or has rejected, is asked again when it has rested,
// even if there is no other.
func TestTheOnlyPeerIsAskedAgain(t *testing.T) {
	for name, first := range map[string]func(*member, []byte, int) ([]byte, bool){"mute": mute, "rejecting": rejecting} {
		s := newSwarm(t, infoOf(100), 1)
		s.join(&behaviour{name: name, answer: func(m *member, part []byte, i int) ([]byte, bool) {
			if s.core.now.Sub(start) < restFor {
				return first(m, part, i)
			}
			return part, false
		}})
		if most := silentAfter + restFor + roundTrip; !s.run(time.Hour) || s.found.Sub(start) > most {
			t.Errorf("%s: found %v after %v, want at most %v", name, !s.found.IsZero(), s.found.Sub(start), most)
		}
	}
}

// Four peers that send a part now and then, each of another size, take all
// attempts; the fifth has its turn.
func TestDribblersGiveWay(t *testing.T) {
	s := newSwarm(t, infoOf(100_000), 1)
	for i := range 2 * maxAttempts {
		s.join(&behaviour{name: "dribbler", size: 10_000_000 + i*messages.MetadataPart, delay: 2 * time.Second, answer: lying})
	}
	s.join(&behaviour{name: "honest", answer: truthful})
	if !s.run(time.Hour) || s.found.Sub(start) > 3*firstTurn {
		t.Errorf("found %v after %v", !s.found.IsZero(), s.found.Sub(start))
	}
}

// Peers that have a part each share an attempt, and a liar among them is left
// out in the end; only who has lied alone is blamed.
func TestPeersThatHaveSomeShare(t *testing.T) {
	for seed := range uint64(20) {
		s := newSwarm(t, infoOf(20*messages.MetadataPart), seed)
		s.join(&behaviour{name: "even", answer: some(func(i int) bool { return i%2 == 0 })})
		s.join(&behaviour{name: "odd", answer: some(func(i int) bool { return i%2 == 1 })})
		s.join(&behaviour{name: "liar", answer: func(m *member, part []byte, i int) ([]byte, bool) {
			if i%2 == 0 {
				return nil, false // it never sends all alone
			}
			return lying(m, part, i)
		}})
		if !s.run(6 * time.Hour) {
			t.Errorf("seed %d: not found", seed)
		}
		if len(s.lied) > 0 {
			t.Errorf("seed %d: blamed %v, and nobody has sent all", seed, s.lied)
		}
	}
}

// The late, the absent and what was not asked for change nothing.
func TestWhatWasNotAskedForIsIgnored(t *testing.T) {
	s := newSwarm(t, infoOf(100), 1)
	s.core.arrived(&messages.MetadataArrived{Key: 9, Part: 0, Data: s.info})
	m := s.join(&behaviour{name: "mute", answer: mute})
	s.core.arrived(&messages.MetadataArrived{Key: m.key, Part: 5, Data: s.info})
	s.core.rejected(&messages.MetadataRejected{Key: m.key, Part: 5})
	s.core.arrived(&messages.MetadataArrived{Key: 9, Part: 0, Data: s.info})
	s.settle()
	if !s.found.IsZero() || len(s.core.attempts) != 1 {
		t.Error("it was taken")
	}
	s.core.gone(m.key)
	s.settle()
	if len(s.core.all)+len(s.core.attempts) > 0 || s.last != (messages.MetadataProgress{}) {
		t.Errorf("a peer that has gone leaves %+v", s.last)
	}
}

// Whatever else is in the swarm, one honest peer is enough, and only who has
// sent wrong bytes is blamed.
func TestOneHonestPeerIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 9*messages.MetadataPart).Draw(t, "size")
		s := newSwarm(t, infoOf(size), rapid.Uint64().Draw(t, "seed"))
		kinds := []string{"liar", "rejecter", "mute", "cutter", "half", "half liar", "dribbler", "late liar"}
		n := rapid.IntRange(0, 25).Draw(t, "hostile")
		at := rapid.IntRange(0, n).Draw(t, "honest at")
		for i := range n + 1 {
			if i == at {
				s.join(&behaviour{name: "honest", answer: truthful, delay: time.Duration(rapid.IntRange(0, 2000).Draw(t, "delay")) * time.Millisecond})
				continue
			}
			b := &behaviour{name: rapid.SampledFrom(kinds).Draw(t, "kind")}
			if rapid.Bool().Draw(t, "another size") {
				b.size = rapid.IntRange(1, 20*messages.MetadataPart).Draw(t, "announced")
			}
			half := rapid.IntRange(2, 4).Draw(t, "half")
			switch b.name {
			case "liar":
				b.answer = lying
			case "rejecter":
				b.answer = rejecting
			case "mute":
				b.answer = mute
			case "cutter":
				b.answer = cutting
			case "half":
				b.answer = some(func(i int) bool { return i%half == 0 })
			case "half liar":
				b.answer = func(m *member, part []byte, i int) ([]byte, bool) {
					if i%half == 0 {
						return lying(m, part, i)
					}
					return nil, false
				}
			case "dribbler":
				b.answer, b.delay = lying, 9*time.Second
			case "late liar":
				b.answer, b.delay = lying, 15*time.Second
			}
			s.join(b)
		}
		if !s.run(6 * time.Hour) {
			t.Fatalf("not found")
		}
	})
}
