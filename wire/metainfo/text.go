package metainfo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from the network fit to show: what is not UTF-8 and every control, format and line-breaking character
// becomes U+FFFD (so that no terminal escape and no right-to-left trick survives), and more than limit bytes are cut off
// with an ellipsis. It is the one home of this rule for the whole program.
func Clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if !shown(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	const ellipsis = "…"
	return cut(s, max(limit-len(ellipsis), 0)) + ellipsis
}

// shown tells characters that print from those that steer.
func shown(r rune) bool {
	return r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
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
