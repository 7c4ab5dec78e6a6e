package paint

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// leastRoom is how many cells lines must have behind their indent to be wrapped
// at all.
const leastRoom = 20

// Wrap breaks a line at spaces, so that nothing is wider than width cells, and
// indents what goes on by hang cells. A word that is wider stays whole, so that
// it can be copied. A width of 0 is that of no terminal: nothing is broken.
func Wrap(line string, width, hang int) string {
	if width-hang < leastRoom {
		return line
	}
	var b strings.Builder
	at, begun := 0, false // the cells of the row, and whether a word stands in it
	for i, word := range strings.Split(line, " ") {
		cells := ansi.StringWidth(word)
		switch {
		case i == 0:
		case cells > 0 && begun && at+1+cells > width:
			b.WriteString("\n" + strings.Repeat(" ", hang))
			at = hang
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += cells
		begun = begun || cells > 0
	}
	return b.String()
}
