package metainfo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from the network fit to be shown on one line. White space
// becomes a space. What is not UTF-8, and every control or formatting
// character, becomes U+FFFD, so that the text contains no terminal escape and
// no change of writing direction. A text longer than limit bytes is cut and
// ends in an ellipsis. All text from outside is cleaned here.
func Clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !shown(r):
			return utf8.RuneError
		}
		return r
	}, s)
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(ellipsis) {
		return ""
	}
	return cut(s, limit-len(ellipsis)) + ellipsis
}

// shown tells whether r is a character that prints.
func shown(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f
	}
	return r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// cut returns at most n bytes of s and never a part of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
