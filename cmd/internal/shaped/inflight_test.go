//go:build linux

package shaped

import (
	"slices"
	"testing"
	"time"
)

// to is a frame for a port, with a number in it.
func to(port, number int) []byte {
	frame := make([]byte, ethernet+2)
	frame[5] = bridge
	if port > 0 {
		frame[5] = byte(firstHost + port - 1)
	}
	frame[ethernet], frame[ethernet+1] = byte(number>>8), byte(number)
	return frame
}

// land is all flights until some time, by number, in the order in which they
// arrive.
func land(s *inFlight, until time.Duration) (numbers []int, ports []int, at []time.Duration) {
	for now := time.Duration(0); ; {
		f, wait := s.next(now, time.Hour)
		if wait > 0 {
			if now += wait; now > until {
				return numbers, ports, at
			}
			continue
		}
		numbers, ports, at = append(numbers, int(f.frame[ethernet])<<8|int(f.frame[ethernet+1])), append(ports, f.to), append(at, now)
	}
}

// A frame takes the delays of both links, and up to their jitter more; those
// between two ports keep their order; of lossy links some are missing.
func TestFlights(t *testing.T) {
	const frames, ms = 5000, time.Millisecond
	s := newInFlight([]Link{{}, {Delay: 10 * ms, Jitter: 5 * ms, Loss: 0.1}, {Delay: 20 * ms, Jitter: 3 * ms, Loss: 0.2}, {}})
	for i := range frames {
		s.take(time.Duration(i)*ms, 1, to(2, i), to(2, i))
	}
	numbers, _, at := land(&s, time.Hour)
	if n := len(numbers); n < frames*66/100 || n > frames*74/100 {
		t.Errorf("%d of %d frames arrive, though 30 %% are lost", n, frames)
	}
	if !slices.IsSorted(numbers) {
		t.Error("frames overtake each other")
	}
	least, most := time.Hour, time.Duration(0)
	for i, number := range numbers {
		took := at[i] - time.Duration(number)*ms
		least, most = min(least, took), max(most, took)
	}
	if least < 30*ms || least > 31*ms || most > 38*ms || most < 37*ms {
		t.Errorf("frames take %v to %v, want 30 ms and up to 8 ms more", least, most)
	}
}

// A frame is for one host, or for none.
func TestWhoHearsAFrame(t *testing.T) {
	s := newInFlight(make([]Link, 4))
	for name, c := range map[string]struct {
		frame []byte
		want  []int
	}{
		"to a host":       {to(3, 1), []int{3}},
		"to this process": {to(0, 1), []int{0}},
		"to itself":       {to(1, 1), nil},
		"to nobody":       {to(4, 1), nil},
		"between both":    {append([]byte{0, 0, 0, 0, 0, firstHost - 1}, to(3, 1)[6:]...), nil},
		"too short":       {to(3, 1)[:ethernet-1], nil},
		"to all":          {append([]byte{255, 255, 255, 255, 255, 255}, to(3, 1)[6:]...), nil},
		"to some":         {append([]byte{1, 0, 0x5e, 0, 0, bridge}, to(3, 1)[6:]...), nil},
	} {
		s.take(0, 1, c.frame, c.frame)
		if _, ports, _ := land(&s, time.Hour); !slices.Equal(ports, c.want) {
			t.Errorf("%s: heard by %v, want %v", name, ports, c.want)
		}
	}
}

// What would arrive during a cut is lost, between its sides alone.
func TestCut(t *testing.T) {
	s := newInFlight(make([]Link, 4))
	send := func() (heard []int) {
		for from := range 4 {
			for port := range 4 {
				s.take(0, from, to(port, from), to(port, from))
			}
		}
		numbers, ports, _ := land(&s, time.Hour)
		for i := range ports {
			heard = append(heard, 10*numbers[i]+ports[i])
		}
		slices.Sort(heard)
		return heard
	}
	all := []int{1, 2, 3, 10, 12, 13, 20, 21, 23, 30, 31, 32}
	if got := send(); !slices.Equal(got, all) {
		t.Errorf("heard: %v", got)
	}
	s.cut(func(host int) int { return host % 2 })
	if got := send(); !slices.Equal(got, []int{1, 3, 10, 13, 30, 31}) {
		t.Errorf("during a cut: %v", got)
	}
	s.cut(nil)
	if got := send(); !slices.Equal(got, all) {
		t.Errorf("after a cut: %v", got)
	}
}

// However much is sent, no more than so many bytes are kept; what has arrived
// makes room.
func TestFlightsAreBounded(t *testing.T) {
	s := newInFlight([]Link{{}, {Delay: time.Hour}, {}})
	frame := append(to(2, 1), make([]byte, 1<<20)...)
	for range 2 {
		for range 2 * mostInFlight / len(frame) {
			s.take(0, 1, frame[:ethernet], frame)
		}
		if n := len(s.flights); n != mostInFlight/len(frame) {
			t.Errorf("%d frames of %d bytes are in flight", n, len(frame))
		}
		for _, wait := s.next(2*time.Hour, time.Hour); wait == 0; _, wait = s.next(2*time.Hour, time.Hour) {
		}
	}
}
