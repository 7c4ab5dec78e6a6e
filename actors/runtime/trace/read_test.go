package trace

import (
	"strings"
	"testing"
)

// Whatever a trace file has, the stacks in memory are bounded; those that a
// File of ours still names are all there.
func TestStacksAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ stacks, length int }{
		"many": {3*maxStacks + 7, 100},
		"long": {3 * maxStackText / maxLine, maxLine},
		"same": {1, 100},
	} {
		var s stackTexts
		text := strings.Repeat("x", c.length)
		for n := range c.stacks {
			s.add(n, text)
			if held := len(s.text) * c.length; len(s.text) > maxStacks || held > maxStackText || s.text[n] != text {
				t.Fatalf("%s: %d stacks of %d bytes", name, len(s.text), held)
			}
			first := n - n%maxStacks // since File has forgotten the others
			if _, is := s.text[first]; name == "many" && !is {
				t.Fatalf("stack %d is forgotten at %d", first, n)
			}
		}
	}
}
