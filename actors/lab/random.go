package lab

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Random draws a small scenario in which much goes wrong, but every node must
// become complete in the end: one seed always stays, if only a sloppy one,
// whatever fails recovers after a while, and processes that end are started
// again.
func Random(seed uint64) *Scenario {
	rnd := rand.New(rand.NewPCG(seed, 0x5EED))
	s := &Scenario{
		Name: fmt.Sprintf("random %d", seed), Limit: Time(4 * time.Hour), Announce: Time(time.Minute),
		Piece:   Size(16<<10) << rnd.IntN(4),
		Content: Size(1 + rnd.IntN(1<<20)),
	}
	s.Class = append(s.Class, links(rnd, Class{Name: "seed", Count: 1 + rnd.IntN(2), Have: 1}))
	for i := range 1 + rnd.IntN(3) {
		c := links(rnd, Class{Name: fmt.Sprintf("leech%d", i), Count: 1 + rnd.IntN(3), Within: Time(between(rnd, 0, 30*time.Second))})
		if rnd.IntN(4) == 0 {
			c.Have = rnd.Float64() * 0.9
		}
		switch rnd.IntN(6) {
		case 0:
			c.Leave = "complete"
		case 1:
			c.Leave = between(rnd, time.Second, time.Minute).String()
		}
		c.Picker = pick(rnd, "", "", "random", "sequential")
		c.Choker = pick(rnd, "", "", "roundrobin", "none")
		c.Memory = pick(rnd, 0, Size(1<<20), Size(256<<10))
		s.Class = append(s.Class, c)
	}
	for i := range s.Class {
		for range rnd.IntN(3) {
			s.Class[i].Faults = append(s.Class[i].Faults, randomFault(rnd))
		}
	}
	if rnd.IntN(3) == 0 {
		foe := Class{Name: "foe", Count: 1 + rnd.IntN(3), Arrive: Time(moment(rnd))}
		names := hostileNames()
		for range 1 + rnd.IntN(3) {
			foe.Hostile = append(foe.Hostile, names[rnd.IntN(len(names))])
		}
		if rnd.IntN(2) == 0 {
			foe.Hostile = append(foe.Hostile, pick(rnd, "a liar", "a liar at times", "a slow seed"))
		}
		// In the model the downlink of a host is one queue for all connections, so a
		// foe that floods it would keep the host from hearing other peers. A real
		// link is shared more evenly.
		foe.Up = pick(rnd, Rate(16<<10), 128<<10, 1<<20)
		for _, c := range s.Class {
			if c.Down > 0 {
				foe.Up = min(foe.Up, c.Down/8)
			}
		}
		foe.Delay = Time(pick(rnd, 0, 20*time.Millisecond))
		s.Class = append(s.Class, foe)
	} else {
		s.Payload = pick(rnd, PayloadReal, PayloadDescribed)
	}
	for range rnd.IntN(4) {
		e := Event{At: Time(moment(rnd)), For: Time(between(rnd, time.Second, time.Minute))}
		e.Do = pick(rnd, "kill", "power cut", "tracker", "partition", "reset")
		e.Count = rnd.IntN(3)
		if e.Do == "reset" {
			e.Every = Time(between(rnd, 5*time.Second, time.Minute))
		}
		s.Event = append(s.Event, e)
	}
	if rnd.IntN(5) == 0 { // nobody but a sloppy seed has all of it
		seed := &s.Class[0]
		*seed = Class{Name: "seed", Hostile: []string{pick(rnd, slices.Sorted(maps.Keys(sloppy))...)}, Up: seed.Up, Down: seed.Down, Delay: seed.Delay}
		s.Payload = PayloadReal
	} else if rnd.IntN(3) == 0 {
		for i := range s.Class {
			if len(s.Class[i].Hostile) == 0 {
				s.Class[i].Encryption = pick(rnd, "allow", "prefer", "require")
			}
		}
	}
	s.Tracker = pick(rnd, "", "", TrackerUDP) // last: all else is as without it
	return s
}

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

func between(rnd *rand.Rand, from, to time.Duration) time.Duration {
	return (from + time.Duration(rnd.Int64N(int64(to-from)))).Round(time.Millisecond)
}

// moment draws a time within the life of a small swarm. Some swarms are over
// after a few seconds, so short times are more likely.
func moment(rnd *rand.Rand) time.Duration {
	return between(rnd, 0, pick(rnd, time.Second, 5*time.Second, 40*time.Second))
}

func links(rnd *rand.Rand, c Class) Class {
	c.Up = pick(rnd, 0, Rate(16<<10), 128<<10, 1<<20, 100<<20)
	c.Down = pick(rnd, 0, Rate(64<<10), 1<<20, 100<<20)
	c.Delay = Time(pick(rnd, 0, time.Millisecond, 20*time.Millisecond, 150*time.Millisecond))
	c.Jitter = Time(pick(rnd, 0, time.Millisecond, 30*time.Millisecond))
	c.Loss = pick(rnd, 0, 0, 0.001, 0.02)
	c.Disk.Rate = pick(rnd, 0, Rate(1<<20), 100<<20)
	c.Disk.Latency = Time(pick(rnd, 0, 100*time.Microsecond, 8*time.Millisecond, 300*time.Millisecond))
	return c
}

// randomFault draws a fault that strikes within the first minute, or so seldom
// that restarts stay within their budgets. It never draws disks on which
// nothing can be changed or looked at: a torrent on such a disk ends, as it
// should.
func randomFault(rnd *rand.Rand) string {
	at, lasts := moment(rnd), between(rnd, time.Second, 30*time.Second)
	actor := pick(rnd, "*/peer-*", "*/engine/store", "*/engine/scheduler", "*/engine/choker", "*/engine/peers", "*/engine/store/hash-*",
		"*/engine/store/keeper", "*/engine", "*/tracker-*", "*/listener", "*/limiter", "*/session", "*/torrents", "*/torrent-*")
	switch rnd.IntN(10) {
	case 0, 1, 2:
		return fmt.Sprintf("panic,actor=%s,at=%v,count=%d,every=%d", actor, at, 1+rnd.IntN(2), 1+rnd.IntN(20))
	case 3:
		return fmt.Sprintf("panic,actor=*/peer-*,at=%v,for=%v,p=0.01", at, lasts)
	case 4:
		return fmt.Sprintf("delay,actor=%s,at=%v,for=%v,time=%v,p=0.05", actor, at, lasts, between(rnd, time.Millisecond, 3*time.Second))
	case 5:
		return fmt.Sprintf("link,at=%v,for=%v,p=%g", at, lasts, pick(rnd, 0.001, 0.01, 0.1))
	case 6:
		return fmt.Sprintf("hang,actor=%s,at=%v,count=%d,every=%d,time=%v", actor, at, 1+rnd.IntN(3), 1+rnd.IntN(20), between(rnd, 10*time.Millisecond, 40*time.Second))
	case 7, 8:
		return fmt.Sprintf("disk,%s,at=%v,for=%v,p=%g", pick(rnd, "error=ENOSPC", "error=EIO,op=write", "slow=2s", "slow=20ms"), at, lasts, pick(rnd, 0.05, 0.5, 1))
	default:
		return fmt.Sprintf("tracker,error=%s,at=%v,for=%v", pick(rnd, "dns", "connect", "tls", "send", "status", "read", "bencode", "failure"), at, lasts)
	}
}
