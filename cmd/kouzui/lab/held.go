package lab

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"kouzui/actors"
	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/internal/spread"
	"kouzui/wire/metainfo"
)

// figures are what a download was like, by name, simulated or real.
type figures map[string]float64

// heldKinds are the kinds of actors through which payload goes on its way to
// the disk.
var heldKinds = []string{"peer", "store", "hash", "scheduler"}

// Names of figures; those of a kind of actor are of one message, on average.
const (
	cpuFigure, rateFigure  = "processor, s/GiB", "rate, MiB/s"
	waitFigure, workFigure = "wait of %s, us", "work of %s, us"
)

// figureNames are the names of figures, in the order in which they are shown.
func figureNames() []string {
	names := []string{cpuFigure, rateFigure}
	for _, kind := range heldKinds {
		names = append(names, fmt.Sprintf(waitFigure, kind), fmt.Sprintf(workFigure, kind))
	}
	return names
}

// figures of a download that took so many seconds, and so many of processors.
func (p *pair) figures(took, busy float64, down map[string]*event.Work) figures {
	const mib, gib = 1 << 20, 1 << 30
	f := figures{cpuFigure: busy * gib / float64(p.size), rateFigure: float64(p.size) / mib / took}
	for _, kind := range heldKinds {
		if w := down[kind]; w != nil && w.Handled > 0 {
			f[fmt.Sprintf(waitFigure, kind)] = w.Waiting.Seconds() * 1e6 / float64(w.Handled)
			f[fmt.Sprintf(workFigure, kind)] = w.Busy.Seconds() * 1e6 / float64(w.Handled)
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

// simulated is what the round would be like with the costs of a table, if each
// client had so many cores of its own, or both shared them.
func (p *pair) simulated(t *work.Table, cores int, shared bool) (figures, error) {
	raw, err := os.ReadFile(p.torrent)
	if err != nil {
		return nil, err
	}
	torrent, err := metainfo.Parse(raw)
	if err != nil {
		return nil, err
	}
	s := &lab.Scenario{Name: contentName, Content: lab.Size(p.size), Piece: lab.Size(torrent.PieceLength), Cost: t.Cost, Class: []lab.Class{
		{Name: "seed", Count: 1, Have: 1, Cores: cores, Memory: actors.DefaultMemory},
		{Name: "peer", Count: 1, Cores: cores, Memory: actors.DefaultMemory},
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

// held is downloads with so many processors each that the table was not made
// from.
type held struct {
	cores int
	real  []figures
}

// writeHeld holds a table against downloads.
func (p *pair) writeHeld(w io.Writer, t *work.Table, all []*held) error {
	for _, h := range all {
		shared := h.cores == runtime.NumCPU()
		simulated, err := p.simulated(t, h.cores, shared)
		if err != nil {
			return err
		}
		of := "of its own"
		if shared {
			of = "that both clients share"
		}
		fmt.Fprintf(w, "\n%s, %s: %s that the costs are not from, and a simulated one\n", units.Count(h.cores, "processor"), of, units.Count(len(h.real), "download"))
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(tab, "\tmedian\tleast\tmost\tsimulated\tdifference\t")
		for _, name := range figureNames() {
			var values []float64
			for _, f := range h.real {
				if v, is := f[name]; is {
					values = append(values, v)
				}
			}
			if s, is := spread.Of(values); is {
				fmt.Fprintf(tab, "%s\t%.3g\t%.3g\t%.3g\t%.3g\t%+.0f %%\t\n", name, s.Median, s.Least, s.Most, simulated[name], 100*(simulated[name]/s.Median-1))
			}
		}
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	return nil
}
