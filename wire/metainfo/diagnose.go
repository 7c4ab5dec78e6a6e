package metainfo

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"kouzui/wire/metainfo/dict"
)

// blank is what may stand before a torrent: white space and a byte order mark.
const blank = "\ufeff \t\r\n"

// kinds are files that are taken for a .torrent, by how they begin.
var kinds = []struct{ start, say string }{
	{"<", "it is a web page or XML; the server may ask for a login"},
	{"\x1f\x8b", "it is compressed by gzip; unpack it first"},
	{"PK\x03\x04", "it is a ZIP archive; unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it first"},
	{"Rar!", "it is a RAR archive; unpack it first"},
	{"\xfd7zXZ", "it is compressed by xz; unpack it first"},
	{"BZh", "it is compressed by bzip2; unpack it first"},
	{"\x28\xb5\x2f\xfd", "it is compressed by zstd; unpack it first"},
	{"magnet:", "it is a magnet link; give the link itself"},
	{"http://", "it is a URL; give the URL itself"},
	{"https://", "it is a URL; give the URL itself"},
	{"{", "it is JSON, perhaps the error of a server; download the .torrent file again"},
	{"%PDF", "it is a PDF document"},
	{"\xff\xfe", "it is text in UTF-16; an editor or a shell has changed it, so download it again"},
	{"\xfe\xff", "it is text in UTF-16; an editor or a shell has changed it, so download it again"},
}

// diagnose says what raw is instead of bencode, if that is easy to see, or else
// what is wrong with it.
func diagnose(raw []byte, err error) string {
	start := raw[:min(len(raw), 512)]
	for _, k := range kinds {
		if len(start) >= len(k.start) && strings.EqualFold(string(start[:len(k.start)]), k.start) {
			return k.say
		}
	}
	switch {
	case len(raw) == 0:
		return "the file is empty"
	case len(bytes.Trim(raw, "\x00")) == 0:
		return "it is nothing but zeros; its download may not be complete"
	case isBase64(start):
		return "it is encoded by base64; decode it first"
	case errors.Is(err, dict.ErrShort):
		return Clean(err.Error(), shownText) + "; it is cut short, so download it again"
	}
	return Clean(err.Error(), shownText)
}

// isBase64 tells whether text is the base64 of what begins like a torrent.
func isBase64(text []byte) bool {
	const some = 16 // of base64
	var b [some]byte
	if len(text) < some {
		return false
	}
	n, err := base64.StdEncoding.Decode(b[:], text[:some])
	return err == nil && n > 2 && b[0] == 'd' && b[1] >= '1' && b[1] <= '9'
}

// withoutInfo says what a dictionary is that is no torrent.
func withoutInfo(outer dict.Dict) error {
	failure, failed := outer.Text("failure reason")
	_, peers := outer["peers"]
	_, files := outer["files"]
	_, piece := outer["piece length"]
	switch {
	case failed:
		return refuse("This is no torrent, but the answer of a tracker: %q.", Clean(failure, shownText))
	case piece:
		return refuse("This is only the info dictionary of a torrent. Download the .torrent file.")
	case peers || files:
		return refuse("This is no torrent, but the answer of a tracker. Download the .torrent file.")
	}
	return refuse("The torrent has no info dictionary.")
}
