package lab

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors/world/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const crowd = `
name = "a small crowd"
content = "3 MiB"
piece = "64 KiB"

[[class]]
name = "seed"
up = "1 MiB"
delay = "20ms"
have = 1.0

[[class]]
name = "leech"
count = 5
up = "512 KiB"
down = "2 MiB"
delay = "20ms"
jitter = "5ms"
loss = 0.01
disk = { rate = "50 MiB", latency = "2ms" }
within = "20s"
faults = ["panic,actor=*/engine/scheduler,at=25s", "panic,actor=*/peer-*,every=3s,for=20s"]

[[event]]
at = "15s"
do = "kill"
class = "leech"
count = 1
`

// The same seed gives the same run, however many processors there are; another
// seed gives another run.
func TestARunCanBeRepeated(t *testing.T) {
	play := func(seed uint64, j *sim.Journal) *Result {
		s, err := Read(crowd)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(s, Options{Seed: seed, Journal: j, Notes: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range r.Wrong {
			t.Error(err)
		}
		return r
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	first := sim.NewJournal(true)
	one := play(1, first)
	runtime.GOMAXPROCS(4)
	again := first.Against()
	if two := play(1, again); two.Sum != one.Sum {
		t.Errorf("two runs of one seed differ: %s", again.Parted())
	}
	if other := play(2, sim.NewJournal(false)); other.Sum == one.Sum {
		t.Error("another seed gives the same run")
	}
	t.Logf("sum %x, %d messages, %v, %v, bound %v, times %v, %d restarts", one.Sum, one.Messages, one.Virtual, one.Real, one.Bound(), one.Times(), one.Total().Restarts)
}

// An event with Every happens again and again while any node is not complete.
func TestEventsRepeat(t *testing.T) {
	s := &Scenario{
		Content: 1 << 20, Piece: 64 << 10,
		Class: []Class{{Name: "seed", Have: 1, Up: 32 << 10}, {Name: "leech"}},
		Event: []Event{{At: Time(time.Second), Every: Time(5 * time.Second), Do: "kill", Class: "leech", For: Time(time.Second)}},
	}
	r, err := Run(s, Options{Seed: 1})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(err, r.Wrong)
	}
	kills := 0
	for _, m := range r.Marks {
		if m.What == "kill" {
			kills++
		}
	}
	took := r.Times()[0]
	if want := 1 + int((took-time.Second)/(5*time.Second)); kills != want {
		t.Errorf("killed %d times in %v, want %d", kills, took, want)
	}
}

// A run that is stopped ends soon, with all that runs in it.
func TestStop(t *testing.T) {
	stop := make(chan struct{})
	s, err := Read("content = \"1 MiB\"\n[[class]]\nname = \"peer\"\nhave = 1.0\nup = \"1 KiB\"\n[[class]]\nname = \"leech\"\n")
	if err != nil {
		t.Fatal(err)
	}
	const begins, ends = 500, 200 // messages until it is stopped, and then at most
	handled := 0
	count := func(_ *Inside, m *sim.Moment) {
		if handled++; handled == begins {
			close(stop)
		}
	}
	if r, err := Run(s, Options{Seed: 1, Stop: stop, Pause: count}); !errors.Is(err, ErrStopped) {
		t.Errorf("%v, %v", r, err)
	}
	if handled > begins+ends {
		t.Errorf("stopped after %d messages, and over after %d", begins, handled)
	}
	handled = 0
	if r, err := Run(s, Options{Seed: 1, Stop: stop, Pause: count}); !errors.Is(err, ErrStopped) || handled > 0 {
		t.Errorf("%v, %v after %d messages", r, err, handled)
	}
}

// What is still on a slow link when everybody is complete is waited for.
func TestQuickWaitsForSlowLinks(t *testing.T) {
	s, err := Read(`content = "512 KiB"
piece = "64 KiB"
[[class]]
name = "seed"
have = 1.0
up = "256 KiB"
[[class]]
name = "peer"
count = 3
up = "32 KiB"
within = "2s"
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(s, Options{Seed: 5, Quick: true})
	if err != nil || len(r.Wrong) > 0 {
		t.Error(r.Wrong, err)
	}
}

// At the end of a run that is open, nobody need be complete, and nobody comes
// any more.
func TestUntil(t *testing.T) {
	s, err := Read(`content = "1 MiB"
piece = "64 KiB"
until = "20s"
[[class]]
name = "seed"
have = 1.0
up = "16 KiB"
[[class]]
name = "peer"
count = 20
within = "40s"
leave = "complete"
[[event]]
at = "15s"
do = "kill"
for = "10s"
class = "peer"
count = 2
[[event]]
at = "30s"
do = "tracker"
for = "1s"
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(s, Options{Seed: 5})
	if err != nil || len(r.Wrong) > 0 {
		t.Error(r.Wrong, err)
	}
	last := r.Samples[len(r.Samples)-1]
	if last.At > 20*time.Second || last.Nodes < 4 || last.Nodes > 18 || last.Complete > 1 {
		t.Errorf("%+v", last)
	}
	for _, m := range r.Marks {
		if m.At > 20*time.Second {
			t.Errorf("%+v", m)
		}
	}
}

// Who lingers seeds for that time after it is complete.
func TestLinger(t *testing.T) {
	s, err := Read(`content = "256 KiB"
piece = "64 KiB"
[[class]]
name = "seed"
have = 1.0
[[class]]
name = "peer"
count = 2
up = "64 KiB"
leave = "complete"
linger = "20s"
`)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(s, Options{Seed: 1})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(r.Wrong, err)
	}
	left := 0
	for _, m := range r.Marks {
		if m.What != "leave" {
			continue
		}
		left++
		for _, n := range r.Nodes {
			if stayed := m.At - n.Arrived - n.Took; n.Name == m.Node && (stayed < 20*time.Second || stayed > 22*time.Second) {
				t.Errorf("%s stayed for %v", n.Name, stayed)
			}
		}
	}
	if left != 2 {
		t.Errorf("%d left", left)
	}
}
