package traceview

import (
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/paint"
)

// foldFrom is from how many on actors of one kind that stopped without a
// failure share a line.
const foldFrom = 4

// Tree shows the actors as they stood at a time of a run.
type Tree struct {
	Header trace.Header
	At     time.Time
	Lives  []trace.Life // by path
	All    bool         // actors that had stopped too, each on a line of its own
	Paint  Paint
	Width  int // at which lines are wrapped; 0: they are not
}

// Write draws the tree. If no actor runs any more, the tree shows all that did.
// Actors of one kind that stopped without a failure share a line.
func (t Tree) Write(w io.Writer) error {
	living, restarts := 0, 0
	for _, l := range t.Lives {
		restarts += l.Restarts
		if !l.Gone {
			living++
		}
	}
	children, known := map[string][]trace.Life{}, map[string]bool{}
	for _, l := range t.Lives {
		known[l.Path] = true
	}
	for _, l := range t.Lives {
		if l.Gone && living > 0 && !t.All {
			continue
		}
		parent := l.Parent
		if !known[parent] {
			parent = "" // a root, or an actor whose parent is missing in the trace
		}
		children[parent] = append(children[parent], l)
	}
	d := drawing{Tree: t, children: children}
	d.list("", "")
	width := 0
	for _, r := range d.rows {
		width = max(width, utf8.RuneCountInString(r.left))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", t.Paint.faint(paint.Wrap(fmt.Sprintf("run %s, %.3f s after its start at %s: %s%s",
		clean(t.Header.Run), t.At.Sub(t.Header.StartedAt).Seconds(), t.Header.StartedAt.Format(time.RFC3339),
		population(living), list(", ", restarted(restarts))), t.Width, 0)))
	for _, r := range d.rows {
		b.WriteString(r.branch + r.name)
		if r.right != "" {
			indent := width + 2
			b.WriteString(strings.Repeat(" ", indent-utf8.RuneCountInString(r.left)))
			below := "\n" + t.Paint.faint(r.below) + strings.Repeat(" ", indent-utf8.RuneCountInString(r.below))
			b.WriteString(strings.ReplaceAll(paint.Wrap(r.right, t.Width-indent, 0), "\n", below))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type drawing struct {
	Tree
	children map[string][]trace.Life
	rows     []row
}

type row struct {
	left         string // branch and name, without colours
	branch, name string
	right        string
	below        string // branches beside further lines of right
}

// list draws the children of parent, each behind indent.
func (d *drawing) list(parent, indent string) {
	lives := d.children[parent]
	folded := map[string]int{}
	for _, l := range lives {
		if d.dull(l) {
			folded[l.Kind]++
		}
	}
	type item struct {
		life trace.Life
		fold int // 0: the actor itself
	}
	var items []item
	for _, l := range lives {
		n := folded[l.Kind]
		switch {
		case !d.dull(l) || n > 0 && n < foldFrom:
			items = append(items, item{l, 0})
		case n > 0:
			items = append(items, item{l, n})
			folded[l.Kind] = -1
		}
	}
	for i, it := range items {
		branch, below := "├ ", "│ "
		if i == len(items)-1 {
			branch, below = "└ ", "  "
		}
		if parent == "" {
			branch, below = "", ""
		}
		name, right := d.Paint.bold(clean(path.Base(it.life.Path))), d.about(it.life)
		plain := clean(path.Base(it.life.Path))
		if it.fold > 0 {
			plain = fmt.Sprintf("… %d of kind %s", it.fold, clean(it.life.Kind))
			name, right = d.Paint.faint(plain), d.Paint.faint("stopped, without a failure")
		}
		beside := indent + below
		if it.fold == 0 && len(d.children[it.life.Path]) > 0 {
			beside += "│"
		}
		d.rows = append(d.rows, row{left: indent + branch + plain, branch: d.Paint.faint(indent + branch), name: name, right: right, below: beside})
		if it.fold == 0 {
			d.list(it.life.Path, indent+below)
		}
	}
}

// dull says that an actor stopped without a failure and has no children to
// show.
func (d *drawing) dull(l trace.Life) bool {
	return !d.All && l.Gone && l.Failures == 0 && l.Restarts == 0 && len(d.children[l.Path]) == 0
}

func (d *drawing) about(l trace.Life) string {
	p := d.Paint
	var parts []string
	switch {
	case l.Gone:
		parts = append(parts, p.faint(ending(l.Ending)))
	case l.State == supervise.StateRunning:
		parts = append(parts, string(l.State))
	case l.State == supervise.StateStarting, l.State == supervise.StateStopping:
		parts = append(parts, p.warning(string(l.State)))
	default:
		parts = append(parts, p.red(string(l.State)))
	}
	if l.Restarts > 0 {
		parts = append(parts, p.warning(restarted(l.Restarts)))
	}
	down := l.Down
	if !l.Gone && !l.DownSince.IsZero() {
		down += d.At.Sub(l.DownSince)
	}
	if down > 0 {
		parts = append(parts, after(down))
	}
	if l.Depth > 0 {
		parts = append(parts, count(l.Depth, "message", "waiting"))
	}
	if l.LastReason != "" {
		parts = append(parts, "last failure: "+clean(l.LastReason))
	}
	return strings.Join(parts, ", ")
}

func ending(reason string) string {
	if reason == supervise.ReasonParent {
		return "stopped with its parent"
	}
	return "stopped: " + because(reason)
}

func population(living int) string {
	if living == 0 {
		return "no actor runs any more"
	}
	return units.Count(living, "actor")
}

func restarted(n int) string {
	if n == 0 {
		return ""
	}
	return units.Count(n, "restart")
}
