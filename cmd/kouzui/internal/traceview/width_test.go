package traceview

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"kouzui/actors/runtime/trace"
)

// On a terminal of 80 columns nothing is wider, in colours and without, and
// nothing is lost of the tree.
func TestWidth(t *testing.T) {
	const width = 80
	open := func() *trace.Reader {
		f, err := os.Open("../../../../testdata/killed.trace")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		r, err := trace.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	stats, err := Count(open(), "*")
	if err != nil {
		t.Fatal(err)
	}
	stats.Kinds[0].Kind = "trackerserver" // the longest name of a kind
	stats.Mailboxes[0].Actor = "client/" + strings.Repeat("x", 90) + "/store"
	var b strings.Builder
	if err := stats.Write(&b, false, width); err != nil {
		t.Fatal(err)
	}
	checkWidth(t, b.String(), width)
	if !strings.Contains(b.String(), "…") || !strings.Contains(b.String(), "/store\n") {
		t.Errorf("the end of a path is missing:\n%s", b.String())
	}

	r := open()
	replay := trace.Replay{Keep: true}
	tree := Tree{Header: r.Header}
	for e := range r.Events() {
		tree.At = e.Time
		replay.Apply(e)
	}
	tree.Lives = replay.Lives()
	draw := func(width int) string {
		tree.Width = width
		var b strings.Builder
		if err := tree.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	checkWidth(t, draw(width), width)
	words := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \n│├└", r) }), "")
	}
	if got, want := words(draw(width)), words(draw(0)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func checkWidth(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
