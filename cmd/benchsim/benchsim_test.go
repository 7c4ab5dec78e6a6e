//go:build linux

package main

import (
	"math"
	"testing"
	"time"

	"kouzui/actors/lab"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []time.Duration
		want float64
	}{
		{"the same", []time.Duration{1, 2, 3}, []time.Duration{1, 2, 3}, 0},
		{"apart", []time.Duration{1, 2}, []time.Duration{3, 4, 5}, 1},
		{"of other sizes", []time.Duration{1, 1, 2, 2}, []time.Duration{1, 2}, 0},
		{"one is later", []time.Duration{1, 2, 3, 4}, []time.Duration{2, 3, 4, 5}, 0.25},
		{"wider", []time.Duration{1, 5, 9}, []time.Duration{5, 5, 5}, 1.0 / 3},
	} {
		if got := distance(c.a, c.b); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if back := distance(c.b, c.a); math.Abs(back-c.want) > 1e-9 {
			t.Errorf("%s, the other way: %v", c.name, back)
		}
	}
}

// The band of the runs encloses the distribution of all of them.
func TestBand(t *testing.T) {
	s := sample{{1e9, 2e9, 4e9}, {2e9, 3e9, 3e9}}
	for _, b := range band(s, nil) {
		below := 0
		for _, at := range s.pooled() {
			if at.Seconds() <= b.X {
				below++
			}
		}
		if y := 100 * float64(below) / 6; y < b.Low-1e-9 || y > b.High+1e-9 {
			t.Errorf("at %v s: %v is not from %v to %v", b.X, y, b.Low, b.High)
		}
	}
}

// The scenario files are such as the parts need.
func TestScenarios(t *testing.T) {
	*scenarios = "../../testdata/lab"
	ten, err := read("ten.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := swarm{Scenario: withArrivals(ten, 1)}
	for i, c := range s.Class {
		if c.Count != 1 || c.Within != 0 || i > 0 && (c.Arrive <= 0 || c.Arrive >= ten.Class[1].Within) {
			t.Errorf("%+v", c)
		}
	}
	if err := s.playable(); err != nil || s.downloaders() != 9 {
		t.Errorf("%d downloaders, %v", s.downloaders(), err)
	}
	s.Event = []lab.Event{{Do: "partition"}}
	if s.playable() == nil {
		t.Error("a partition on the loopback")
	}
	rarest, err := read("rarest-first.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c := rarest.Class[0]; c.Have != 1 || c.Count != 1 || c.Up == 0 {
		t.Errorf("its first class is %+v, not one slow seed", c)
	}
}
