package processes

import "testing"

// TestAProcessThatIgnoresSIGINTEnds: those do that a script in the background
// has started.
func TestAProcessThatIgnoresSIGINTEnds(t *testing.T) {
	ignores := make(chan string, 1)
	s := starter{program: "/bin/sh", home: t.TempDir(), place: shared{}.tracker()}
	p, err := s.start([]string{"-c", `trap "" INT; echo ignores; exec sleep 20`}, func(text string) { ignores <- text }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	<-ignores
	p.end()
	<-p.ended
	if code := p.exitCode(); code != -1 {
		t.Errorf("it has ended by itself, with exit code %d", code)
	}
}
