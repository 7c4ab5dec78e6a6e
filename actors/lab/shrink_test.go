package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kouzui/messages"
)

// A swarm in which much happens, but goes wrong only because of two things
// together: the small scenario has just these two.
func TestShrink(t *testing.T) {
	s := &Scenario{Content: 256 << 10, Piece: 64 << 10, Limit: Time(time.Hour), Class: []Class{
		{Name: "seed", Have: 1, Up: 64 << 10, Delay: Time(10 * time.Millisecond), Faults: []string{"link,at=1s,p=0.01"}},
		{Name: "leech", Count: 2, Loss: 0.01},
	}}
	s.Class = append(s.Class, Class{Name: "ill", Count: 3, Faults: []string{
		"link,at=1s,p=0.01", "panic,actor=*/engine/choker,at=1s", "tracker,error=dns,at=1s,for=2s", "disk,slow=20ms,at=1s,for=3s",
	}})
	s.Event = append(s.Event, Event{At: Time(time.Second), Do: "reset"}, Event{At: Time(3 * time.Second), Do: "kill", Class: "ill"},
		Event{At: Time(9 * time.Second), Do: "tracker", For: Time(time.Second)})

	// A process that was killed before, and whose choker then dies, goes wrong.
	wrong := &tamper{sent: func(n *node, to string, m any) any {
		_, rolled := m.(*messages.ReportRates)
		if rolled && n.host.Lives() > 1 && strings.HasPrefix(n.name, "ill") && n.judge.failures > 0 {
			n.run.blame(n, "its choker died %d times, and it was killed", n.judge.failures)
		}
		return m
	}}
	shrink := func() (*Scenario, string) {
		small, wrong, err := Shrinking{Seed: 7, tamper: wrong}.Shrink(s)
		if err != nil {
			t.Fatal(err)
		}
		return small, fmt.Sprint(wrong)
	}
	small, says := shrink()
	if !strings.Contains(says, "its choker died") {
		t.Errorf("what is wrong is %s", says)
	}
	if len(small.Class) != 1 || small.Class[0].Count != 1 || len(small.Class[0].Faults) != 1 || len(small.Event) != 1 {
		t.Errorf("what is left is\n%s", small.TOML())
	}
	if again, _ := shrink(); again.TOML() != small.TOML() {
		t.Errorf("another time it is\n%s", again.TOML())
	}

	// The scenario that was written as TOML goes wrong in the same way.
	read, err := Read(small.TOML())
	if err != nil {
		t.Fatalf("%v\n%s", err, small.TOML())
	}
	r, err := Run(read, Options{Seed: 7, tamper: wrong})
	if err != nil || len(r.Wrong) == 0 || r.Wrong[0].Error() != says {
		t.Errorf("read again: %v, %v", err, r.Wrong)
	}
}

func TestNothingToShrink(t *testing.T) {
	if _, _, err := (Shrinking{Seed: 1}).Shrink(&Scenario{Content: 1 << 16, Class: []Class{{Name: "seed", Have: 1}}}); err == nil {
		t.Error("a scenario in which nothing goes wrong is made smaller")
	}
}
