package debug

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small has failures, a kill, a partition and a hostile node.
const small = `
name = "small"
content = "512 KiB"
piece = "64 KiB"

[[class]]
name = "seed"
have = 1.0
up = "256 KiB"
delay = "10ms"

[[class]]
name = "leech"
count = 2
up = "256 KiB"
down = "1 MiB"
delay = "10ms"
jitter = "5ms"
disk = { rate = "50 MiB", latency = "2ms" }
faults = ["panic,actor=*/engine/choker,at=1s", "hang,actor=*/engine/peers,at=500ms,time=100ms"]

[[class]]
name = "foe"
hostile = ["a slow seed"]

[[event]]
at = "1500ms"
do = "kill"
class = "leech"
count = 1
for = "1s"
`

// busy is the same on processors that are needed, with shared threads.
const busy = `
name = "busy"
content = "256 KiB"
piece = "64 KiB"

[[class]]
name = "seed"
have = 1.0
cores = 1
delay = "10ms"

[[class]]
name = "leech"
count = 2
cores = 1
delay = "10ms"
patterns = { granularity = "monolith" }
faults = ["hang,actor=*/engine/peers,at=20ms,time=10ms"]
`

func scenario(t *testing.T, text string) *lab.Scenario {
	t.Helper()
	s, err := lab.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t *testing.T, text string, o lab.Options) *Debugger {
	t.Helper()
	d, err := New(scenario(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// A run that is looked at, at each message, is the run without: the same
// messages, and the same trace to the byte.
func TestLookingChangesNothing(t *testing.T) {
	for name, text := range map[string]string{"small": small, "busy": busy} {
		t.Run(name, func(t *testing.T) {
			var alone, watched bytes.Buffer
			to := trace.NewDirect(&alone, trace.Header{})
			want, err := lab.Run(scenario(t, text), lab.Options{Seed: 3, Hash: true, Trace: []event.Sink{to}, Notes: true})
			if err != nil || to.Close() != nil {
				t.Fatal(err)
			}
			to = trace.NewDirect(&watched, trace.Header{})
			d := begin(t, text, lab.Options{Seed: 3, Trace: []event.Sink{to}, Notes: true})
			moments := 0
			for err = nil; err == nil; moments++ {
				if moments%500 == 0 {
					everything(d)
				}
				err = d.Step(1)
			}
			if !errors.Is(err, ErrEnded) || to.Close() != nil {
				t.Fatal(err)
			}
			if got := d.Result(); got.Sum != want.Sum || got.Messages > uint64(moments) {
				t.Errorf("the digest is %x after %d messages in %d steps, want %x after %d", got.Sum, got.Messages, moments, want.Sum, want.Messages)
			}
			if d.Position().Digest != want.Sum {
				t.Errorf("the digest at the end is %x, want %x", d.Position().Digest, want.Sum)
			}
			if !bytes.Equal(alone.Bytes(), watched.Bytes()) {
				t.Error("the traces differ")
			}
			if len(want.Wrong) > 0 {
				t.Error(want.Wrong)
			}
		})
	}
}

// everything is all that a debugger shows, as text.
func everything(d *Debugger) string {
	var b strings.Builder
	p := d.Position()
	fmt.Fprintln(&b, p.Elapsed, p.Next, p.Messages, p.Moment.Actor, Name(p.Moment.Message), p.Moment.From, p.Moment.Cause, p.Recorded, p.Digest, p.Wrong)
	for _, one := range d.Participants() {
		fmt.Fprintln(&b, one.Name, one.State, one.Crashes, one.Progress.Have)
		if one.Host != nil {
			fmt.Fprintln(&b, one.Host.Connections())
		}
	}
	for _, n := range d.Actors("*") {
		fmt.Fprintln(&b, n)
		box := d.Box(n.Path)
		for _, l := range box.Letters {
			v, err := d.Read(l.Message, "")
			fmt.Fprintln(&b, Name(l.Message), l.From, l.Cause, l.System, v, err)
		}
		v, err := d.Look(n.Path, "")
		fmt.Fprintln(&b, v, err)
	}
	due, all := d.Due("", 30)
	fmt.Fprintln(&b, due, all)
	chain, whole := d.Why(p.Recorded)
	for _, e := range chain {
		fmt.Fprintln(&b, e.Seq, e.Kind, e.Actor)
	}
	fmt.Fprintln(&b, whole)
	return b.String()
}

// To go back shows what was there, by whichever way.
func TestBackIsAsBefore(t *testing.T) {
	for name, text := range map[string]string{"small": small, "busy": busy} {
		t.Run(name, func(t *testing.T) {
			d := begin(t, text, lab.Options{Seed: 3})
			shown := map[uint64]string{}
			for _, n := range []uint64{1, 40, 41, 700, 1000} {
				if err := d.GoTo(AtMessage(n)); err != nil {
					t.Fatal(err)
				}
				if p := d.Position(); p.Messages != n || p.Moment.Actor == "" {
					t.Fatalf("message %d is %+v", n, p)
				}
				shown[n] = everything(d)
			}
			same := func(how string, n uint64, err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if now := everything(d); now != shown[n] {
					t.Errorf("%s: message %d shows\n%s\nand it was\n%s", how, n, now, shown[n])
				}
			}
			same("back", 700, d.Back(300))
			same("back", 41, d.Back(659))
			same("back", 40, d.Back(1))
			same("step", 41, d.Step(1))
			same("goto", 1000, d.GoTo(AtMessage(1000)))
			same("last", 700, d.Last(func() Stop { return atMessageOf(700) }))
			if err := d.GoTo(AtTime(time.Hour * 100)); !errors.Is(err, ErrEnded) {
				t.Fatal(err)
			}
			messages := d.Position().Messages
			same("back from the end", 1000, d.Back(messages-999))
			if err := d.Back(messages); err != nil || d.Position().Messages != 0 {
				t.Errorf("the start is %+v, %v", d.Position(), err)
			}
			same("from the start", 1, d.Step(1))
		})
	}
}

func atMessageOf(n uint64) Stop {
	return func(d *Debugger) bool { return d.messages == n && d.moment.Actor != "" }
}

// What is due is told in words, whoever has asked for it.
func TestWhatIsDueHasWords(t *testing.T) {
	for _, text := range []string{small, busy} {
		d := begin(t, text, lab.Options{Seed: 3})
		all := map[string]bool{}
		for err := error(nil); err == nil; err = d.Step(7) {
			due, _ := d.Due("", 1000)
			for _, one := range due {
				all[one.What] = true
			}
		}
		for what := range all {
			for _, of := range []string{"sim", "lab", "supervise", "fault", "fake", "actor"} {
				if strings.Contains(what, " "+of+".") || what == "a call" {
					t.Error(what)
				}
			}
		}
		if len(all) < 10 {
			t.Error(all)
		}
	}
}

// A time is reached when all up to it has happened, and nothing later.
func TestGoToATime(t *testing.T) {
	d := begin(t, small, lab.Options{Seed: 3})
	for _, at := range []time.Duration{time.Second, 1500 * time.Millisecond, 200 * time.Millisecond, 0, 1200 * time.Millisecond} {
		if err := d.GoTo(AtTime(at)); err != nil {
			t.Fatal(err)
		}
		p := d.Position()
		if p.Elapsed > at || p.Next <= at || p.Moment.Actor != "" {
			t.Errorf("%v is %+v", at, p)
		}
		moments := d.moments
		if err := d.GoTo(AtTime(at)); err != nil || d.moments != moments {
			t.Errorf("the second time %v is moment %d, not %d; %v", at, d.moments, moments, err)
		}
	}
}

// A run can pause before its limit though nothing is due until then, and one in
// which nothing happens at all is refused.
func TestNothingHappensBeforeTheLimit(t *testing.T) {
	const late = "content = \"64 KiB\"\nuntil = \"1s\"\n[[class]]\nname = \"late\"\narrive = \"9s\"\n"
	d := begin(t, late, lab.Options{Seed: 3})
	if p := d.Position(); p.Elapsed != 0 || p.Next != time.Second || len(d.Participants()) != 1 {
		t.Errorf("it begins with %+v", p)
	}
	if err := d.GoTo(AtTime(999 * time.Millisecond)); err != nil || d.Position().Elapsed != 0 {
		t.Errorf("%+v, %v", d.Position(), err)
	}
	if err := d.GoTo(AtTime(time.Second)); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
	if _, err := New(scenario(t, late+"hostile = [\"a slow seed\"]\n"), lab.Options{}); !errors.Is(err, errNoMoment) {
		t.Error(err)
	}
}
