package processes

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/kouzui/internal/exit"
)

const (
	// MostNodes is how many processes a swarm has at most: each takes some 30 MB
	// of memory.
	MostNodes = 64
	// shortestAnnounce is the shortest interval of the tracker's flag.
	shortestAnnounce = 2 * time.Second
)

// classKey is a key of a class that processes cannot play as it is written.
type classKey struct {
	name   string
	is     func(*lab.Class) bool
	why    string
	linked bool // a network namespace with a link of its own plays it
}

// refused are keys without which the scenario would be another one.
var refused = []classKey{
	{"hostile", func(c *lab.Class) bool { return len(c.Hostile) > 0 }, "foes have no client that a process could be", false},
	{"disk", func(c *lab.Class) bool { return c.Disk != lab.Disk{} }, "processes have the disk of this machine", false},
	{"loss", func(c *lab.Class) bool { return c.Loss > 0 }, "this machine loses no segments on the way to itself", true},
	{"search", func(c *lab.Class) bool { return c.Search > 0 }, "a process without a torrent ends at once", false},
	{"hashes", func(c *lab.Class) bool { return c.Hashes > 0 }, "a process without a torrent ends at once", false},
	{"bare", func(c *lab.Class) bool { return c.Bare }, "a process without a torrent ends at once", false},
	{"magnet", func(c *lab.Class) bool { return c.Magnet }, "they have no DHT in which peers could be found", false},
	{"knows", func(c *lab.Class) bool { return c.Knows != "" }, "their ports are known once they run", false},
	{"nat", func(c *lab.Class) bool { return c.NAT != lab.NAT{} }, "there is no router between them", false},
	{"double", func(c *lab.Class) bool { return c.Double > 0 }, "no datagram comes twice on the way", false},
	{"cores", func(c *lab.Class) bool { return c.Cores > 0 }, "processes share the processors of this machine", false},
	{"machine", func(c *lab.Class) bool { return c.Machine != "" }, "processes share the processors of this machine", false},
	{"plays", func(c *lab.Class) bool { return c.Plays > 0 }, "they write what they download and do not read it", false},
	{"jump", func(c *lab.Class) bool { return c.Jump > 0 }, "they write what they download and do not read it", false},
	{"linger", func(c *lab.Class) bool { return c.Linger > 0 }, "they leave when they are complete, or never", false},
}

// left are keys that are left out, and said to be: the swarm is the same one,
// in slightly other conditions.
var left = []classKey{
	{"delay", func(c *lab.Class) bool { return c.Delay > 0 }, "there is none between processes of one machine", true},
	{"jitter", func(c *lab.Class) bool { return c.Jitter > 0 }, "there is none between processes of one machine", true},
	{"queue", func(c *lab.Class) bool { return c.Queue > 0 }, "the buffers are those of the system", true},
	{"sendbuffer", func(c *lab.Class) bool { return c.SendBuffer > 0 }, "the buffers are those of the system", false},
	{"dht", func(c *lab.Class) bool { return c.DHT != "" }, "they have no DHT", false},
	{"processors", func(c *lab.Class) bool { return c.Processors > 0 }, "processes see those of this machine", false},
}

// Playable says which keys of a scenario are left out, each in a sentence. The
// error names a key that cannot be played at all. Linked nodes have network
// namespaces, each with a link of its own.
func Playable(s *lab.Scenario, linked bool) (notes []string, err error) {
	if err := ofProcesses(s.Patterns).Check(pattern.Real); err != nil {
		return nil, fmt.Errorf("patterns: processes cannot play this: %w", err)
	}
	if time.Duration(s.Announce) < shortestAnnounce {
		return nil, fmt.Errorf("announce: the tracker's interval must be at least %v", shortestAnnounce)
	}
	if s.Until > 0 {
		return nil, errors.New("until: processes cannot play this: the swarm ends when all are complete")
	}
	if s.Costs != "" || len(s.Cost) > 0 {
		notes = append(notes, "costs: not played: what work costs is up to this machine")
	}
	if s.Private {
		return nil, errors.New("private: processes cannot play this: their torrent is public, and they have no DHT")
	}
	nodes := 0
	for i := range s.Class {
		c := &s.Class[i]
		nodes += c.Count
		for _, k := range refused {
			if k.is(c) && !(linked && k.linked) {
				return nil, offer(k.linked, fmt.Errorf("class %s: %s: processes cannot play this: %s", c.Name, k.name, k.why))
			}
		}
		if err := ofProcesses(c.Patterns).Check(pattern.Real); err != nil {
			return nil, fmt.Errorf("class %s: patterns: processes cannot play this: %w", c.Name, err)
		}
		for _, k := range left {
			if k.is(c) && !(linked && k.linked) {
				notes = append(notes, fmt.Sprintf("class %s: %s: not played: %s", c.Name, k.name, k.why))
			}
		}
		if !linked && !c.Limits && c.Up+c.Down > 0 {
			notes = append(notes, fmt.Sprintf("class %s: up, down: kept by the clients, as with limits = true", c.Name))
		}
	}
	if nodes > MostNodes {
		return nil, fmt.Errorf("count: %d nodes, and this machine plays %d at most", nodes, MostNodes)
	}
	for i, e := range s.Event {
		switch {
		case e.Do == "kill", e.Do == "tracker", e.Do == "partition" && linked:
		default:
			return nil, offer(e.Do == "partition", fmt.Errorf("event %d: do: processes cannot play %q; they can play %s", i+1, e.Do, playableEvents(linked)))
		}
	}
	return notes, nil
}

// ofProcesses are the patterns that processes are told: they come at the times
// of the simulated nodes, whatever pattern those have.
func ofProcesses(chosen pattern.Choice) pattern.Choice {
	told := maps.Clone(chosen)
	delete(told, lab.Arrivals.Name)
	return told
}

func playableEvents(linked bool) string {
	if linked {
		return "kill, tracker and partition"
	}
	return "kill and tracker"
}

// offer adds to an error that namespaces would play what it is about.
func offer(would bool, err error) error {
	if !would {
		return err
	}
	return exit.Hint("In network namespaces they can: --netns, as root.", err)
}
