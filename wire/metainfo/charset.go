package metainfo

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"kouzui/wire/metainfo/dict"
)

// codePages are names of Windows for encodings that the registry of the web,
// which htmlindex has, calls otherwise.
var codePages = map[string]string{
	"cp932": "shift_jis", "ms932": "shift_jis", "cp936": "gbk", "ms936": "gbk",
	"cp949": "euc-kr", "uhc": "euc-kr", "ms949": "euc-kr", "cp950": "big5", "ms950": "big5",
}

// charset is the encoding of text in a torrent that is not UTF-8. The zero
// value is none.
type charset struct{ decoder *encoding.Decoder }

// charsetOf reads the key by which makers of old name the encoding. One that is
// not known is none.
func charsetOf(d dict.Dict) charset {
	label, _ := d.Text("encoding")
	if len(label) > shownText {
		return charset{}
	}
	label = strings.ToLower(strings.TrimSpace(label))
	if page, is := codePages[label]; is {
		label = page
	}
	known, err := htmlindex.Get(label)
	if err != nil {
		return charset{}
	}
	return charset{known.NewDecoder()}
}

// decode returns s in UTF-8. What is UTF-8 already, and what is no text of the
// encoding, stays as it is.
func (c charset) decode(s string) string {
	if c.decoder == nil || utf8.ValidString(s) {
		return s
	}
	decoded, err := c.decoder.String(s)
	if err != nil || strings.ContainsRune(decoded, utf8.RuneError) {
		return s
	}
	return decoded
}

// first returns the first non-empty string among the values of keys.
func (c charset) first(d dict.Dict, keys ...string) string {
	for _, key := range keys {
		if s, _ := d.Text(key); s != "" {
			return c.decode(s)
		}
	}
	return ""
}

// path returns the first list of strings among the values of keys.
func (c charset) path(d dict.Dict, keys ...string) ([]string, bool) {
	for _, key := range keys {
		if parts, ok := textList(d, key); ok {
			for i := range parts {
				parts[i] = c.decode(parts[i])
			}
			return parts, true
		}
	}
	return nil, false
}
