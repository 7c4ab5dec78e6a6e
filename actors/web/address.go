package web

import (
	"net/url"
	"strings"

	"kouzui/wire/metainfo"
)

// address is the URL of a file (BEP 19). A URL that ends in a slash is that of
// the folder in which the torrent's file or folder lies; that of a torrent of
// several files always is. Names go into it as the torrent has them.
func address(base string, t *metainfo.Torrent, file int) string {
	f := &t.Files[file]
	if t.Single && !strings.HasSuffix(base, "/") {
		return base
	}
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(base, "/"))
	parts := f.Path
	if f.Original != nil {
		parts = f.Original
	}
	if !t.Single {
		b.WriteString("/" + url.PathEscape(t.Name))
	}
	for _, part := range parts {
		b.WriteString("/" + url.PathEscape(part))
	}
	return b.String()
}

// hostOf is what is shown of a URL, which may hold a key.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "?"
	}
	return u.Host
}
