package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world/fake/described"
	"kouzui/messages"
)

// maxNodes limits a swarm: each node has an address of 10.0.0.0/8.
const maxNodes = 100_000

// maxCores bounds the cores of a node: more than there are actors to be busy.
const maxCores = 1024

// check fills in defaults, and returns what is wrong with the scenario.
func (s *Scenario) check() error {
	if s.Content <= 0 || s.Content > 1<<34 {
		return wrong("content", "must be given, and 16 GiB at most")
	}
	if s.Piece == 0 {
		s.Piece = 256 << 10
	}
	if s.Piece < 16<<10 || s.Piece > 16<<20 {
		return wrong("piece", "must be from 16 KiB to 16 MiB")
	}
	hostile := slices.ContainsFunc(s.Class, func(c Class) bool { return len(c.Hostile) > 0 && c.dhtScript() == nil })
	if s.Payload == "" {
		s.Payload = PayloadDescribed
		if hostile {
			s.Payload = PayloadReal
		}
	}
	switch {
	case hostile && s.Payload != PayloadReal:
		return wrong("payload", "must be real where somebody is hostile, and could lie")
	case s.Payload != PayloadReal && s.Payload != PayloadDescribed:
		return wrong("payload", "is %q, which is neither \"real\" nor \"described\"", s.Payload)
	case s.Payload == PayloadDescribed && s.Piece%described.PageSize != 0:
		return wrong("piece", "must be a multiple of 4 KiB for described payload")
	}
	if s.Private && slices.ContainsFunc(s.Class, func(c Class) bool { return c.Magnet }) {
		return wrong("private", "and magnet exclude each other: no peer tells what is in a private torrent")
	}
	if s.Limit == 0 {
		s.Limit = Time(time.Hour)
	}
	if p := oneOf("tracker", s.Tracker, []string{TrackerHTTP, TrackerUDP}); p != nil {
		return p
	}
	if s.Announce == 0 {
		s.Announce = Time(2 * time.Minute)
	}
	if s.Costs != "" && len(s.Cost) > 0 {
		return wrong("costs", "and [[cost]] exclude each other")
	}
	if err := work.CheckCosts(s.Cost); err != nil {
		return &problem{table: "cost", err: err}
	}
	if p := s.checkPatterns(); p != nil {
		return p
	}
	nodes := 0
	names := map[string]bool{}
	for i := range s.Class {
		c := &s.Class[i]
		if c.Count == 0 {
			c.Count = 1
		}
		if p := c.check(); p != nil {
			return p.in("class", i)
		}
		if err := c.checkListed(s.PatternsOf(c)["arrivals"]); err != nil {
			return (&problem{key: "patterns", err: err}).in("class", i)
		}
		if names[c.Name] {
			return wrong("name", "%q is another class's already", c.Name).in("class", i)
		}
		names[c.Name] = true
		nodes += c.Count
	}
	for i := range s.Class {
		if known := s.Class[i].Knows; known != "" && !names[known] {
			return wrong("knows", "is %q, which there is not", known).in("class", i)
		}
	}
	if p := s.checkMachines(); p != nil {
		return p
	}
	if nodes == 0 || nodes > maxNodes {
		return &problem{table: "class", key: "count", err: fmt.Errorf("%d nodes: there must be 1 to %d", nodes, maxNodes)}
	}
	for i, e := range s.Event {
		if p := e.check(names); p != nil {
			return p.in("event", i)
		}
	}
	return nil
}

func (c *Class) check() *problem {
	switch {
	case c.Name == "" || strings.ContainsAny(c.Name, "/ -"):
		return wrong("name", "must be given, without spaces, / and -")
	case c.Count < 1:
		return wrong("count", "must be 1 or more")
	case !(c.Have >= 0 && c.Have <= 1): // not a number is refused, too
		return wrong("have", "must be from 0 to 1")
	case c.Copies < 0 || c.Copies > c.Count:
		return wrong("copies", "must be from 0 to count, which is %d", c.Count)
	case c.Copies > 0 && c.Have > 0:
		return wrong("copies", "and have exclude each other")
	case !(c.Loss >= 0 && c.Loss < 1):
		return wrong("loss", "must be from 0 to below 1")
	case !(c.Double >= 0 && c.Double < 1):
		return wrong("double", "must be from 0 to below 1")
	case c.Slots < 0:
		return wrong("slots", "must be 0 or more")
	case c.Peers < 0:
		return wrong("peers", "must be 0 or more")
	case c.Magnet && (c.Have > 0 || c.Copies > 0):
		return wrong("magnet", "and have or copies exclude each other")
	case c.Processors < 0:
		return wrong("processors", "must be 0 or more")
	case c.Search > 0 && !c.Bare:
		return wrong("search", "is of bare nodes")
	case c.Hashes < 0:
		return wrong("hashes", "must be 0 or more")
	case c.Bare && (len(c.Hostile) > 0 || c.Have > 0 || c.Copies > 0 || len(c.Faults) > 0 || c.Cores > 0 || c.Magnet || c.Knows != "" || c.NoPEX || c.DHT != ""):
		return wrong("bare", "and hostile, have, copies, faults, cores, magnet, knows, nopex or dht exclude each other")
	case c.Cores < 0 || c.Cores > maxCores:
		return wrong("cores", "must be from 0 to %d", maxCores)
	case c.Cores > 0 && len(c.Hostile) > 0:
		return wrong("cores", "are of clients, and hostile nodes are none")
	}
	if p := c.NAT.check(); p != nil {
		return p
	}
	if p := c.checkPatterns(); p != nil {
		return p
	}
	if p := oneOf("encryption", c.Encryption, []string{
		string(messages.AllowEncryption), string(messages.PreferEncryption), string(messages.RequireEncryption), string(messages.NoEncryption),
	}); p != nil {
		return p
	}
	if p := oneOf("superseed", c.SuperSeed, []string{string(messages.SuperSeedAuto), string(messages.SuperSeedAlways), string(messages.SuperSeedNever)}); p != nil {
		return p
	}
	if p := oneOf("dht", c.DHT, []string{string(messages.DHTAuto), string(messages.DHTOn), string(messages.DHTOff)}); p != nil {
		return p
	}
	if _, _, err := c.Leaving(); err != nil {
		return &problem{key: "leave", err: err}
	}
	if c.Linger > 0 && c.Leave != "complete" {
		return wrong("linger", "is before a leave of \"complete\"")
	}
	if c.Jump > 0 && c.Plays == 0 {
		return wrong("jump", "is of those that have plays")
	}
	if c.Plays > 0 && (c.Bare || c.Magnet || len(c.Hostile) > 0) {
		return wrong("plays", "and bare, magnet or hostile exclude each other")
	}
	if p := c.checkHostile(); p != nil {
		return p
	}
	if _, err := c.faults(); err != nil {
		return &problem{key: "faults", err: err}
	}
	return nil
}

// oneOf checks a name. The empty name stands for the default.
func oneOf(key, name string, names []string) *problem {
	if name == "" || slices.Contains(names, name) {
		return nil
	}
	return wrong(key, "is %q; there are %s", name, strings.Join(names, ", "))
}

func (e *Event) check(classes map[string]bool) *problem {
	switch e.Do {
	case "kill", "power cut", "tracker", "partition", "reset":
	default:
		return wrong("do", "is %q; there are kill, power cut, tracker, partition, reset", e.Do)
	}
	if e.Class != "" && !classes[e.Class] {
		return wrong("class", "is %q, which there is not", e.Class)
	}
	if e.Count < 0 {
		return wrong("count", "must be 0 or more")
	}
	return nil
}
