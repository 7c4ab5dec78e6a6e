package labview

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"kouzui/actors/lab"
	"kouzui/cmd/kouzui/internal/paint"
)

// Versus is one scenario that was simulated and played by processes.
type Versus struct {
	Simulated, Real *lab.Result
	Nodes           bool // a row for each node, too
	Colour          bool
	Command         string   // that plays it again
	Notes           []string // what processes have not played
}

// measure is a number of a run, or of one class.
type measure struct {
	Of   string // the class; empty: all
	Key  string // in JSON
	Name string
	Unit string
	of   func(*lab.Result, lab.Nodes) (float64, bool)
}

// measures are those by which the runs are compared.
func (v Versus) measures() (list []measure) {
	late := func(part float64) func(*lab.Result, lab.Nodes) (float64, bool) {
		return func(_ *lab.Result, nodes lab.Nodes) (float64, bool) {
			times := nodes.Times()
			return lab.Quantile(times, part).Seconds(), len(times) > 0
		}
	}
	of := func(class string) []measure {
		return []measure{
			{class, "complete_after_median_seconds", "median", "s", late(0.5)},
			{class, "complete_after_last_seconds", "last", "s", late(1)},
		}
	}
	classes := v.Simulated.Classes()
	for _, nodes := range classes {
		if nodes.Downloaders() > 0 && len(classes) > 2 {
			list = append(list, of(nodes[0].Class)...)
		}
	}
	list = append(list, of("")...)
	return append(list,
		measure{"", "all_complete_at_seconds", "all complete at", "s", func(r *lab.Result, _ lab.Nodes) (float64, bool) { return r.End.Seconds(), r.End > 0 }},
		measure{"", "seed_copies", "copies sent by seeds until all were out", "", func(r *lab.Result, _ lab.Nodes) (float64, bool) { return r.Copies, r.Copies > 0 }},
		measure{"", "fairness_jain", "fairness", "", func(_ *lab.Result, nodes lab.Nodes) (float64, bool) { return nodes.Fairness(), nodes.Fairness() > 0 }},
		measure{"", "wasted_bytes", "wasted", "MiB", func(_ *lab.Result, nodes lab.Nodes) (float64, bool) {
			sum := nodes.Total()
			return float64(sum.Wasted()) / (1 << 20), true
		}},
	)
}

// value is the measure of a run; false: it has none.
func (m measure) value(r *lab.Result) (float64, bool) {
	if m.Of == "" {
		return m.of(r, r.Nodes)
	}
	return m.of(r, r.OfClass(m.Of))
}

// title names the measure and whom it is of.
func (m measure) title() string {
	title := m.Name
	if m.Unit != "" {
		title += ", " + m.Unit
	}
	if m.Of != "" {
		title = m.Of + ": " + title
	}
	return title
}

var versusHeads = []string{"", "simulated", "processes", "difference", ""}

// rows are the differences, for people.
func (v Versus) rows() (rows [][]string) {
	for _, m := range v.measures() {
		a, isA := m.value(v.Simulated)
		b, isB := m.value(v.Real)
		row := []string{m.title(), "-", "-", "", ""}
		if isA {
			row[1] = fmt.Sprintf("%.2f", a)
		}
		if isB {
			row[2] = fmt.Sprintf("%.2f", b)
		}
		if isA && isB {
			row[3] = fmt.Sprintf("%+.2f", b-a)
			if a > 0 {
				row[4] = fmt.Sprintf("%+.0f %%", 100*(b-a)/a)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Write writes both tables, and their differences.
func (v Versus) Write(w io.Writer) error {
	for _, r := range []*lab.Result{v.Simulated, v.Real} {
		if err := (Table{Result: r, Nodes: v.Nodes, Colour: v.Colour}).Write(w); err != nil {
			return err
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	p := paint.Paint(v.Colour)
	var b strings.Builder
	for i, line := range aligned(slices.Concat([][]string{versusHeads}, v.rows())) {
		if i == 0 {
			line = p.Faint(line)
		}
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// differenceLine is a measure of both runs.
type differenceLine struct {
	Schema     string   `json:"schema"`
	Type       string   `json:"type"`
	Of         string   `json:"of"` // a class, or empty: the swarm
	Measure    string   `json:"measure"`
	Simulated  *float64 `json:"simulated"`
	Processes  *float64 `json:"processes"`
	Difference *float64 `json:"difference"` // of the processes to the simulated
}

// WriteLines writes the lines of the simulated run, those of the processes, and
// one for each difference.
func (v Versus) WriteLines(w io.Writer) error {
	if err := WriteLines(w, v.Simulated); err != nil {
		return err
	}
	if err := WriteLines(w, v.Real); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	for _, m := range v.measures() {
		one := differenceLine{Schema: Schema, Type: "difference", Of: m.Of, Measure: m.Key}
		scale := 1.0
		if m.Unit == "MiB" {
			scale = 1 << 20
		}
		a, isA := m.value(v.Simulated)
		b, isB := m.value(v.Real)
		digits := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
		a, b = digits(a*scale), digits(b*scale)
		difference := digits(b - a)
		if isA {
			one.Simulated = &a
		}
		if isB {
			one.Processes = &b
		}
		if isA && isB {
			one.Difference = &difference
		}
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	return nil
}
