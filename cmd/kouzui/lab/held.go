package lab

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/internal/spread"
)

// figures are what a download was like, by name, simulated or real.
type figures map[string]float64

// Names of figures.
const (
	rateFigure = "rate, MiB/s"
	cpuFigure  = "all work, s/GiB"
	workFigure = "work of %s, s/GiB"
	waitFigure = "wait of %s, us" // of a message, on average
)

// heldKinds are the kinds of actors through which payload goes on its way to
// the disk. A peer may have dialled or been dialled.
var heldKinds = []string{"hash", "store", "peer", "scheduler"}

// figureNames are the names of figures, in the order in which they are shown.
func figureNames() []string {
	names := []string{rateFigure, cpuFigure}
	for _, figure := range []string{workFigure, waitFigure} {
		for _, kind := range heldKinds {
			names = append(names, fmt.Sprintf(figure, kind))
		}
	}
	return names
}

// figures are those of a download that took so many seconds, and so many of
// processors, in which kinds of actors of the downloader did so much.
func (p *pair) figures(took, busy float64, down map[string]*event.Work) figures {
	const mib, gib = 1 << 20, 1 << 30
	size := float64(p.content.Info.Length)
	f := figures{rateFigure: size / mib / took, cpuFigure: busy * gib / size}
	for _, kind := range heldKinds {
		w := down[kind]
		if kind == "peer" && w == nil {
			w = down["inbound-peer"]
		}
		if w != nil && w.Handled > 0 {
			f[fmt.Sprintf(workFigure, kind)] = w.Busy.Seconds() * gib / size
			f[fmt.Sprintf(waitFigure, kind)] = w.Waiting.Seconds() * 1e6 / float64(w.Handled)
		}
	}
	return f
}

// seenReal is what a round was like.
func (p *pair) seenReal(d download) figures {
	busy := 0.0
	for _, side := range []map[string]*event.Work{d.Down, d.Up} {
		if w := side[work.Processor]; w != nil {
			busy += w.Busy.Seconds()
		}
	}
	return p.figures(d.whole.Seconds(), busy, d.Down)
}

// checked is when a simulated seed has surely checked its data, which a real
// one has in its journal.
const checked = 10 * time.Second

// simulated is what the round would be like with the costs of a table, if each
// client had so many cores of its own, or both shared them.
func (p *pair) simulated(t *work.Table, cores int, shared bool) (figures, error) {
	info := p.content.Info
	s := &lab.Scenario{Name: info.Name, Content: lab.Size(info.Length), Piece: lab.Size(info.PieceLength), Cost: t.Cost, Class: []lab.Class{
		{Name: "seed", Count: 1, Have: 1, Cores: cores, Memory: actors.DefaultMemory},
		{Name: "peer", Count: 1, Cores: cores, Memory: actors.DefaultMemory, Arrive: lab.Time(checked)},
	}}
	for i := range s.Class {
		if shared {
			s.Class[i].Machine = "this"
		}
	}
	sides := byRoot{}
	r, err := lab.Run(s, lab.Options{Seed: 1, Quick: true, Trace: []event.Sink{sides}})
	if err == nil && len(r.Wrong) > 0 {
		err = r.Wrong[0]
	}
	if err != nil {
		return nil, fmt.Errorf("the simulated download fails: %w", err)
	}
	took, busy := 0.0, 0.0
	moved := map[string]map[string]*event.Work{}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		side := sides[n.Name]
		if side == nil {
			return nil, fmt.Errorf("the simulated download: %s did nothing", n.Name)
		}
		if !n.Seed {
			took = (n.Arrived + n.Took - side.connected.Sub(lab.Epoch)).Seconds()
		}
		moved[n.Class] = side.moved()
		for _, w := range moved[n.Class] {
			if !w.Device {
				busy += w.Busy.Seconds()
			}
		}
	}
	return p.figures(took, busy, moved["peer"]), nil
}

// byRoot are the events of several processes, by the root of their actors.
type byRoot map[string]*seen

// Record implements event.Sink.
func (b byRoot) Record(e *event.Event) {
	root, _, _ := strings.Cut(e.Actor, "/")
	if b[root] == nil {
		b[root] = &seen{}
	}
	b[root].Record(e)
}

// writeHeld holds a table against downloads: for each number of cores the
// quickest, beside the median of all, and a simulated one.
func (p *pair) writeHeld(w io.Writer, t *work.Table, all []download) error {
	for _, cores := range slices.Compact([]int{1, runtime.NumCPU()}) {
		var real []figures
		for _, d := range all {
			if d.cores == cores {
				real = append(real, p.seenReal(d))
			}
		}
		if len(real) == 0 {
			continue
		}
		shared := cores == runtime.NumCPU()
		simulated, err := p.simulated(t, cores, shared)
		if err != nil {
			return err
		}
		of := "for each client"
		if shared {
			of = "for both clients"
		}
		quickest := slices.MaxFunc(real, func(a, b figures) int { return cmp.Compare(a[rateFigure], b[rateFigure]) })
		fmt.Fprintf(w, "\n%s %s: the quickest of %s, and a simulated one\n", units.Count(cores, "processor"), of, units.Count(len(real), "download"))
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(tab, "\tmedian\tquickest\tsimulated\tdifference\t")
		for _, name := range figureNames() {
			var values []float64
			for _, f := range real {
				values = append(values, f[name])
			}
			s, _ := spread.Of(values)
			fmt.Fprintf(tab, "%s\t%.3g\t%.3g\t%.3g\t%s\t\n", name, s.Median, quickest[name], simulated[name], off(simulated[name], quickest[name]))
		}
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// off is how far a figure is from a real one.
func off(simulated, real float64) string {
	if real == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.0f %%", 100*(simulated/real-1))
}
