package metainfo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from the network fit to show on one line: white space
// becomes a space, what is not UTF-8 and every other character that steers
// instead of printing becomes U+FFFD, so that no terminal escape and no change
// of writing direction survives; more than limit bytes are cut off with an
// ellipsis. It is the one home of this rule.
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

// shown tells characters that print from those that steer, and from bytes that
// are no character.
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
