package dht

import (
	"net/netip"
	"time"
)

const (
	// newAddresses is how many nodes that we do not know we address a second; so
	// many in newBurst at once. Routers at home keep an entry of their tables for
	// each address for a minute or more.
	newAddresses = 16
	newBurst     = 128
	// bytesOut is how many bytes a second we send, and at once. Answers beyond are
	// not sent, our own queries wait.
	bytesOut   = 8_000
	bytesBurst = 32_000

	// floodMessages within floodTime of one sender, beside answers to our queries,
	// are a flood: what the sender says is not read for floodPause.
	floodMessages = 50
	floodTime     = 10 * time.Second
	floodPause    = 5 * time.Minute
	// floodSenders is how many senders are counted at a time.
	floodSenders = 32
)

// allowance fills with time up to a burst.
type allowance struct {
	rate, burst float64 // units a second; units
	spent       float64 // of the burst
	at          time.Time
}

func (a *allowance) fill(now time.Time) {
	a.spent = max(0, a.spent-now.Sub(a.at).Seconds()*a.rate)
	a.at = now
}

// take takes n, for which wait has said that there is so much.
func (a *allowance) take(n float64, now time.Time) {
	a.fill(now)
	a.spent += n
}

// wait is how long it takes until there is n.
func (a *allowance) wait(n float64, now time.Time) time.Duration {
	a.fill(now)
	return time.Duration(max(0, (a.spent+n-a.burst)/a.rate) * float64(time.Second))
}

// floods knows who sends more than anybody should.
type floods struct{ senders []sender }

type sender struct {
	addr  netip.AddrPort // as sourceOf has it
	since time.Time      // of the count, or of the flood
	count int
}

// ignored tells whether nothing of a sender is to be read.
func (f *floods) ignored(from netip.AddrPort, now time.Time) bool {
	from = sourceOf(from)
	for i := range f.senders {
		if s := &f.senders[i]; s.addr == from {
			return s.count > floodMessages && now.Sub(s.since) < floodPause
		}
	}
	return false
}

// flooded counts a message, and tells whether it is not to be read.
func (f *floods) flooded(from netip.AddrPort, now time.Time) bool {
	from = sourceOf(from)
	at := -1
	for i, s := range f.senders {
		if s.addr == from {
			at = i
			break
		}
	}
	if at < 0 {
		at = f.room(now)
		f.senders[at] = sender{addr: from, since: now}
	}
	s := &f.senders[at]
	switch age := now.Sub(s.since); {
	case s.count > floodMessages:
		if age < floodPause {
			return true
		}
		*s = sender{addr: from, since: now}
	case age >= floodTime:
		*s = sender{addr: from, since: now}
	}
	if s.count++; s.count > floodMessages {
		s.since = now
		return true
	}
	return false
}

// room is a place for another sender: that of the one that has said the least.
func (f *floods) room(now time.Time) int {
	if len(f.senders) < floodSenders {
		f.senders = append(f.senders, sender{})
		return len(f.senders) - 1
	}
	at := 0
	for i, s := range f.senders {
		least := &f.senders[at]
		if s.over(now) != least.over(now) {
			if s.over(now) {
				at = i
			}
		} else if s.count < least.count || s.count == least.count && s.since.Before(least.since) {
			at = i
		}
	}
	return at
}

// over tells whether what was counted does not matter any more.
func (s *sender) over(now time.Time) bool {
	if s.count > floodMessages {
		return now.Sub(s.since) >= floodPause
	}
	return now.Sub(s.since) >= floodTime
}
