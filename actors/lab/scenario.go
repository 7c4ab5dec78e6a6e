// Package lab runs swarms of whole clients, each with its supervision tree, in
// a simulated world, and checks what must be true of every swarm whatever
// happens.
//
// A Scenario describes the nodes and what happens to them; Read reads one from
// TOML, Random draws one from a seed. Run plays it. The same scenario with the
// same seed is the same run.
package lab

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
	"kouzui/actors/world/sim"
	"kouzui/wire/metainfo"
)

// Scenario is a swarm and what happens to it. Times are virtual and count from
// the start. In TOML the keys are the names of the fields in lower case.
type Scenario struct {
	Name    string
	About   string
	Content Size // of the torrent
	Piece   Size
	Private bool   // BEP 27
	Payload string // PayloadDescribed unless it is PayloadReal
	Limit   Time   // by when every node that can must be complete
	Until   Time   // if set: when the run ends, whoever is complete by then
	Tracker string // over what it is asked: TrackerHTTP or TrackerUDP; "" is TrackerHTTP
	// Announce is the interval between announces that trackers ask for.
	Announce Time
	// Costs is a file with the costs of messages, and Cost are such costs: those
	// of the file, once they are read. Neither: those that come with the program.
	// They matter to classes that have Cores.
	Costs string
	Cost  []work.Cost
	// Patterns are those of the world, and of all classes that choose no other of
	// the same kind.
	Patterns pattern.Choice
	Class    []Class
	Event    []Event
}

// Class is a number of nodes of one kind.
type Class struct {
	Name   string
	Count  int
	Up     Rate // 0: no bound
	Down   Rate
	Limits bool // Up and Down are limits of the client, as with --max-upload-limit, and not of its link
	Delay  Time // to the middle of the network
	Jitter Time
	Loss   float64 // part of the segments and datagrams that are lost; segments are sent again
	Double float64 // part of the datagrams that come twice
	// SendBuffer is how much the socket of each connection takes before it has
	// left the node; 0: what sim.Class says.
	SendBuffer Size
	// Queue is how long what the node sends waits before its uplink while that
	// is busy.
	Queue Time
	Disk  Disk
	NAT   NAT

	Have   float64 // part of the pieces that are there at the start, 1: all
	Copies int     // or: how many copies are dealt out among the nodes of the class
	Arrive Time    // from then on ...
	Within Time    // ... in the course of this
	Leave  string  // "" never, "complete" when everything is there, or how long after its arrival
	Linger Time    // how long it seeds before it leaves when everything is there
	Memory Size

	Picker, Choker string         // short for two of Patterns
	Patterns       pattern.Choice // other than those of the scenario
	Slots          int
	SuperSeed      string // "" is "auto"; "always" or "never"
	Encryption     string // "" is "allow"; "prefer", "require" or "off"
	Peers          int    // connections at most
	Magnet         bool   // they know the info hash alone, and no tracker, as from a magnet link
	Knows          string // the class whose first node, if it is there, they are given the address of, as with --peer; "": none
	NoPEX          bool   // they tell peers of no others, and take none from them
	DHT            string // one of messages.DHTMode; "" is "auto"
	Plays          Rate   // they play the content while they download it; 0: they do not
	Jump           Time   // after so long, those who play go on in the middle of what is left; 0: they do not
	Processors     int    // of the machine, which is also the number of hash workers; 0: as many as Cores, or 2
	Cores          int    // that handle messages, each of which takes what its cost says; 0: they take no time
	Machine        string // the nodes of all classes that name the same one share its cores; "": each has its own
	Faults         []string
	// Hostile are names of scripts: the nodes are foes without a client, which
	// play one of these scripts on each connection. Empty: the nodes are clients.
	Hostile []string
	// Bare says that the nodes have no torrent, but are in the DHT alone.
	Bare bool
	// Search is how often a bare node looks for what another has announced in the
	// DHT; 0: never, and it announces nothing either.
	Search Time
	Hashes int // how many of these nodes announce an info hash of their own; 0: all
}

// Disk is how fast the disks of a class are, and how much they hold.
type Disk struct {
	Rate     Rate
	Latency  Time
	Capacity Size // 0: no bound
}

// Event is something that happens to the world.
type Event struct {
	At Time
	// Do is "kill" (the process dies and comes back), "power cut" (so does the
	// machine), "tracker" (it is dead), "partition" (every second node is cut off
	// from the others) or "reset" (a connection breaks).
	Do    string
	For   Time   // how long it lasts
	Every Time   // 0: it happens once; else again after each such time, while any node is not complete
	Class string // of kill, power cut and reset: the class of the nodes; "": all classes
	Count int    // how many of them, drawn by chance; 0: all
}

// Size is a number of bytes, in TOML a number, or a text such as "64 MiB".
type Size int64

// Rate is in bytes a second, in TOML a number, or a text such as "1 MB/s" or
// "8 Mbit".
type Rate int64

// Time is a duration, in TOML as "1m30s".
type Time time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := units.ParseBytes(string(text))
	*s = Size(n)
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rate) UnmarshalText(text []byte) error {
	n, err := units.ParseRate(string(text))
	*r = Rate(n)
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	d, err := units.ParseDuration(string(text))
	if err == nil && d < 0 {
		err = errors.New("must be 0 or more")
	}
	if err != nil {
		return fmt.Errorf("%q %w", text, err)
	}
	*t = Time(d)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(time.Duration(t).String()), nil }

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range []struct {
		unit string
		n    Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s%u.n == 0 && s > 0 {
			return fmt.Appendf(nil, "%d %s", s/u.n, u.unit), nil
		}
	}
	return fmt.Appendf(nil, "%d B", int64(s)), nil
}

// MarshalText implements encoding.TextMarshaler.
func (r Rate) MarshalText() ([]byte, error) { return Size(r).MarshalText() }

// TOML is the scenario in the form that Read reads, without fields that are
// zero.
func (s *Scenario) TOML() string {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(said(reflect.ValueOf(*s))); err != nil {
		panic(err) // a scenario has nothing that TOML cannot express
	}
	return b.String()
}

// said is a struct as a map by the keys of its fields, without those that are
// zero.
func said(v reflect.Value) map[string]any {
	keys := map[string]any{}
	for i := range v.NumField() {
		f, key := v.Field(i), strings.ToLower(v.Type().Field(i).Name)
		switch {
		case f.IsZero():
		case f.Kind() == reflect.Struct:
			keys[key] = said(f)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			var tables []map[string]any
			for k := range f.Len() {
				tables = append(tables, said(f.Index(k)))
			}
			keys[key] = tables
		default:
			keys[key] = f.Interface()
		}
	}
	return keys
}

// Read reads a scenario from TOML. An error is one line, and names the line of
// the text.
func Read(text string) (*Scenario, error) {
	s, err := decode(text)
	if err != nil {
		return nil, located(text, err)
	}
	return s, nil
}

func decode(text string) (*Scenario, error) {
	s := &Scenario{}
	meta, err := toml.Decode(text, s)
	if err != nil {
		return nil, err
	}
	if odd := meta.Undecoded(); len(odd) > 0 {
		return nil, unknown(odd[0])
	}
	s.cleanText()
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// maxText is the length in bytes of the longest text in a scenario that is
// shown in full.
const maxText = 4096

// cleanText makes fit to be shown what a terminal, a page and its title show.
func (s *Scenario) cleanText() {
	s.Name, s.About = metainfo.Clean(s.Name, maxText), metainfo.Clean(s.About, maxText)
	for i := range s.Class {
		s.Class[i].Name = metainfo.Clean(s.Class[i].Name, maxText)
	}
	for i := range s.Event {
		s.Event[i].Class = metainfo.Clean(s.Event[i].Class, maxText)
	}
}

// Payload is either real bytes, or described (see package described), which
// takes a fraction of the time and the memory. The runs are the same to the
// last message.
const (
	PayloadReal      = "real"
	PayloadDescribed = "described"
)

// Leaving says when nodes of the class leave: when they are complete, or that
// long after they came; 0: neither.
func (c *Class) Leaving() (complete bool, after time.Duration, err error) {
	switch c.Leave {
	case "":
	case "complete":
		complete = true
	default:
		if after, err = units.ParseDuration(c.Leave); err != nil || after <= 0 {
			err = fmt.Errorf("leave is %q, and must be \"complete\" or a time", c.Leave)
		}
	}
	return complete, after, err
}

func (c *Class) faults() ([]fault.Spec, error) {
	specs := make([]fault.Spec, len(c.Faults))
	for i, text := range c.Faults {
		spec, err := fault.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", text, err)
		}
		specs[i] = spec
	}
	return specs, nil
}

func (c *Class) host(cores *sim.Cores, costs *work.Costs) sim.Class {
	up, down := c.Up, c.Down
	if c.Limits {
		up, down = 0, 0
	}
	return sim.Class{
		Up: int64(up), Down: int64(down), Loss: c.Loss, Double: c.Double,
		Delay: time.Duration(c.Delay), Jitter: time.Duration(c.Jitter), SendBuffer: int64(c.SendBuffer), Queue: time.Duration(c.Queue),
		Disk:  sim.DiskClass{Rate: int64(c.Disk.Rate), Latency: time.Duration(c.Disk.Latency)},
		NAT:   c.NAT.host(),
		Cores: cores, Costs: costs,
	}
}
