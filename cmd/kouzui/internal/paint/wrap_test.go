package paint

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		line        string
		width, hang int
		want        string
	}{
		{"  1.5  #2  one two-three four", 24, 2, "  1.5  #2  one two-three\n  four"},
		{"a aaaaaaaaaaaaaaaaaaaa", 21, 1, "a\n aaaaaaaaaaaaaaaaaaaa"},
		{"one two", 0, 2, "one two"},
		{"one two three four five six", 21, 2, "one two three four five six"}, // no room for words
		{"see /a/path/without/any/space here", 22, 0, "see\n/a/path/without/any/space\nhere"},
		{"\x1b[31mred\x1b[0m and a lot of other words", 22, 0, "\x1b[31mred\x1b[0m and a lot of other\nwords"},
	} {
		if got := Wrap(c.line, c.width, c.hang); got != c.want {
			t.Errorf("Wrap(%q, %d, %d) = %q, want %q", c.line, c.width, c.hang, got, c.want)
		}
	}
}

// Nothing is lost, and only what holds a wide word is wide.
func TestWrapKeepsWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-zé]{1,30}`)).Draw(t, "words")
		width, hang := rapid.IntRange(0, 60).Draw(t, "width"), rapid.IntRange(0, 30).Draw(t, "hang")
		got := Wrap(strings.Join(words, " "), width, hang)
		if strings.Join(strings.Fields(got), " ") != strings.Join(words, " ") {
			t.Fatalf("got %q of %q", got, words)
		}
		for _, line := range strings.Split(got, "\n") {
			if width-hang >= leastRoom && ansi.StringWidth(line) > width && len(strings.Fields(line)) > 1 {
				t.Fatalf("%q is wider than %d", line, width)
			}
		}
	})
}
