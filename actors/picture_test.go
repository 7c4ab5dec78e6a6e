package actors_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

var draw = flag.Bool("draw", false, "write docs/tree.svg anew")

// TestTheTreeIsAsDrawn holds docs/tree.svg against the actors of a download as
// it runs. Actors that differ only by a number are drawn once.
func TestTheTreeIsAsDrawn(t *testing.T) {
	const file = "../docs/tree.svg"
	torrent, data := stage.Torrent(t, 8<<20, 256<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	torrent.Announce = [][]string{{trackerOf(t, addr)}}
	n := start(t, actors.Options{Listen: "127.0.0.1:0", Limits: messages.SetLimits{Down: 2 << 20}})
	n.add(torrent, messages.TorrentOptions{Dir: t.TempDir()})
	await(n, func(p *messages.Progress) bool { return p.HavePieces > 0 && p.Peers > 0 })

	paths := map[string]bool{}
	for _, node := range n.Tree().Snapshot() {
		paths[drawnPath(node.Path)] = true
	}
	picture := drawTree(slices.Sorted(maps.Keys(paths)))
	if *draw {
		if err := os.WriteFile(file, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if drawn, err := os.ReadFile(file); err != nil || !bytes.Equal(drawn, picture) {
		t.Errorf("docs/tree.svg does not show the tree as it runs (error %v): draw it with go test ./actors -run %s -draw", err, t.Name())
	}
}

var (
	numbered = regexp.MustCompile(`-\d+(/|$)`)
	hashed   = regexp.MustCompile(`torrent-[0-9a-f]{8}`)
)

// drawnPath replaces what differs from actor to actor of a kind.
func drawnPath(path string) string {
	return numbered.ReplaceAllString(hashed.ReplaceAllString(path, "torrent-hash"), "-n$1")
}

// drawTree draws actors, given by their sorted paths, with the root at the
// left: one column for each depth, one row for each actor without children.
func drawTree(paths []string) []byte {
	const column, row, width, height, margin = 118, 32, 100, 24, 8
	children := map[string][]string{}
	for _, p := range paths {
		if parent := path.Dir(p); parent != "." {
			children[parent] = append(children[parent], p)
		}
	}
	var boxes, lines bytes.Buffer
	rows, depth := 0, 0
	var place func(p string, level int) (y int)
	place = func(p string, level int) (y int) {
		depth = max(depth, level)
		var below []int
		for _, child := range children[p] {
			below = append(below, place(child, level+1))
		}
		if len(below) == 0 {
			y = margin + rows*row
			rows++
		} else {
			y = (below[0] + below[len(below)-1]) / 2
		}
		x := margin + level*column
		for _, to := range below {
			fmt.Fprintf(&lines, "<path d=\"M%d %dH%dV%dH%d\"/>\n", x+width, y+height/2, x+width+(column-width)/2, to+height/2, x+column)
		}
		fill := "#ffffff"
		if len(below) > 0 {
			fill = "#dbeafe" // a supervisor
		}
		name := strings.ReplaceAll(path.Base(p), "-hash", "-‹hash›")
		fmt.Fprintf(&boxes, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"%s\"/>\n", x, y, width, height, fill)
		fmt.Fprintf(&boxes, "<text x=\"%d\" y=\"%d\">%s</text>\n", x+width/2, y+height/2+4, name)
		return y
	}
	for _, p := range paths {
		if path.Dir(p) == "." {
			place(p, 0)
		}
	}
	var out bytes.Buffer
	w, h := 2*margin+depth*column+width, 2*margin+rows*row-(row-height)
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n", w, h, w, h)
	fmt.Fprintf(&out, "<rect width=\"%d\" height=\"%d\" fill=\"#f8fafc\"/>\n<g fill=\"none\" stroke=\"#64748b\">\n%s</g>\n", w, h, lines.String())
	fmt.Fprintf(&out, "<g font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\" stroke-width=\"0\">\n%s</g>\n</svg>\n", strings.ReplaceAll(boxes.String(), "rx=\"5\"", "rx=\"5\" stroke=\"#64748b\" stroke-width=\"1\""))
	return out.Bytes()
}
