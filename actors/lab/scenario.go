// Package lab runs swarms of whole clients, the supervision tree of package
// actors each, in a simulated world, and holds them against what must be true
// whatever happens.
//
// A Scenario says what there is and what happens to it; Read takes one from TOML, Random
// draws one from a seed. Run plays it; the same scenario with the same seed is
// the same run.
package lab

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"kouzui/actors"
	"kouzui/actors/fault"
	"kouzui/actors/supervise"
	"kouzui/actors/world/described"
	"kouzui/actors/world/sim"
)

// Scenario is a swarm and what happens to it. Times are virtual, and counted
// from the start. In TOML the keys are the names of the fields in lower case.
type Scenario struct {
	Name    string
	About   string
	Content Size // of the torrent
	Piece   Size
	Payload string // PayloadDescribed unless it is PayloadReal
	Limit   Time   // by when everybody who can must have finished
	// Announce is how often trackers want to be asked.
	Announce Time
	Class    []Class
	Event    []Event
}

// Class is nodes of a kind.
type Class struct {
	Name   string
	Count  int
	Up     Size // bytes a second; 0: no bound
	Down   Size
	Limits bool // the client itself keeps to Up and Down, as with --max-upload-limit; its link could do more
	Delay  Time // to the middle of the network
	Jitter Time
	Loss   float64 // part of the segments
	Disk   Disk

	Have   float64 // part of the pieces that are there at the start, 1: all
	Copies int     // or: so many copies are dealt out among the nodes of the class
	Arrive Time    // from then on ...
	Within Time    // ... in the course of this
	Leave  string  // "" never, "complete" when everything is there, or how long after its arrival
	Memory Size

	Picker, Choker string
	Slots          int
	Peers          int // connections at most
	Restarts       Restarts
	Mailbox        string // "": the simulator's; see mailboxes
	Processors     int    // of the machine: as many hash workers; 0: 2
	Faults         []string
	// Hostile are what nodes without a client do that are in the swarm to do harm:
	// one of these on each connection. Empty: the nodes are clients.
	Hostile []string
}

// Restarts is how a class supervises; what is zero is as in
// supervise.DefaultBackoff.
type Restarts struct {
	Strategy                   string // "one-for-one" or "all-for-one"
	Base, Cap, Window, Healthy Time
	Budget                     int
	Factor, Jitter             float64
}

// Disk is how quick disks are, and what they hold.
type Disk struct {
	Rate     Size // bytes a second
	Latency  Time
	Capacity Size // 0: no bound
}

// Event is something that happens to the world.
type Event struct {
	At Time
	// Do is "kill" (the process dies and comes back), "power cut" (so does the
	// machine), "tracker" (it is dead), "partition" (every second node is cut
	// off from the others) or "reset" (a connection breaks).
	Do    string
	For   Time   // until it is over
	Class string // of kill, power cut and reset: whom; "": all classes
	Count int    // so many of them, drawn by chance; 0: all
}

// Size is a number of bytes, in TOML also as "64 MiB".
type Size int64

// Time is a duration, in TOML as "1m30s".
type Time time.Duration

var sizes = []struct {
	unit string
	n    float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range sizes {
		if number, is := strings.CutSuffix(string(text), u.unit); is {
			var n float64
			if _, err := fmt.Sscanf(strings.TrimSpace(number), "%g", &n); err != nil || n < 0 {
				break
			}
			*s = Size(n * u.n)
			return nil
		}
	}
	return fmt.Errorf("%q is no size such as \"64 MiB\"", text)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time such as \"1m30s\"", text)
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

// TOML is the scenario as Read takes it, without what says nothing.
func (s *Scenario) TOML() string {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(said(reflect.ValueOf(*s))); err != nil {
		panic(err) // there is nothing in it that TOML could not say
	}
	return b.String()
}

// said is a struct by the keys of its fields, but for those that are zero.
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

// Read takes a scenario from TOML. What is wrong with it is one line, which names
// that of the text.
func Read(text string) (*Scenario, error) {
	s := &Scenario{}
	meta, err := toml.Decode(text, s)
	if err != nil {
		return nil, located(text, err)
	}
	if odd := meta.Undecoded(); len(odd) > 0 {
		return nil, located(text, unknown(odd[0]))
	}
	if err := s.check(); err != nil {
		return nil, located(text, err)
	}
	return s, nil
}

// What payload is made of: its bytes, or what package described says of them,
// which takes a fraction of the time and the memory. Whatever happens is the same.
const (
	PayloadReal      = "real"
	PayloadDescribed = "described"
)

// maxNodes bounds a swarm: each address is one of 10.0.0.0/8.
const maxNodes = 100_000

// check completes a scenario and says what is wrong with it.
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
	hostile := slices.ContainsFunc(s.Class, func(c Class) bool { return len(c.Hostile) > 0 })
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
	if s.Limit == 0 {
		s.Limit = Time(time.Hour)
	}
	if s.Announce == 0 {
		s.Announce = Time(2 * time.Minute)
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
		if names[c.Name] {
			return wrong("name", "%q is another class's already", c.Name).in("class", i)
		}
		names[c.Name] = true
		nodes += c.Count
	}
	if nodes == 0 || nodes > maxNodes {
		return &problem{table: "class", key: "count", err: fmt.Errorf("%d nodes; there must be 1 to %d", nodes, maxNodes)}
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
	case c.Have < 0 || c.Have > 1:
		return wrong("have", "must be from 0 to 1")
	case c.Copies < 0 || c.Copies > c.Count:
		return wrong("copies", "must be from 0 to count, which is %d", c.Count)
	case c.Copies > 0 && c.Have > 0:
		return wrong("copies", "and have exclude each other")
	case c.Loss < 0 || c.Loss >= 1:
		return wrong("loss", "must be from 0 to below 1")
	case c.Slots < 0:
		return wrong("slots", "must be 0 or more")
	case c.Peers < 0:
		return wrong("peers", "must be 0 or more")
	case c.Processors < 0:
		return wrong("processors", "must be 0 or more")
	}
	if p := oneOf("picker", c.Picker, actors.Pickers()); p != nil {
		return p
	}
	if p := oneOf("choker", c.Choker, actors.Chokers()); p != nil {
		return p
	}
	if p := oneOf("mailbox", c.Mailbox, slices.Sorted(maps.Keys(mailboxes))); p != nil {
		return p
	}
	if r := c.Restarts; r.Budget < 0 || r.Factor < 0 || r.Jitter < 0 || r.Jitter > 1 {
		return wrong("restarts", "needs a budget and a factor of 0 or more, and a jitter from 0 to 1")
	}
	if p := oneOf("strategy", c.Restarts.Strategy, []string{"one-for-one", "all-for-one"}); p != nil {
		p.key = "restarts"
		return p
	}
	if _, _, err := c.leave(); err != nil {
		return &problem{key: "leave", err: err}
	}
	if p := c.checkHostile(); p != nil {
		return p
	}
	if _, err := c.faults(); err != nil {
		return &problem{key: "faults", err: err}
	}
	return nil
}

// oneOf checks a name; the empty one is the default's.
func oneOf(key, name string, names []string) *problem {
	if name == "" || slices.Contains(names, name) {
		return nil
	}
	return wrong(key, "is %q; there are %s", name, strings.Join(names, ", "))
}

func (c *Class) leave() (complete bool, after time.Duration, err error) {
	switch c.Leave {
	case "":
	case "complete":
		complete = true
	default:
		if after, err = time.ParseDuration(c.Leave); err != nil || after <= 0 {
			err = fmt.Errorf("leave is %q, which is neither \"complete\" nor a time", c.Leave)
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

func (r Restarts) backoff() supervise.Backoff {
	b := supervise.DefaultBackoff
	b.Base = cmp.Or(time.Duration(r.Base), b.Base)
	b.Cap = cmp.Or(time.Duration(r.Cap), b.Cap)
	b.Window = cmp.Or(time.Duration(r.Window), b.Window)
	b.Healthy = cmp.Or(time.Duration(r.Healthy), b.Healthy)
	b.Budget = cmp.Or(r.Budget, b.Budget)
	b.Factor = cmp.Or(r.Factor, b.Factor)
	b.Jitter = cmp.Or(r.Jitter, b.Jitter)
	b.All = r.Strategy == "all-for-one"
	return b
}

func (c *Class) host() sim.Class {
	up, down := c.Up, c.Down
	if c.Limits {
		up, down = 0, 0
	}
	return sim.Class{
		Up: int64(up), Down: int64(down), Loss: c.Loss,
		Delay: time.Duration(c.Delay), Jitter: time.Duration(c.Jitter),
		Disk: sim.DiskClass{Rate: int64(c.Disk.Rate), Latency: time.Duration(c.Disk.Latency)},
	}
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
