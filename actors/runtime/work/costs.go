package work

import (
	"bytes"
	_ "embed" // the table that ships
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
)

// Table is what handling messages costs on one machine.
type Table struct {
	Machine string `toml:"machine"` // on which it was measured
	Cost    []Cost `toml:"cost"`
}

// Cost is the time that handling messages of one type takes an actor of one
// kind. A connection counts as an actor of kind Link.
type Cost struct {
	Kind    string `toml:"kind"`
	Message string `toml:"message,omitempty"` // its type, without the package; "": all that have no cost of their own
	Time    Time   `toml:"time,omitzero"`     // of each
	KiB     Time   `toml:"kib,omitzero"`      // of each KiB of payload that comes with it, more
}

// Link is the kind of a connection, whose messages are Received and Sent: what
// has come from the network at a time, and what is handed to it. Their cost is
// that of the system's and of all else that no actor does.
const (
	Link     = "link"
	Received = "received"
	Sent     = "sent"
)

// Time is a duration, in TOML as "1.5us".
type Time time.Duration

// maxTime bounds a single cost: more is a slip.
const maxTime = time.Hour

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 || d > maxTime {
		return fmt.Errorf("%q must be a time such as 1.5us", text)
	}
	*t = Time(d)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(time.Duration(t).String()), nil }

// ReadTable reads a table from TOML. The error is one line.
func ReadTable(text string) (*Table, error) {
	t := &Table{}
	meta, err := toml.Decode(text, t)
	if err != nil {
		return nil, err
	}
	if odd := meta.Undecoded(); len(odd) > 0 {
		return nil, fmt.Errorf("a table of costs has no key %q", odd[0].String())
	}
	if len(t.Cost) == 0 {
		return nil, fmt.Errorf("a table of costs needs at least one [[cost]]")
	}
	return t, CheckCosts(t.Cost)
}

// CheckCosts tells what is wrong with costs.
func CheckCosts(costs []Cost) error {
	seen := map[[2]string]bool{}
	for _, c := range costs {
		switch which := [2]string{c.Kind, c.Message}; {
		case c.Kind == "":
			return fmt.Errorf("a cost must name a kind of actor")
		case seen[which]:
			return fmt.Errorf("two costs are for %s %s", c.Kind, c.Message)
		default:
			seen[which] = true
		}
	}
	return nil
}

// Unseen are the costs that are 0: what was measured was less than what other
// work on the machine did.
func (t *Table) Unseen() []Cost {
	return slices.DeleteFunc(slices.Clone(t.Cost), func(c Cost) bool { return c.Time > 0 || c.KiB > 0 })
}

// TOML is the table as text.
func (t *Table) TOML() string {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(t); err != nil {
		panic(err) // a table has nothing that TOML cannot express
	}
	return b.String()
}

//go:embed costs.toml
var shipped string

// Shipped is the table that comes with the program, one for all callers: it
// must not be changed.
var Shipped = sync.OnceValue(func() *Table {
	t, err := ReadTable(shipped)
	if err != nil {
		panic(err) // a test has read it
	}
	return t
})

// Costs finds the cost of a message.
type Costs struct{ by map[[2]string]Cost }

// NewCosts returns the costs of a table.
func NewCosts(table []Cost) *Costs {
	c := &Costs{by: make(map[[2]string]Cost, len(table))}
	for _, one := range table {
		c.by[[2]string{one.Kind, one.Message}] = one
	}
	return c
}

// Of is the cost of a message; what the table does not know costs nothing.
func (c *Costs) Of(kind, message string) Cost {
	if one, known := c.by[[2]string{kind, message}]; known {
		return one
	}
	return c.by[[2]string{kind, ""}]
}

// Took is how long a message with so many bytes of payload takes.
func (c Cost) Took(payload int) time.Duration {
	return time.Duration(c.Time) + time.Duration(float64(c.KiB)*float64(payload)/1024)
}
