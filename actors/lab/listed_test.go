package lab

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const listing = `
content = "64 KiB"
[[class]]
name = "seed"
have = 1.0
[[class]]
name = "peer"
count = 3
arrive = "1s"
[class.patterns]
arrivals = "ARRIVALS"
`

// Nodes come at the times of a file, after the start of their class; the
// scenario is whole without the file.
func TestArrivalsOfAFile(t *testing.T) {
	s, err := Read(strings.Replace(listing, "ARRIVALS", "listed,file=times.txt", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(s, Options{Seed: 1, Quick: true}); err == nil || !strings.Contains(err.Error(), `"times.txt", which was not read`) {
		t.Errorf("unread: %v", err)
	}
	err = s.Load(func(file string) (string, error) {
		if file != "times.txt" {
			t.Errorf("read %s", file)
		}
		return "# seen\n250ms\n\n2s # two\r\n  2s\n1h30m\n", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = Read(s.TOML()); err != nil {
		t.Fatal(err)
	}
	r, err := Run(s, Options{Seed: 1, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	var came []time.Duration
	for _, n := range r.Nodes {
		came = append(came, n.Arrived)
	}
	want := []time.Duration{0, 1250 * time.Millisecond, 3 * time.Second, 3 * time.Second}
	if !slices.Equal(came, want) || len(r.Wrong) > 0 {
		t.Errorf("they come at %v, want %v; %v", came, want, r.Wrong)
	}
}

// What is wrong in a file is told with its line, what is wrong in a scenario
// with the line there.
func TestArrivalsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"1s\n2s\nsoon\n":   `times.txt: line 3 has "soon": must be a time such as 90s, 15m, 1h30m, 2d or 1w`,
		"1s\n\n12\n":       `times.txt: line 3 has "12": needs a unit: a time is written such as 90s, 15m, 1h30m, 2d or 1w`,
		"1s\n-2s\n":        `times.txt: line 2 has "-2s", which is before the start`,
		"1s\n3s\n2s\n":     `times.txt: line 3 has 2s after 3s: the times must be in their order`,
		"1s 2s\n":          `times.txt: line 1 has "1s 2s", and must have one time`,
		"# nothing\n\n":    `times.txt: has no times`,
		"1s\n2s\n":         `class peer: arrivals are at 2 times, and 3 nodes are to come`,
		"1s\n2s\n3s\n4s\n": "",
	} {
		s, err := Read(strings.Replace(listing, "ARRIVALS", "listed, file = times.txt", 1))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Load(func(string) (string, error) { return text, nil })
		if err == nil {
			err = errors.New("")
		}
		if got := err.Error(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for arrivals, want := range map[string]string{
		"listed":                       "line 10: class: arrivals are at 0 times, and 3 nodes are to come",
		"listed,times=1s 2s":           "line 10: class: arrivals are at 2 times, and 3 nodes are to come",
		"listed,times=1s 2s,file=a":    `file and times exclude each other`,
		"listed,times=3s 2s 1s":        `times "3s 2s 1s" has 2s after 3s`,
		"listed,times=1s 2s 3s,rate=1": `there is no key "rate"; there are file, times`,
	} {
		_, err := Read(strings.Replace(listing, "ARRIVALS", arrivals, 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", arrivals, err, want)
		}
	}
	within := strings.Replace(listing, `arrive = "1s"`, `within = "1s"`, 1)
	if _, err := Read(strings.Replace(within, "ARRIVALS", "listed,times=1s 2s 3s", 1)); err == nil || !strings.Contains(err.Error(), "with listed arrivals within is of no use") {
		t.Error(err)
	}
}
