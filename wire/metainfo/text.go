package metainfo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from the network fit to be shown on one line. White space
// becomes a space. What is not UTF-8, and every control character or other one
// that nobody sees, becomes U+FFFD, so that the text contains no terminal
// escape, no change of writing direction and nothing hidden. A text longer than
// limit bytes is cut and ends in an ellipsis. All text from outside is cleaned
// here.
func Clean(s string, limit int) string {
	s = mapText(s, func(r rune, shown bool) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !shown:
			return utf8.RuneError
		}
		return r
	})
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(ellipsis) {
		return ""
	}
	return cut(s, limit-len(ellipsis)) + ellipsis
}

// mapText replaces the characters of s. Its function is told whether a
// character is seen, or is needed by those around it.
func mapText(s string, replace func(r rune, shown bool) rune) string {
	before := rune(0)
	at := 0
	return strings.Map(func(r rune) rune {
		width := utf8.RuneLen(r)
		if r == utf8.RuneError && !strings.HasPrefix(s[at:], string(utf8.RuneError)) {
			width = 1
		}
		at += width
		shown := prints(r)
		if !shown && r >= utf8.RuneSelf {
			after, _ := utf8.DecodeRuneInString(s[at:])
			shown = joins(before, r, after)
		}
		before = r
		return replace(r, shown)
	}, s)
}

// prints tells whether r is a character that is seen, or a plain space.
func prints(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f
	}
	switch {
	case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return false
	}
	return !unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// joining are the scripts in which joiners between letters change what is read.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mandaic, unicode.Mongolian, unicode.Phags_Pa, unicode.Adlam,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Thai, unicode.Lao,
	unicode.Balinese, unicode.Javanese, unicode.Sundanese, unicode.Chakma, unicode.Meetei_Mayek,
}

// joins tells whether r, which nobody sees, is needed between two characters: a
// joiner in a script that has such, or between the parts of a pictograph, or
// the one selector of how the character before looks.
func joins(before, r, after rune) bool {
	switch {
	case r == zeroWidthNonJoiner || r == zeroWidthJoiner:
		if unicode.In(before, joining...) {
			// Behind a virama, a joiner may end a word.
			return unicode.In(after, joining...) || unicode.In(before, unicode.Mn, unicode.Mc)
		}
		return r == zeroWidthJoiner && (pictograph(before) || unicode.Is(unicode.Variation_Selector, before)) && pictograph(after)
	case unicode.Is(unicode.Mongolian, r):
		return unicode.In(before, unicode.Mongolian) && prints(before)
	case r == '\ufe0e' || r == '\ufe0f':
		return pictograph(before) || strings.ContainsRune("0123456789#*©®‼⁉", before)
	case unicode.Is(unicode.Variation_Selector, r):
		return unicode.Is(unicode.Han, before)
	}
	return false
}

// pictograph tells whether r may be a part of an emoji: a symbol, or a tone of
// skin.
func pictograph(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sm) || r >= 0x1f3fb && r <= 0x1f3ff
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
