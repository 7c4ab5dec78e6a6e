// Package labview shows the result of a simulated swarm: as a table, as JSON
// lines, and as a page with plots.
package labview

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/paint"
)

// Table is a result for people: a table of at most 80 columns, and facts.
type Table struct {
	Result *lab.Result
	Nodes  bool // a row for each node, too
	Colour bool
}

// FactColumn is where the text of a fact begins.
const FactColumn = 12

var heads = []string{"class", "nodes", "done", "median", "95 %", "last", "in", "out", "waste", "restarts", "messages"}

// gaps are how many spaces stand before each column.
var gaps = []int{0, 2, 2, 2, 1, 1, 2, 1, 1, 1, 1}

// Write writes the table, and facts about the whole swarm below it.
func (t Table) Write(w io.Writer) error {
	r, p := t.Result, paint.Paint(t.Colour)
	rows := [][]string{heads}
	for _, nodes := range r.Classes() {
		rows = append(rows, row(nodes[0].Class, nodes))
	}
	classes := len(rows)
	rows = append(rows, row("all", r.Nodes))
	if t.Nodes {
		for _, n := range r.Nodes {
			rows = append(rows, row(n.Name, lab.Nodes{n}))
		}
	}
	width := make([]int, len(heads))
	for _, cells := range rows {
		for i, cell := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.Bold(title(r)))
	b.WriteString(p.Faint(over(width)) + "\n")
	for i, cells := range rows {
		line := ""
		for k, cell := range cells {
			space := strings.Repeat(" ", width[k]-utf8.RuneCountInString(cell))
			if k == 0 {
				line += cell + space
			} else {
				line += strings.Repeat(" ", gaps[k]) + space + cell
			}
		}
		switch {
		case i == 0:
			line = p.Faint(line)
		case i == classes:
			line = p.Bold(line)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteByte('\n')
	for _, f := range facts(r) {
		fmt.Fprintf(&b, "%s %s\n", p.Faint(fmt.Sprintf("%-*s", FactColumn-1, f[0])), f[1])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// took is what a swarm of processes took of the machine.
func took(r *lab.Result) string {
	p := r.Processes
	busy := p.Busy.Seconds() / (r.Real.Seconds() * float64(p.Cores))
	return fmt.Sprintf("%d in %s, which kept %d processors busy to %.0f %%; %s messages", p.Started, seconds(r.Real), p.Cores, 100*busy, count(r.Messages))
}

func title(r *lab.Result) string {
	if r.Processes != nil {
		where := ""
		if r.Processes.Namespaces {
			where = ", each in a network namespace"
		}
		return fmt.Sprintf("%s: played by %d nodes that are processes%s", cmp.Or(r.Scenario, "scenario"), len(r.Nodes), where)
	}
	return fmt.Sprintf("%s: %d nodes, %s in %d pieces, seed %d", cmp.Or(r.Scenario, "scenario"), len(r.Nodes),
		units.Bytes(int64(r.Played.Content)), r.Pieces, r.Seed)
}

// over is the line above the heads: titles for columns that belong together.
func over(width []int) string {
	from := func(column int) (at int) {
		for i := range column {
			at += gaps[i] + width[i]
		}
		return at + gaps[column]
	}
	line := strings.Repeat(" ", from(3)) + "complete after, s"
	line += strings.Repeat(" ", max(2, from(6)-len(line))) + "MiB of payload"
	return line
}

func row(name string, nodes lab.Nodes) []string {
	times, sum := nodes.Times(), nodes.Total()
	return []string{
		name, strconv.Itoa(len(nodes)), strconv.Itoa(nodes.Complete()),
		after(times, 0.5), after(times, 0.95), after(times, 1),
		mib(sum.Downloaded + sum.Duplicate), mib(sum.Uploaded), mib(sum.Wasted()), strconv.Itoa(sum.Restarts), count(sum.Messages),
	}
}

// facts are pairs of a name and a text.
func facts(r *lab.Result) [][2]string {
	sum, times := r.Total(), r.Times()
	done := fmt.Sprintf("%d of %d downloaders", len(times), r.Downloaders())
	if len(times) > 0 {
		done += fmt.Sprintf(", the last after %.1f s", r.End.Seconds())
		if r.Bound() > 0 {
			done += ": " + atBest(r)
		}
	}
	received := sum.Downloaded + sum.Duplicate
	f := [][2]string{
		{"complete", done},
		{"lower bound", Bound(r.Bounds)},
		{"fairness", fmt.Sprintf("%.2f (Jain's index of what the downloaders uploaded)", r.Fairness())},
		{"wasted", fmt.Sprintf("%s received twice, %s lost: %s of the payload", units.Bytes(sum.Duplicate), units.Bytes(sum.Lost), percent(sum.Wasted(), received))},
		{"simulation", fmt.Sprintf("%s of virtual time in %s; %s messages", seconds(r.Virtual), seconds(r.Real), count(r.Messages))},
	}
	if p := r.Processes; p != nil {
		f[len(f)-1] = [2]string{"processes", took(r)}
	}
	if r.Copies > 0 {
		f = slices.Insert(f, 3, [2]string{"seeds", fmt.Sprintf("sent %.2f copies until the downloaders had every piece", r.Copies)})
	}
	if all := r.LookupsFrom(0); all.Lookups > 0 {
		f = append(f, [2]string{"lookups", lookups(all)})
	}
	if text := plays(r); text != "" {
		f = append(f, [2]string{"played", text})
	}
	if sum.Crashes > 0 {
		f = append(f, [2]string{"crashes", crashes(sum)})
	}
	if n := len(r.Wrong); n > 0 {
		f = append(f, [2]string{"failed", units.Count(n, "check")})
	}
	return f
}

// crashes tells how often processes were ended, and how soon their nodes served
// or downloaded again.
func crashes(sum lab.Node) string {
	text := units.Count(sum.Crashes, "end") + " of processes, " + units.Count(len(sum.Repairs), "repair")
	if len(sum.Repairs) > 0 {
		mean, most := sum.Repair()
		text += fmt.Sprintf(" within %s on average, %s at most", seconds(mean), seconds(most))
	}
	return text
}

// atBest compares the end with the lower bound, or with the soonest end that
// the last arrival allows if that is later.
func atBest(r *lab.Result) string {
	best, name := r.Bound(), "the bound"
	for _, n := range r.Nodes {
		if at := n.Arrived + r.Slowest; !n.Seed && at > best {
			best, name = at, "what the last arrival allows"
		}
	}
	return fmt.Sprintf("%.1f × %s", r.End.Seconds()/best.Seconds(), name)
}

// Bound shows the lower bound, and the bounds of which it is the greatest.
func Bound(b lab.Bounds) string {
	if b.Bound() == 0 {
		return "none"
	}
	parts := []string{}
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"F/u_seed", b.Seeds}, {"F/d_min", b.Slowest}, {"N·F/Σu", b.All}} {
		if p.d > 0 {
			parts = append(parts, p.name+" "+seconds(p.d))
		}
	}
	return fmt.Sprintf("%s = max(%s)", seconds(b.Bound()), strings.Join(parts, ", "))
}

func after(times []time.Duration, part float64) string {
	if len(times) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", lab.Quantile(times, part).Seconds())
}

func mib(bytes int64) string {
	switch v := float64(bytes) / (1 << 20); {
	case bytes == 0:
		return "0"
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
}

// count writes a number in at most five characters.
func count(n uint64) string {
	switch v := float64(n); {
	case n < 100_000:
		return strconv.FormatUint(n, 10)
	case v < 1e6:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v < 1e7:
		return fmt.Sprintf("%.2fM", v/1e6)
	default:
		return fmt.Sprintf("%.0fM", v/1e6)
	}
}

func percent(part, of int64) string {
	if of == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
