// Package paint fits text to a terminal: it breaks lines, and colours text in
// few ways that can be read on black and on white.
package paint

// Paint colours text if it is true.
type Paint bool

// The colours, as parameters of the escape. Yellow, green and cyan cannot be
// read on white, blue not on black.
const (
	bold    = "1"
	faint   = "2"
	red     = "31"
	green   = "32"
	magenta = "35"
)

// Bold is for what matters most.
func (p Paint) Bold(s string) string { return p.styled(bold, s) }

// Faint is for what matters least.
func (p Paint) Faint(s string) string { return p.styled(faint, s) }

// Warning is for what may need the user.
func (p Paint) Warning(s string) string { return p.styled(magenta, s) }

// Failure is for what went wrong.
func (p Paint) Failure(s string) string { return p.styled(red, s) }

// Blocks is for bars and maps, which are seen in any colour; it is not for
// text.
func (p Paint) Blocks(s string) string { return p.styled(green, s) }

func (p Paint) styled(sgr, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}
